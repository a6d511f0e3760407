# What production would be: the values of envs/prod, and a provider that touches nothing.

mock_provider "google" {
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}

run "environment" {
  module {
    source = "./tests/environment"
  }

  variables {
    name = "prod"
  }
}

run "prod" {
  variables {
    alert_email     = run.environment.values.alert_email
    billing_account = run.environment.values.billing_account
    budget_units    = run.environment.values.budget_units
    bundle_path     = "tests/bundle.txt"
    domain          = run.environment.values.domain
    environment     = run.environment.values.environment
    is_protected    = run.environment.values.is_protected
    limits          = run.environment.values.limits
    project_id      = run.environment.values.project_id

    # One account that the catalogue's places are for, and a second one with places of its own.
    vendor_accounts = {
      sandbox = { url = "https://sandbox.reelmint.example", has_webhook_secrets = true }
      sandbox_2 = {
        hosts  = ["*.media.example", "files.example"]
        places = { sandbox = 2 }
        rates  = { sandbox = 30 }
        url    = "https://sandbox-2.reelmint.example"
      }
    }
  }

  # ---------------------------------------------------------------- functions and who may call them

  assert {
    condition     = toset(keys(local.functions)) == toset(keys(local.manifest.functions))
    error_message = "functions.tf and functions/ name other functions."
  }

  assert {
    condition = toset([
      for name in keys(local.functions) : name if contains(module.function[name].invokers, "allUsers")
    ]) == toset(["account", "create_job", "job_status", "provider_webhook", "uploads"])
    error_message = "Another set of functions is public than is meant to be."
  }

  assert {
    condition = alltrue([
      for name, function in local.manifest.functions :
      function.internal != contains(module.function[name].invokers, "allUsers")
    ])
    error_message = "What the code calls internal is public, or the other way round."
  }

  assert {
    condition = (
      module.function["run_task"].invokers == toset([google_service_account.this["tasks"].member])
      && module.function["sweep"].invokers == toset([google_service_account.this["scheduler"].member])
    )
    error_message = "Somebody else than the queue and the scheduler may call the internal functions."
  }

  assert {
    condition = alltrue([
      for name, function in local.manifest.functions :
      module.function[name].settings.ingress_settings == (
        function.internal ? "ALLOW_INTERNAL_ONLY" : "ALLOW_INTERNAL_AND_GCLB"
      )
    ])
    error_message = "A function can be reached past the load balancer."
  }

  assert {
    condition = alltrue([
      for name in keys(local.functions) :
      module.function[name].settings.environment_variables["FUNCTION_USE_ASGI"] == "true"
      && module.function[name].settings.environment_variables["PROFILE"] == "cloud"
    ])
    error_message = "A function would not start as an ASGI app of the cloud profile."
  }

  assert {
    condition     = length(distinct([for name in keys(local.functions) : module.function[name].member])) == length(local.functions)
    error_message = "Two functions share an account."
  }

  assert {
    condition = (
      local.functions.job_status.roles == ["roles/datastore.viewer"]
      && values(local.functions.job_status.objects) == ["roles/storage.objectViewer"]
      && length(local.functions.job_status.queues) == 0
    )
    error_message = "job_status can write."
  }

  assert {
    condition = (
      length(local.functions.provider_webhook.roles) == 0
      && length(local.functions.provider_webhook.objects) == 0
      && local.functions.provider_webhook.queues == ["check"]
    )
    error_message = "provider_webhook can do more than queue a look at a job."
  }

  assert {
    condition = (
      module.function["create_job"].settings.min_instance_count == 1
      && module.function["job_status"].settings.min_instance_count == 1
      && module.function["sweep"].settings.min_instance_count == 0
    )
    error_message = "The limits of envs/prod do not arrive."
  }

  # ---------------------------------------------------------------- settings and secrets

  assert {
    condition = alltrue([
      for name, function in local.manifest.functions : length(setsubtract(
        [for setting in function.required : upper(setting)],
        setunion(module.function[name].secrets, keys(module.function[name].settings.environment_variables)),
      )) == 0
    ])
    error_message = "A function would not start: a setting that it requires is not given."
  }

  assert {
    condition = alltrue([
      for name, function in local.functions :
      function.signs_urls == contains(keys(module.function[name].settings.environment_variables), "SIGNING_SERVICE_ACCOUNT")
    ])
    error_message = "A function would sign in a name that it may not use."
  }

  assert {
    condition = jsonencode({
      for name in keys(local.functions) : name => sort(setintersection(
        module.function[name].secrets, ["HOOK_SECRET", "QUOTE_SECRET", "SESSION_SECRET"]
      ))
      }) == jsonencode({
      account          = ["SESSION_SECRET"]
      create_job       = ["QUOTE_SECRET", "SESSION_SECRET"]
      job_status       = ["SESSION_SECRET"]
      provider_webhook = ["HOOK_SECRET"]
      run_task         = ["HOOK_SECRET"]
      sweep            = []
      uploads          = ["SESSION_SECRET"]
    })
    error_message = "A function reads a secret that it does not need, or lacks one that it does."
  }

  assert {
    condition = jsonencode({
      for name in keys(local.functions) : name => sort([
        for secret in module.function[name].secrets : secret if startswith(secret, "VENDOR_")
      ])
      }) == jsonencode({
      account          = []
      create_job       = ["VENDOR_SANDBOX_2_KEY", "VENDOR_SANDBOX_KEY"]
      job_status       = []
      provider_webhook = ["VENDOR_SANDBOX_WEBHOOK_SECRETS"]
      run_task         = ["VENDOR_SANDBOX_2_KEY", "VENDOR_SANDBOX_KEY"]
      sweep            = []
      uploads          = []
    })
    error_message = "Vendors' keys are for the two functions that call vendors, what they sign with is for the one that they call."
  }

  assert {
    condition = (
      google_secret_manager_secret.this["vendor_sandbox_2_key"].secret_id == "vendor-sandbox-2-key"
      && google_secret_manager_secret.this["vendor_sandbox_webhook_secrets"].secret_id == "vendor-sandbox-webhook-secrets"
    )
    error_message = "A vendor's secret has another name than docs/deploy.md says."
  }

  assert {
    condition = alltrue([
      for name in keys(local.functions) : jsonencode({
        for setting, value in module.function[name].settings.environment_variables : setting => value
        if startswith(setting, "VENDOR_")
        }) == jsonencode({
        VENDOR_SANDBOX_2_HOSTS  = "*.media.example,files.example"
        VENDOR_SANDBOX_2_PLACES = "sandbox:2"
        VENDOR_SANDBOX_2_RATES  = "sandbox:30"
        VENDOR_SANDBOX_2_URL    = "https://sandbox-2.reelmint.example"
        VENDOR_SANDBOX_URL      = "https://sandbox.reelmint.example"
      })
    ])
    error_message = "A function does not know which accounts there are, and how many places they have."
  }

  assert {
    condition = alltrue([
      for name in keys(local.functions) :
      length(setintersection(
        [for setting in local.manifest.settings.secret : upper(setting)],
        keys(module.function[name].settings.environment_variables),
      )) == 0
    ])
    error_message = "A secret is in a function's plain environment."
  }

  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.this : secret.deletion_protection])
    error_message = "A secret can be deleted."
  }

  # ---------------------------------------------------------------- queues and scheduler

  assert {
    condition     = toset(keys(google_cloud_tasks_queue.this)) == toset(keys(local.manifest.queues))
    error_message = "A queue that the code names does not exist."
  }

  assert {
    condition = (
      google_cloud_tasks_queue.this["dispatch-sandbox"].rate_limits[0].max_concurrent_dispatches
      == local.manifest.pools.sandbox.slots + 2
    )
    error_message = "A dispatch queue has not as many places as all accounts have slots in its pool."
  }

  assert {
    condition = (
      google_cloud_tasks_queue.this["dispatch-sandbox"].rate_limits[0].max_dispatches_per_second
      == (local.manifest.pools.sandbox.submits_per_minute + 30) / 60
    )
    error_message = "A dispatch queue does not start as many jobs as all accounts take together."
  }

  assert {
    condition = alltrue([
      for name, queue in local.manifest.queues :
      google_cloud_tasks_queue.this[name].rate_limits[0].max_concurrent_dispatches == queue.max_concurrent_dispatches
      if queue.pool == null
    ])
    error_message = "A queue has other limits than the code has for it."
  }

  assert {
    condition = (
      google_cloud_tasks_queue.this["refill"].retry_config[0].min_backoff == "0.200s"
      && google_cloud_tasks_queue.this["check"].retry_config[0].min_backoff == "1s"
    )
    error_message = "A pause is not spelt as the API answers it."
  }

  assert {
    condition = (
      module.function["run_task"].settings.max_instance_count
      * module.function["run_task"].settings.max_instance_request_concurrency
      >= sum([for queue in google_cloud_tasks_queue.this : queue.rate_limits[0].max_concurrent_dispatches])
    )
    error_message = "The queues may send more at once than run_task takes: refused tasks slow their whole queue down."
  }

  assert {
    condition = alltrue([
      for queue in local.manifest.queues :
      module.function["run_task"].settings.timeout_seconds >= queue.dispatch_deadline_seconds
    ])
    error_message = "run_task is cut off before its queue gives up."
  }

  assert {
    condition = (
      google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].service_account_email
      == google_service_account.this["scheduler"].email
      && google_cloud_scheduler_job.sweep.http_target[0].uri
      == "${google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].audience}/cron/sweep"
    )
    error_message = "The scheduler calls the sweep as somebody else, or somewhere else."
  }

  # ---------------------------------------------------------------- store

  assert {
    condition = (
      google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED"
      && google_firestore_database.this.deletion_policy == "ABANDON"
      && google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    )
    error_message = "The books can be lost."
  }

  assert {
    condition = {
      for name, index in google_firestore_index.this : name => [
        for field in index.fields : { direction = field.order, field = field.field_path }
      ]
    } == { for name, index in local.manifest.indexes : name => index.fields }
    error_message = "A composite index is not the one that the code asks for."
  }

  assert {
    condition = alltrue([
      for collection in local.manifest.collections :
      length(google_firestore_field.indexed["${collection}.*"].index_config[0].indexes) == 0
    ])
    error_message = "A collection indexes fields that no query needs."
  }

  assert {
    condition = jsonencode({
      for name, field in google_firestore_field.indexed : name => [for index in field.index_config[0].indexes : index.order]
    }) == jsonencode({ for name, field in local.field_indexes : name => field.directions })
    error_message = "Another set of fields has an index of its own than the code asks for."
  }

  assert {
    condition = length(setintersection(
      [for field in google_firestore_field.garbage : field.collection],
      ["accounts", "jobs", "ledger", "pauses", "slots", "switches", "vendor_tasks", "wallets"],
    )) == 0
    error_message = "Something that money depends on would be thrown away."
  }

  # ---------------------------------------------------------------- buckets

  assert {
    condition = alltrue([
      for bucket in [google_storage_bucket.media, google_storage_bucket.source] :
      bucket.public_access_prevention == "enforced"
      && bucket.uniform_bucket_level_access
      && !bucket.force_destroy
      && bucket.versioning[0].enabled
    ])
    error_message = "Media or source are open, or can be lost."
  }

  assert {
    condition     = google_storage_bucket.media.cors[0].origin == tolist(["https://reelmint.example"])
    error_message = "Other sites than ours may send to the media bucket from a browser."
  }

  assert {
    condition = (
      toset(google_storage_bucket.media.cors[0].response_header)
      == toset(["Content-Type", "x-goog-content-length-range", "x-goog-if-generation-match"])
    )
    error_message = "A browser could not send what a signed upload demands."
  }

  # ---------------------------------------------------------------- site

  assert {
    condition = toset(flatten([
      for rule in google_compute_url_map.site.path_matcher[0].route_rules : [
        for match in rule.match_rules : join(" ", [
          try(match.header_matches[0].exact_match, "any"),
          # A mock fills what is not set with letters, so the one that is an address is ours.
          one([for path in [match.full_path_match, match.path_template_match] : path if try(startswith(path, "/"), false)]),
        ])
      ] if rule.priority < 10000
      ])) == toset([
      "GET /v1/jobs",
      "GET /v1/jobs/*",
      "POST /v1/jobs",
      "DELETE /v1/jobs/*",
      "any /hooks/providers/*/*/*",
      "any /v1/account",
      "any /v1/account/ledger",
      "any /v1/auth/end",
      "any /v1/auth/local",
      "any /v1/jobs/*/cancel",
      "any /v1/jobs/*/content",
      "any /v1/models",
      "any /v1/openapi.json",
      "any /v1/quotes",
      "any /v1/uploads",
      "any /v1/uploads/*",
    ])
    error_message = "The site has other addresses than the code."
  }

  assert {
    condition = alltrue([
      for name, function in local.public_functions : alltrue([
        for path, methods in function.routes : anytrue([
          for rule in google_compute_url_map.site.path_matcher[0].route_rules : anytrue([
            for match in rule.match_rules :
            rule.service == google_compute_backend_service.function[name].id
            && contains([match.full_path_match, match.path_template_match], replace(path, "/\\{[a-z_]+\\}/", "*"))
          ])
        ])
      ])
    ])
    error_message = "An address of the code leads to another function."
  }

  assert {
    condition     = toset(keys(google_compute_backend_service.function)) == toset(keys(local.public_functions))
    error_message = "The load balancer leads to an internal function."
  }

  assert {
    condition = length(distinct([
      for rule in google_compute_url_map.site.path_matcher[0].route_rules : rule.priority
    ])) == length(google_compute_url_map.site.path_matcher[0].route_rules)
    error_message = "Two rules of the URL map have the same priority."
  }

  assert {
    condition = alltrue([
      for service in google_compute_backend_service.function :
      service.security_policy == google_compute_security_policy.functions.id
    ])
    error_message = "A function has no rate rules before it."
  }

  assert {
    condition     = output.webhook_url == "https://reelmint.example/hooks/providers/{provider}/{job_id}/{mac}"
    error_message = "Vendors would be told another address than the code answers."
  }

  # ---------------------------------------------------------------- watching

  assert {
    condition = alltrue([
      for policy in google_monitoring_alert_policy.this :
      contains(policy.notification_channels, google_monitoring_notification_channel.email.id)
    ])
    error_message = "An alert tells nobody."
  }

  assert {
    condition     = length(google_billing_budget.month) == 1
    error_message = "Nobody watches what production costs."
  }
}
