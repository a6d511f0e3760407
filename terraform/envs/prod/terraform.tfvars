# What creators use. Nothing that holds money or media can be deleted from here.

alert_email     = "operators@reelmint.example"
billing_account = "000000-000000-000000"
budget_units    = 500
domain          = "reelmint.example"
environment     = "prod"
is_protected    = true
project_id      = "reelmint-prod"

# The two functions that a creator waits for never start cold.
limits = {
  create_job = { min_instances = 1 }
  job_status = { min_instances = 1, max_instances = 50 }
}
