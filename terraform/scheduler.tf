# The sweep, each minute. It repairs what a crash left behind, so it is what makes every other promise hold.

resource "google_cloud_scheduler_job" "sweep" {
  project          = var.project_id
  region           = var.region
  name             = "sweep"
  description      = "Find jobs whose time is up and places that nobody filled."
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = "${local.function_urls["sweep"]}/cron/sweep"

    oidc_token {
      audience              = local.function_urls["sweep"]
      service_account_email = google_service_account.this["scheduler"].email
    }
  }

  # The next minute is the retry.
  retry_config {
    retry_count = 0
  }

  depends_on = [module.function]
}

# The books, each night: every wallet against its rows. A difference is an error in the log, and an alert.

resource "google_cloud_scheduler_job" "audit" {
  project          = var.project_id
  region           = var.region
  name             = "audit"
  description      = "Recompute every wallet from the ledger."
  schedule         = "17 3 * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "1800s"

  http_target {
    http_method = "POST"
    uri         = "${local.function_urls["sweep"]}/cron/audit"

    oidc_token {
      audience              = local.function_urls["sweep"]
      service_account_email = google_service_account.this["scheduler"].email
    }
  }

  retry_config {
    retry_count = 3
  }

  depends_on = [module.function]
}
