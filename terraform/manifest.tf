# What the code says about itself: functions and routes, queues, indexes, settings. `python -m infra.manifest` writes it.

locals {
  manifest = jsondecode(file("${path.module}/manifest.json"))
}
