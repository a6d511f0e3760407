# What a throw-away environment would be.

mock_provider "google" {}

run "environment" {
  module {
    source = "./tests/environment"
  }

  variables {
    name = "dev"
  }
}

run "dev" {
  variables {
    alert_email    = run.environment.values.alert_email
    bundle_path    = "tests/bundle.txt"
    domain         = run.environment.values.domain
    environment    = run.environment.values.environment
    is_protected   = run.environment.values.is_protected
    project_id     = run.environment.values.project_id
    retention_days = run.environment.values.retention_days
    settings       = { late_result = "discard" }
  }

  assert {
    condition = (
      google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_DISABLED"
      && google_storage_bucket.media.force_destroy
      && !anytrue([for secret in google_secret_manager_secret.this : secret.deletion_protection])
    )
    error_message = "A throw-away environment cannot be thrown away."
  }

  assert {
    condition = alltrue([
      for name in keys(local.functions) : module.function[name].settings.min_instance_count == 0
    ])
    error_message = "A throw-away environment costs something while nobody uses it."
  }

  assert {
    condition     = module.function["create_job"].settings.environment_variables["LATE_RESULT"] == "discard"
    error_message = "A setting does not arrive."
  }

  assert {
    condition = (
      length([for name in keys(google_secret_manager_secret.this) : name if startswith(name, "vendor_")]) == 0
      && alltrue([for queue in google_cloud_tasks_queue.this : queue.rate_limits[0].max_concurrent_dispatches >= 1])
    )
    error_message = "Without an account with a vendor there are secrets of one, or queues that Cloud Tasks refuses."
  }

  assert {
    condition     = length(google_billing_budget.month) == 0
    error_message = "There is a budget without a billing account."
  }
}
