# One HTTP function with its own account, exactly the roles that it needs, and who may call it.

locals {
  # Cloud Run takes no underscores.
  service = replace(var.name, "_", "-")

  # Signed addresses are signed by IAM in the function's own name; there is no key to leak.
  signer = var.signs_urls ? { SIGNING_SERVICE_ACCOUNT = google_service_account.this.email } : {}
}

resource "google_service_account" "this" {
  project      = var.project_id
  account_id   = "fn-${local.service}"
  display_name = var.description
}

resource "google_project_iam_member" "roles" {
  for_each = var.roles

  project = var.project_id
  role    = each.key
  member  = google_service_account.this.member
}

resource "google_cloud_tasks_queue_iam_member" "pushes" {
  for_each = var.queues

  project  = var.project_id
  location = var.region
  name     = each.key
  role     = "roles/cloudtasks.enqueuer"
  member   = google_service_account.this.member
}

# A task carries a token of the tasks' account; whoever queues one must be allowed to act as it.
resource "google_service_account_iam_member" "acts_as_tasks" {
  for_each = length(var.queues) > 0 ? toset(["tasks"]) : toset([])

  service_account_id = var.tasks_caller_id
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this.member
}

resource "google_service_account_iam_member" "signs" {
  for_each = var.signs_urls ? toset(["itself"]) : toset([])

  service_account_id = google_service_account.this.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.this.member
}

resource "google_storage_bucket_iam_member" "objects" {
  for_each = var.objects.roles

  bucket = var.objects.bucket
  role   = each.value
  member = google_service_account.this.member

  # Without the right to list the bucket, an object that is not there is answered 403 and not 404.
  condition {
    title = "only ${each.key}"
    expression = join(" || ", [
      "resource.type == \"storage.googleapis.com/Bucket\"",
      "resource.name.startsWith(\"projects/_/buckets/${var.objects.bucket}/objects/${each.key}\")",
    ])
  }
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = var.secrets

  project   = var.project_id
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this.member
}

resource "google_cloudfunctions2_function" "this" {
  project     = var.project_id
  location    = var.region
  name        = local.service
  description = var.description

  build_config {
    runtime           = "python311"
    entry_point       = var.name
    docker_repository = var.build.docker_repository
    service_account   = var.build.service_account

    source {
      storage_source {
        bucket = var.build.bucket
        object = var.build.object
      }
    }
  }

  service_config {
    available_cpu                    = var.limits.cpu
    available_memory                 = "${var.limits.memory_mb}Mi"
    all_traffic_on_latest_revision   = true
    environment_variables            = merge(var.environment, local.signer)
    ingress_settings                 = var.is_internal ? "ALLOW_INTERNAL_ONLY" : "ALLOW_INTERNAL_AND_GCLB"
    max_instance_count               = var.limits.max_instances
    max_instance_request_concurrency = var.limits.concurrency
    min_instance_count               = var.limits.min_instances
    service_account_email            = google_service_account.this.email
    timeout_seconds                  = var.limits.timeout_seconds

    dynamic "secret_environment_variables" {
      for_each = var.secrets
      content {
        key        = secret_environment_variables.key
        project_id = var.project_id
        secret     = secret_environment_variables.value.id
        version    = secret_environment_variables.value.version
      }
    }
  }

  # A revision that cannot read its secrets does not start.
  depends_on = [google_secret_manager_secret_iam_member.reads]
}

# A binding, not a member: whoever was allowed by hand loses it with the next apply.
resource "google_cloud_run_v2_service_iam_binding" "invokers" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  members  = var.invokers
}
