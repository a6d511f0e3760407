output "address" {
  description = "What the domain's A record must say."
  value       = google_compute_global_address.site.address
}

output "buckets" {
  description = "The buckets by use."
  value = {
    media  = google_storage_bucket.media.name
    source = google_storage_bucket.source.name
    studio = google_storage_bucket.studio.name
  }
}

output "function_urls" {
  description = "Where each function is. Only Cloud Tasks and the scheduler reach these; everybody else comes by the site."
  value       = local.function_urls
}

output "secrets" {
  description = "Secrets that need a value, by setting."
  value       = { for name, secret in google_secret_manager_secret.this : name => secret.secret_id }
}

output "site_url" {
  description = "The studio and the API."
  value       = local.site_url
}

output "webhook_url" {
  description = "What a vendor is told to call; the code fills in the rest for each job."
  value       = "${local.site_url}${one(keys(local.manifest.functions.provider_webhook.routes))}"
}
