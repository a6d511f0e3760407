# What wakes somebody. Each alert has a section of the same name in docs/operate.md that says what to do.

locals {
  _slots    = sum(values(local.pool_slots))
  _run_task = "service_name=\"run-task\""
  _requests = "run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\""

  # PromQL over Cloud Monitoring: a metric's name with its first slash as a colon and everything else as an underscore.
  _metric = { for name in keys(local.log_metrics) : name => "logging_googleapis_com:user_${name}" }

  alerts = {
    books_differ = {
      severity = "CRITICAL"
      seconds  = 0
      query    = "sum(increase(${local._metric.books_differ}[1h])) > 0"
    }
    errors = {
      severity = "ERROR"
      seconds  = 0
      query    = "sum by (message) (increase(${local._metric.errors}[10m])) > 0"
    }
    quarantined_slots = {
      severity = "WARNING"
      seconds  = 300
      # A place is kept for about 40 minutes, so this many are kept now: more than one in twenty.
      query = "sum(increase(${local._metric.job_endings}{state=\"quarantined\"}[40m])) > ${max(1, local._slots * 0.05)}"
    }
    queue_backlog = {
      severity = "WARNING"
      seconds  = 900
      query    = "max by (queue_id) (cloudtasks_googleapis_com:queue_depth{monitored_resource=\"cloud_tasks_queue\"}) > 1000"
    }
    refunds = {
      severity = "ERROR"
      seconds  = 600
      # At least five, so that one unlucky job at night is no alert.
      query = join(" and ", [
        "sum(increase(${local._metric.job_endings}{state=~\"failed|quarantined\"}[30m])) / sum(increase(${local._metric.job_endings}[30m])) > 0.2",
        "sum(increase(${local._metric.job_endings}{state=~\"failed|quarantined\"}[30m])) >= 5",
      ])
    }
    server_errors = {
      severity = "ERROR"
      seconds  = 300
      query = join(" and ", [
        "sum(rate(${local._requests},service_name!=\"run-task\",response_code_class=\"5xx\"}[5m])) / sum(rate(${local._requests},service_name!=\"run-task\"}[5m])) > 0.02",
        "sum(increase(${local._requests},service_name!=\"run-task\",response_code_class=\"5xx\"}[5m])) >= 5",
      ])
    }
    site_down = {
      severity = "CRITICAL"
      seconds  = 120
      query    = "avg(avg_over_time(monitoring_googleapis_com:uptime_check_check_passed{monitored_resource=\"uptime_url\"}[5m])) < 0.5"
    }
    stuck_jobs = {
      severity = "ERROR"
      seconds  = 600
      # Sweeps find a late job now and then. Finding many, sweep after sweep, means that repairs do not work.
      query = "sum(increase(${local._metric.due_jobs}_sum[10m])) / sum(increase(${local._metric.due_jobs}_count[10m])) > ${var.stuck_jobs_max}"
    }
    sweep_stopped = {
      severity = "CRITICAL"
      seconds  = 0
      query    = "(sum(increase(${local._requests},service_name=\"sweep\",response_code_class=\"2xx\"}[5m])) or vector(0)) < 1"
    }
    tasks_again = {
      severity = "WARNING"
      seconds  = 900
      # 500 is how a task asks to come again; many for long means that something outside is down.
      query = "sum(rate(${local._requests},${local._run_task},response_code_class=\"5xx\"}[10m])) / sum(rate(${local._requests},${local._run_task}}[10m])) > 0.2"
    }
    vendor_busy = {
      severity = "WARNING"
      seconds  = 600
      # The pool's number of places promises the vendor never to send more than it takes.
      query = "sum by (provider) (increase(${local._metric.vendor_calls}{verb=\"submit\",outcome=\"VendorBusy\"}[10m])) >= 3"
    }
    vendor_errors = {
      severity = "ERROR"
      seconds  = 300
      query = join(" and ", [
        "sum by (provider) (increase(${local._metric.vendor_calls}{outcome!=\"answered\"}[10m])) / sum by (provider) (increase(${local._metric.vendor_calls}[10m])) > 0.25",
        "sum by (provider) (increase(${local._metric.vendor_calls}{outcome!=\"answered\"}[10m])) >= 5",
      ])
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  project      = var.project_id
  display_name = "Operators"
  type         = "email"

  labels = {
    email_address = var.alert_email
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  project               = var.project_id
  display_name          = replace(each.key, "_", " ")
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]
  severity              = each.value.severity

  conditions {
    display_name = replace(each.key, "_", " ")

    condition_prometheus_query_language {
      duration            = "${each.value.seconds}s"
      evaluation_interval = "60s"
      query               = each.value.query

      # A metric that nothing has written yet is no mistake.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = "What to do: docs/operate.md, section `${each.key}`."
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.this]
}

# A public call that runs a function.
resource "google_monitoring_uptime_check_config" "site" {
  project      = var.project_id
  display_name = "site"
  period       = "60s"
  timeout      = "10s"

  http_check {
    path         = "/v1/models"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      host       = var.domain
      project_id = var.project_id
    }
  }
}

resource "google_billing_budget" "month" {
  for_each = var.billing_account == null ? toset([]) : toset(["month"])

  billing_account = var.billing_account
  display_name    = "Reelmint ${var.environment}"

  amount {
    specified_amount {
      units = tostring(var.budget_units)
    }
  }

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  dynamic "threshold_rules" {
    for_each = {
      "half"     = { basis = "CURRENT_SPEND", percent = 0.5 }
      "most"     = { basis = "CURRENT_SPEND", percent = 0.9 }
      "all"      = { basis = "CURRENT_SPEND", percent = 1.0 }
      "forecast" = { basis = "FORECASTED_SPEND", percent = 1.2 }
    }
    content {
      spend_basis       = threshold_rules.value.basis
      threshold_percent = threshold_rules.value.percent
    }
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }
}
