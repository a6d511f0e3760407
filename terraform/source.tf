# The archive that all functions share, and where their images go.

locals {
  # The name is the content: other code is another object, and so a deploy; the same code is nothing to do.
  bundle_hash = substr(filesha256(var.bundle_path), 0, 16)
}

resource "google_storage_bucket" "source" {
  project                     = var.project_id
  name                        = "${var.project_id}-source"
  location                    = var.region
  force_destroy               = !var.is_protected
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  # An apply that went wrong can be undone with the archive that it replaced.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_storage_bucket_object" "bundle" {
  bucket = google_storage_bucket.source.name
  name   = "functions-${local.bundle_hash}.zip"
  source = var.bundle_path
}

resource "google_artifact_registry_repository" "functions" {
  project       = var.project_id
  location      = var.region
  repository_id = "functions"
  description   = "Images that Cloud Build makes of the archive."
  format        = "DOCKER"

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }
}
