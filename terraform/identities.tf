# Who acts. Each function has an account of its own (modules/http_function); these are the callers and the builder.

locals {
  accounts = {
    build     = "Builds the functions' images."
    scheduler = "Calls sweep, and nothing else."
    tasks     = "Carries queued tasks to run_task, and nothing else."
  }

  # The least that a build of functions needs with an account of its own.
  build_roles = toset([
    "roles/artifactregistry.writer",
    "roles/logging.logWriter",
    "roles/storage.objectViewer",
  ])
}

resource "google_service_account" "this" {
  for_each = local.accounts

  project      = var.project_id
  account_id   = "reelmint-${each.key}"
  display_name = each.value
}

resource "google_project_iam_member" "build" {
  for_each = local.build_roles

  project = var.project_id
  role    = each.key
  member  = google_service_account.this["build"].member
}
