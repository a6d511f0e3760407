# Numbers that only the logs have. Messages and fields are those of the code: tests/terraform compares them.

locals {
  _logs = "resource.type=\"cloud_run_revision\""

  log_metrics = {
    # `value` makes a distribution of a number in the line; without it, lines are counted.
    books_differ = {
      description = "Wallets that do not agree with their ledger rows."
      filter      = "jsonPayload.message=\"books differ\""
      labels      = {}
    }
    due_jobs = {
      description = "Jobs whose time was up, by sweep."
      filter      = "jsonPayload.message=\"swept\""
      labels      = {}
      value       = "EXTRACT(jsonPayload.due_jobs)"
    }
    errors = {
      description = "What the code itself calls an error, by message."
      filter      = "severity>=ERROR AND jsonPayload.logger:\"shared.\""
      labels      = { message = "EXTRACT(jsonPayload.message)" }
    }
    job_endings = {
      description = "Jobs that ended or were given up, by state and reason."
      filter      = "jsonPayload.message=\"job ended\""
      labels = {
        pool     = "EXTRACT(jsonPayload.pool)"
        provider = "EXTRACT(jsonPayload.provider)"
        reason   = "EXTRACT(jsonPayload.detail)"
        state    = "EXTRACT(jsonPayload.state)"
      }
    }
    quarantined_slots = {
      description = "Places kept because a vendor may still be working, by sweep."
      filter      = "jsonPayload.message=\"swept\""
      labels      = {}
      value       = "EXTRACT(jsonPayload.quarantined_slots)"
    }
    vendor_calls = {
      description = "Calls of vendors, by how they went."
      filter      = "jsonPayload.logger=\"shared.adapters.providers.driver\" AND jsonPayload.message=~\" of .*: \""
      labels = {
        outcome  = "REGEXP_EXTRACT(jsonPayload.message, \": (answered|Vendor[A-Za-z]+)\")"
        provider = "EXTRACT(jsonPayload.provider)"
        verb     = "REGEXP_EXTRACT(jsonPayload.message, \"^([a-z_-]+) of \")"
      }
    }
  }
}

resource "google_logging_metric" "this" {
  for_each = local.log_metrics

  project         = var.project_id
  name            = each.key
  description     = each.value.description
  filter          = "${local._logs} AND ${each.value.filter}"
  value_extractor = lookup(each.value, "value", null)

  label_extractors = each.value.labels

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = can(each.value.value) ? "DISTRIBUTION" : "INT64"

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }
}

# A callback's address is what makes it trusted, so request logs must not keep it. Our own lines about it have no address.
resource "google_logging_project_exclusion" "callback_addresses" {
  project     = var.project_id
  name        = "callback-addresses"
  description = "Requests to /hooks/, whose path holds the job's code."
  filter      = "httpRequest.requestUrl:\"/hooks/\""
}
