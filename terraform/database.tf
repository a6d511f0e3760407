# Firestore: the one database, its indexes, its backups.

locals {
  # Documents that may go when their time is over, by the field that holds it. Never anything of the ledger.
  garbage = {
    upload_rates = "expires_at"
  }

  field_indexes = merge([
    for collection, fields in local.manifest.field_indexes : {
      for field, directions in fields : "${collection}.${field}" => {
        collection = collection
        directions = directions
        field      = field
      }
    }
  ]...)
}

resource "google_firestore_database" "this" {
  project     = var.project_id
  name        = "(default)"
  location_id = coalesce(var.database_location, var.region)
  type        = "FIRESTORE_NATIVE"

  # Commits carry preconditions; nothing is ever locked while somebody thinks.
  concurrency_mode = "OPTIMISTIC"

  delete_protection_state           = var.is_protected ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.is_protected ? "ABANDON" : "DELETE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
}

# Point-in-time recovery reaches back seven days; a backup is for what is noticed later.
resource "google_firestore_backup_schedule" "daily" {
  project   = var.project_id
  database  = google_firestore_database.this.name
  retention = "${var.retention_days.backups * 86400}s"

  daily_recurrence {}
}

resource "google_firestore_index" "this" {
  for_each = local.manifest.indexes

  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value.collection

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.field
      order      = fields.value.direction
    }
  }
}

# Firestore indexes every field of every document unless told otherwise, which costs each write and makes a hot spot of
# each timestamp. `*` switches that off for a collection; the few fields that a query needs alone are switched on again.
resource "google_firestore_field" "indexed" {
  for_each = local.field_indexes

  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.field

  index_config {
    dynamic "indexes" {
      for_each = toset(each.value.directions)
      content {
        order       = indexes.key
        query_scope = "COLLECTION"
      }
    }
  }
}

resource "google_firestore_field" "garbage" {
  for_each = local.garbage

  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.key
  field      = each.value

  index_config {}
  ttl_config {}
}
