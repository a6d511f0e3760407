# Secrets by the name of their setting. Their values are added with gcloud (docs/deploy.md), so the state never holds one.

locals {
  # The local profile signs blobs and tasks with secrets; here IAM does.
  _local_secrets = ["blob_secret", "task_secret"]
  _own_secrets   = ["hook_secret", "quote_secret", "session_secret"]

  secrets = setsubtract(local.manifest.settings.secret, local._local_secrets)

  _vendor_secrets        = setsubtract(local.secrets, local._own_secrets)
  vendor_keys            = sort([for name in local._vendor_secrets : name if !endswith(name, "_webhook_secret")])
  vendor_webhook_secrets = sort([for name in local._vendor_secrets : name if endswith(name, "_webhook_secret")])
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
