# Mistakes that a plan must refuse.

mock_provider "google" {}

variables {
  alert_email = "somebody@reelmint.example"
  bundle_path = "tests/bundle.txt"
  domain      = "reelmint.example"
  environment = "test"
  project_id  = "reelmint-test"
}

run "a_secret_is_no_setting" {
  command = plan

  variables {
    settings = { session_secret = "in the open" }
  }

  expect_failures = [var.settings]
}

run "an_address_is_no_domain" {
  command = plan

  variables {
    domain = "https://reelmint.example/"
  }

  expect_failures = [var.domain]
}

run "limits_of_nothing" {
  command = plan

  variables {
    limits = { create_jobs = { min_instances = 1 } }
  }

  expect_failures = [var.limits]
}

run "everybody_calls_an_internal_function" {
  command = plan

  module {
    source = "./modules/http_function"
  }

  variables {
    build       = { bucket = "b", docker_repository = "d", object = "o", service_account = "s" }
    description = "An internal function."
    environment = {}
    invokers    = ["allUsers"]
    is_internal = true
    name        = "run_task"
    objects     = { bucket = "b", roles = {} }
    queues      = []
    region      = "europe-west1"
    roles       = []
    secrets     = {}
    signs_urls  = false

    tasks_caller_id = "t"
  }

  expect_failures = [var.invokers]
}
