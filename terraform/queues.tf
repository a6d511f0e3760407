# Every queue that the code names, with the limits that the code has for it. A dispatch queue has as many places as its
# pool has slots, from the same number in shared/catalogue: the queue bounds open submits, the slots running generations.

resource "google_cloud_tasks_queue" "this" {
  for_each = local.manifest.queues

  project  = var.project_id
  location = var.region
  name     = each.key

  rate_limits {
    max_concurrent_dispatches = each.value.max_concurrent_dispatches
    max_dispatches_per_second = each.value.max_dispatches_per_second
  }

  retry_config {
    max_attempts  = each.value.max_attempts
    max_backoff   = "${each.value.max_backoff_seconds}s"
    max_doublings = 16
    min_backoff   = "${each.value.min_backoff_seconds}s"
  }
}
