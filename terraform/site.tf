# One HTTPS address for everything: the studio from its bucket through the CDN, the functions by the code's own routes.

locals {
  public_functions = { for name, function in local.manifest.functions : name => function if !function.internal }

  # Unknown addresses under /v1 get a function's answer, in our own shape of error.
  _fallbacks = {
    "/hooks/" = "provider_webhook"
    "/v1/"    = "job_status"
  }

  # Names of the functions by path: where there are several, the method decides.
  _owners = transpose({ for name, function in local.public_functions : name => keys(function.routes) })

  # Keys are in alphabetical order, and "{" sorts behind every letter: a literal path comes before a pattern of its length.
  route_rules = merge([
    for name, function in local.public_functions : {
      for path, methods in function.routes : "${path} ${name}" => {
        function = name
        # Only a method shared out is matched: any other gets its own function's 405.
        methods = length(local._owners[path]) > 1 ? methods : ["any"]
        path    = path
      }
    }
  ]...)

  _hsts = "Strict-Transport-Security: max-age=31536000"

  # Media comes from signed addresses, and pictures go to them.
  _media_host = "https://storage.googleapis.com"
  _studio_policy = join("; ", [
    "default-src 'self'",
    "connect-src 'self' ${local._media_host}",
    "img-src 'self' blob: data: ${local._media_host}",
    "media-src 'self' blob: ${local._media_host}",
    "style-src 'self' 'unsafe-inline'",
    "frame-ancestors 'none'",
  ])
}

resource "google_compute_global_address" "site" {
  project = var.project_id
  name    = "site"
}

resource "google_compute_managed_ssl_certificate" "site" {
  project = var.project_id
  # Another domain is another certificate, made before the old one goes.
  name = "site-${replace(var.domain, ".", "-")}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_ssl_policy" "site" {
  project         = var.project_id
  name            = "site"
  min_tls_version = "TLS_1_2"
  profile         = "MODERN"
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = local.public_functions

  project               = var.project_id
  region                = var.region
  name                  = replace(each.key, "_", "-")
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = module.function[each.key].service
  }
}

resource "google_compute_backend_service" "function" {
  for_each = local.public_functions

  project                 = var.project_id
  name                    = replace(each.key, "_", "-")
  custom_response_headers = [local._hsts]
  load_balancing_scheme   = "EXTERNAL_MANAGED"
  protocol                = "HTTPS"
  security_policy         = google_compute_security_policy.functions.id

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_backend_bucket" "studio" {
  project          = var.project_id
  name             = "studio"
  bucket_name      = google_storage_bucket.studio.name
  compression_mode = "AUTOMATIC"
  enable_cdn       = true

  custom_response_headers = [
    "Content-Security-Policy: ${local._studio_policy}",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    local._hsts,
  ]

  # The upload says how long each file may be kept (docs/deploy.md).
  cdn_policy {
    cache_mode         = "USE_ORIGIN_HEADERS"
    request_coalescing = true
  }
}

resource "google_compute_url_map" "site" {
  project = var.project_id
  name    = "site"

  # Whoever comes by another name is sent to ours.
  default_url_redirect {
    host_redirect  = var.domain
    https_redirect = true
    strip_query    = false
  }

  host_rule {
    hosts        = [var.domain]
    path_matcher = "site"
  }

  path_matcher {
    name            = "site"
    default_service = google_compute_backend_bucket.studio.id

    dynamic "route_rules" {
      for_each = local.route_rules
      content {
        priority = 1 + index(keys(local.route_rules), route_rules.key)
        service  = google_compute_backend_service.function[route_rules.value.function].id

        dynamic "match_rules" {
          for_each = route_rules.value.methods
          content {
            full_path_match = (
              strcontains(route_rules.value.path, "{") ? null : route_rules.value.path
            )
            path_template_match = (
              strcontains(route_rules.value.path, "{") ? replace(route_rules.value.path, "/\\{[a-z_]+\\}/", "*") : null
            )

            dynamic "header_matches" {
              for_each = match_rules.value == "any" ? [] : [match_rules.value]
              content {
                header_name = ":method"
                exact_match = header_matches.value
              }
            }
          }
        }
      }
    }

    dynamic "route_rules" {
      for_each = local._fallbacks
      content {
        priority = 10000 + index(keys(local._fallbacks), route_rules.key)
        service  = google_compute_backend_service.function[route_rules.value].id

        match_rules {
          prefix_match = route_rules.key
        }
      }
    }

    # The studio has addresses of its own, like /jobs/…; a file that is not there is its start page. Without the right to
    # list, a bucket answers 403 for it.
    route_rules {
      priority = 20000
      service  = google_compute_backend_bucket.studio.id

      match_rules {
        prefix_match = "/"
      }

      custom_error_response_policy {
        error_service = google_compute_backend_bucket.studio.id

        error_response_rule {
          match_response_codes   = ["403", "404"]
          override_response_code = 200
          path                   = "/index.html"
        }
      }
    }
  }
}

resource "google_compute_target_https_proxy" "site" {
  project          = var.project_id
  name             = "site"
  ssl_certificates = [google_compute_managed_ssl_certificate.site.id]
  ssl_policy       = google_compute_ssl_policy.site.id
  url_map          = google_compute_url_map.site.id
}

resource "google_compute_global_forwarding_rule" "https" {
  project               = var.project_id
  name                  = "site-https"
  ip_address            = google_compute_global_address.site.id
  load_balancing_scheme = "EXTERNAL_MANAGED"
  port_range            = "443"
  target                = google_compute_target_https_proxy.site.id
}

resource "google_compute_url_map" "redirect" {
  project = var.project_id
  name    = "site-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "redirect" {
  project = var.project_id
  name    = "site-redirect"
  url_map = google_compute_url_map.redirect.id
}

resource "google_compute_global_forwarding_rule" "http" {
  project               = var.project_id
  name                  = "site-http"
  ip_address            = google_compute_global_address.site.id
  load_balancing_scheme = "EXTERNAL_MANAGED"
  port_range            = "80"
  target                = google_compute_target_http_proxy.redirect.id
}
