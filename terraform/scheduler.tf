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
