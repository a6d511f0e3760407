# How much one address may ask for. The product's own limits are per account; these keep a flood off the functions.

locals {
  # The first rule that fits decides. Callbacks come in bursts from few addresses; signing in is where guessing happens.
  rate_rules = {
    sign_in = {
      expression = "request.path.startsWith('/v1/auth/')"
      priority   = 1000
    }
    hooks = {
      expression = "request.path.startsWith('/hooks/')"
      priority   = 2000
    }
    writes = {
      expression = "request.path.startsWith('/v1/') && request.method != 'GET'"
      priority   = 3000
    }
    reads = {
      expression = "request.path.startsWith('/v1/')"
      priority   = 4000
    }
  }
}

resource "google_compute_security_policy" "functions" {
  project     = var.project_id
  name        = "functions"
  description = "Rates per address. No signature rules: prompts are free text, and they would refuse honest ones."
  type        = "CLOUD_ARMOR"

  dynamic "rule" {
    for_each = local.rate_rules
    content {
      action      = "throttle"
      description = rule.key
      priority    = rule.value.priority

      match {
        expr {
          expression = rule.value.expression
        }
      }

      rate_limit_options {
        conform_action = "allow"
        enforce_on_key = "IP"
        exceed_action  = "deny(429)"

        rate_limit_threshold {
          count        = var.rates_per_minute[rule.key]
          interval_sec = 60
        }
      }
    }
  }

  rule {
    action      = "allow"
    description = "default"
    priority    = 2147483647

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}
