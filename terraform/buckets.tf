# Media and the studio's files.

resource "google_storage_bucket" "media" {
  project                     = var.project_id
  name                        = "${var.project_id}-media"
  location                    = var.region
  force_destroy               = !var.is_protected
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  # Only the studio may send pictures here from a browser, and only to an address that we signed.
  cors {
    max_age_seconds = 3600
    method          = ["GET", "HEAD", "PUT"]
    origin          = [local.site_url]
    response_header = ["Content-Type", "x-goog-content-length-range", "x-goog-if-generation-match"]
  }

  # What was deleted or replaced by mistake can be had back for a while; so soft delete would be paid for twice.
  versioning {
    enabled = true
  }
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.retention_days.deleted_media
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age            = var.retention_days.uploads
      matches_prefix = ["uploads/"]
    }
    action {
      type = "Delete"
    }
  }

  # Thumbnails stay: they are small, and every look at the history reads them.
  lifecycle_rule {
    condition {
      age                   = var.retention_days.results_at_hand
      matches_prefix        = ["results/"]
      matches_storage_class = ["STANDARD"]
      matches_suffix        = ["/result"]
    }
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
  }

  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }
}

# The studio is the same for everybody, so everybody may read it. It holds nothing but what `npm run build` made.
resource "google_storage_bucket" "studio" {
  #checkov:skip=CKV_GCP_114:the studio is public
  project                     = var.project_id
  name                        = "${var.project_id}-studio"
  location                    = var.region
  force_destroy               = true
  uniform_bucket_level_access = true

  # A bad upload can be undone.
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

  website {
    main_page_suffix = "index.html"
  }
}

# Reading by name, not listing.
resource "google_storage_bucket_iam_member" "studio_readers" {
  #checkov:skip=CKV_GCP_28:the studio is public
  bucket = google_storage_bucket.studio.name
  role   = "roles/storage.legacyObjectReader"
  member = "allUsers"
}
