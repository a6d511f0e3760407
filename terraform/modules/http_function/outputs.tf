output "invokers" {
  description = "Who may call it."
  value       = google_cloud_run_v2_service_iam_binding.invokers.members
}

output "member" {
  description = "The function's account, as IAM writes it."
  value       = google_service_account.this.member
}

output "secrets" {
  description = "Environment names of the secrets that it can read."
  value       = toset(keys(google_secret_manager_secret_iam_member.reads))
}

output "service" {
  description = "The Cloud Run service behind it, once it may be called."
  value       = google_cloudfunctions2_function.this.name
  depends_on  = [google_cloud_run_v2_service_iam_binding.invokers]
}

output "settings" {
  description = "How it runs."
  value       = one(google_cloudfunctions2_function.this.service_config)
}
