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

run "an_account_with_a_vendor_that_nobody_knows" {
  command = plan

  variables {
    vendor_accounts = { nobody = { url = "https://nobody.example" } }
  }

  expect_failures = [var.vendor_accounts]
}

run "a_vendor_s_address_in_the_open" {
  command = plan

  variables {
    vendor_accounts = { sandbox = { url = "http://sandbox.example" } }
  }

  expect_failures = [var.vendor_accounts]
}

run "places_in_a_pool_of_somebody_else" {
  command = plan

  variables {
    vendor_accounts = { sandbox = { url = "https://sandbox.example", places = { nothing = 4 } } }
  }

  expect_failures = [var.vendor_accounts]
}

run "no_places_at_all" {
  command = plan

  variables {
    vendor_accounts = { sandbox = { url = "https://sandbox.example", places = { sandbox = 0 } } }
  }

  expect_failures = [var.vendor_accounts]
}

run "no_submits_at_all" {
  command = plan

  variables {
    vendor_accounts = { sandbox = { url = "https://sandbox.example", rates = { sandbox = 0 } } }
  }

  expect_failures = [var.vendor_accounts]
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
