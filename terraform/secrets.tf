# Secrets by the name of their setting. Their values are added with gcloud (docs/deploy.md), so the state never holds one.

locals {
  # Our own, by function, as the code requires them.
  own_secrets = {
    for name, function in local.manifest.functions : name =>
    setintersection(function.required, local.manifest.settings.secret)
  }

  # Vendors', by what they are for.
  vendor_secrets = {
    key             = [for name in keys(var.vendor_accounts) : "vendor_${name}_key"]
    webhook_secrets = [for name, account in var.vendor_accounts : "vendor_${name}_webhook_secrets" if account.has_webhook_secrets]
  }

  secrets = setunion(flatten(values(local.vendor_secrets)), values(local.own_secrets)...)
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
