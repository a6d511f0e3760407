# One entry per file in functions/. Adding a function is adding an entry: tests refuse a manifest with another set of names.
# `invokers` is always written, because "nobody" is useless and "everybody" is unsafe. Which secrets a function reads is the
# code's to say: its own as shared/config.py requires them, vendors' as infra/manifest.py has them.

locals {
  # Public functions are open to everybody who comes through the load balancer, and check the session or the signature.
  _everybody = ["allUsers"]

  functions = {
    account = {
      description = "Sign-in, account, balance and ledger."
      invokers    = local._everybody
      limits      = {}
      objects     = {}
      queues      = []
      roles       = ["roles/datastore.user"]
      signs_urls  = false
    }

    create_job = {
      description = "Quote, create, cancel and delete jobs."
      invokers    = local._everybody
      limits      = {}
      objects     = { "results/" = "roles/storage.objectUser" }
      queues      = keys(local.queues)
      roles       = ["roles/datastore.user"]
      signs_urls  = true
    }

    job_status = {
      description = "Jobs, models and results. It never writes."
      invokers    = local._everybody
      limits      = {}
      objects     = { "results/" = "roles/storage.objectViewer" }
      queues      = []
      roles       = ["roles/datastore.viewer"]
      signs_urls  = true
    }

    provider_webhook = {
      description = "Vendors' callbacks: verify, queue, answer. It reads no document."
      invokers    = local._everybody
      limits      = {}
      objects     = {}
      queues      = ["check"]
      roles       = []
      signs_urls  = false
    }

    run_task = {
      description = "Cloud Tasks' target: do one queued task."
      invokers    = [google_service_account.this["tasks"].member]
      limits = {
        # Decoding a video takes about 320 MiB, and the store queue brings up to four at once.
        concurrency = 8
        memory_mb   = 2048
        # Room for everything that the queues may send at once, twice: a refused task would slow its whole queue down.
        max_instances   = 2 * ceil(sum(values(local.queues)[*].max_concurrent_dispatches) / 8)
        timeout_seconds = max(values(local.queues)[*].dispatch_deadline_seconds...)
      }
      objects = {
        "results/" = "roles/storage.objectUser"
        "uploads/" = "roles/storage.objectViewer"
      }
      queues     = keys(local.queues)
      roles      = ["roles/datastore.user"]
      signs_urls = true
    }

    sweep = {
      description = "The scheduler's targets: find and repair each minute what a crash left behind; audit the books each night."
      invokers    = [google_service_account.this["scheduler"].member]
      # The audit may take half an hour, and the sweep goes on beside it.
      limits     = { concurrency = 1, max_instances = 2, timeout_seconds = 1800 }
      objects    = {}
      queues     = ["refill", "repair"]
      roles      = ["roles/datastore.user"]
      signs_urls = false
    }

    uploads = {
      description = "Creators' pictures: a signed address, then the check by decoding."
      invokers    = local._everybody
      # A picture of 40 megapixels is 160 MB when it is open.
      limits     = { concurrency = 4, memory_mb = 1024 }
      objects    = { "uploads/" = "roles/storage.objectUser" }
      queues     = []
      roles      = ["roles/datastore.user"]
      signs_urls = true
    }
  }

  site_url = "https://${var.domain}"

  # The address that Cloud Run gives a service before it exists, so that functions can be told each other's.
  function_urls = {
    for name in keys(local.functions) : name =>
    "https://${replace(name, "_", "-")}-${data.google_project.this.number}.${var.region}.run.app"
  }

  # Vendors' accounts as every function knows them.
  vendor_environment = merge([
    for name, account in var.vendor_accounts : {
      for part, text in {
        HOSTS  = join(",", account.hosts)
        PLACES = join(",", [for pool, places in account.places : "${pool}:${places}"])
        RATES  = join(",", [for pool, submits in account.rates : "${pool}:${submits}"])
        URL    = local.vendor_urls[name]
      } : "VENDOR_${upper(name)}_${part}" => text if text != ""
    }
  ]...)

  environment = merge(
    {
      # functions-framework hands the ASGI app to uvicorn only when this is set.
      FUNCTION_USE_ASGI = "true"

      ALLOWED_ORIGINS           = local.site_url
      BLOBS                     = "gcs"
      BUCKET                    = google_storage_bucket.media.name
      FIRESTORE_DATABASE        = google_firestore_database.this.name
      GOOGLE_PROJECT            = var.project_id
      GOOGLE_REGION             = var.region
      PROFILE                   = "cloud"
      PUBLIC_URL                = local.site_url
      SCHEDULER_SERVICE_ACCOUNT = google_service_account.this["scheduler"].email
      SWEEP_URL                 = local.function_urls["sweep"]
      TASKS_SERVICE_ACCOUNT     = google_service_account.this["tasks"].email
      TASKS_URL                 = local.function_urls["run_task"]
      VERSION                   = local.bundle_hash
    },
    { for name, value in var.settings : upper(name) => value },
    local.vendor_environment,
  )
}

module "function" {
  source   = "./modules/http_function"
  for_each = local.functions

  project_id  = var.project_id
  region      = var.region
  name        = each.key
  description = each.value.description
  is_internal = local.manifest.functions[each.key].internal

  build = {
    bucket            = google_storage_bucket.source.name
    docker_repository = google_artifact_registry_repository.functions.id
    object            = google_storage_bucket_object.bundle.name
    service_account   = google_service_account.this["build"].id
  }
  environment = local.environment
  invokers    = each.value.invokers
  limits = merge(each.value.limits, {
    for name, value in try(var.limits[each.key], {}) : name => value if value != null
  })
  objects = {
    bucket = google_storage_bucket.media.name
    roles  = each.value.objects
  }
  queues = toset(each.value.queues)
  roles  = toset(each.value.roles)
  secrets = {
    for name in setunion(
      local.own_secrets[each.key],
      flatten([for kind, names in local.vendor_secrets : names if kind == local.manifest.functions[each.key].vendor_secret]),
      ) : upper(name) => {
      id      = google_secret_manager_secret.this[name].secret_id
      version = lookup(var.secret_versions, name, "latest")
    }
  }
  signs_urls      = each.value.signs_urls
  tasks_caller_id = google_service_account.this["tasks"].name

  # Roles on a queue need the queue, and a build without its roles fails.
  depends_on = [google_cloud_tasks_queue.this, google_project_iam_member.build]
}
