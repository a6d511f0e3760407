# Secrets by the name of their setting. Their values are added with gcloud (docs/deploy.md), so the state never holds one.

locals {
  # Our own, by function, as the code requires them.
  own_secrets = {
    for name, function in local.manifest.functions : name =>
    setintersection(function.required, local.manifest.settings.secret)
  }

  # Vendors' settings begin with the vendor's name.
  _vendor_secrets = [
    for name in local.manifest.settings.secret : name
    if anytrue([for pool in local.manifest.pools : startswith(name, "${pool.provider}_")])
  ]
  vendor_keys            = [for name in local._vendor_secrets : name if !endswith(name, "_webhook_secret")]
  vendor_webhook_secrets = [for name in local._vendor_secrets : name if endswith(name, "_webhook_secret")]

  secrets = setunion(local._vendor_secrets, values(local.own_secrets)...)
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secrets

  project             = var.project_id
  secret_id           = replace(each.key, "_", "-")
  deletion_protection = var.is_protected

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

# Who read which secret, and when.
resource "google_project_iam_audit_config" "secrets" {
  project = var.project_id
  service = "secretmanager.googleapis.com"

  audit_log_config {
    log_type = "DATA_READ"
  }
}
