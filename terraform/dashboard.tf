# One page for the first look: is it up, does the money move, do the vendors answer, is anything piling up.

locals {
  charts = {
    "Requests by function"      = "sum by (service_name) (rate(${local._requests}}[5m]))"
    "5xx by function"           = "sum by (service_name) (rate(${local._requests},response_code_class=\"5xx\"}[5m]))"
    "Slowest in twenty, ms"     = "histogram_quantile(0.95, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{monitored_resource=\"cloud_run_revision\"}[5m])))"
    "Instances by function"     = "sum by (service_name) (run_googleapis_com:container_instance_count{monitored_resource=\"cloud_run_revision\"})"
    "Jobs that ended, by state" = "sum by (state) (increase(${local._metric.job_endings}[10m]))"
    "Refunds by reason"         = "sum by (reason) (increase(${local._metric.job_endings}{state=~\"failed|quarantined\"}[10m]))"
    "Vendor calls by outcome"   = "sum by (provider, outcome) (increase(${local._metric.vendor_calls}[10m]))"
    "Places kept in quarantine" = "sum(increase(${local._metric.quarantined_slots}_sum[10m])) / sum(increase(${local._metric.quarantined_slots}_count[10m]))"
    "Due jobs per sweep"        = "sum(increase(${local._metric.due_jobs}_sum[10m])) / sum(increase(${local._metric.due_jobs}_count[10m]))"
    "Tasks waiting, by queue"   = "max by (queue_id) (cloudtasks_googleapis_com:queue_depth{monitored_resource=\"cloud_tasks_queue\"})"
    "Errors by message"         = "sum by (message) (increase(${local._metric.errors}[10m]))"
  }
}

resource "google_monitoring_dashboard" "reelmint" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "Reelmint"
    gridLayout = {
      columns = 2
      widgets = [
        for title, query in local.charts : {
          title = title
          xyChart = {
            dataSets = [{
              plotType        = "LINE"
              timeSeriesQuery = { prometheusQuery = query }
            }]
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.this]
}
