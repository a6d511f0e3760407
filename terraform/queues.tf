# Every queue that the code names, with the limits that the code has for it. A dispatch queue has as many places as its
# pool has slots, from the same numbers: the queue bounds open submits, the slots running generations. A pool in which no
# account has a place keeps its queue, because the name of a deleted one is blocked for days.

locals {
  queues = {
    for name, queue in local.manifest.queues : name => merge(queue, {
      max_concurrent_dispatches = (
        queue.pool == null ? queue.max_concurrent_dispatches : max(1, local.pool_slots[queue.pool])
      )
      max_dispatches_per_second = (
        queue.pool == null
        ? queue.max_dispatches_per_second
        : min(500, max(1, local.pool_submits_per_minute[queue.pool]) / 60)
      )
    })
  }

  # Durations as the API answers them, "1s" and "0.200s": any other spelling is a change in every plan.
  _backoffs = {
    for name, queue in local.queues : name => {
      for key in ["max_backoff", "min_backoff"] : key => (
        floor(queue["${key}_seconds"]) == queue["${key}_seconds"]
        ? format("%ds", queue["${key}_seconds"])
        : format("%.3fs", queue["${key}_seconds"])
      )
    }
  }
}

resource "google_cloud_tasks_queue" "this" {
  for_each = local.queues

  project  = var.project_id
  location = var.region
  name     = each.key

  rate_limits {
    max_concurrent_dispatches = each.value.max_concurrent_dispatches
    max_dispatches_per_second = each.value.max_dispatches_per_second
  }

  retry_config {
    max_attempts  = each.value.max_attempts
    max_backoff   = local._backoffs[each.key].max_backoff
    max_doublings = 16
    min_backoff   = local._backoffs[each.key].min_backoff
  }
}
