variable "alert_email" {
  description = "Who is told when an alert fires or the budget is used up."
  type        = string
}

variable "billing_account" {
  description = "The billing account to watch with a budget; without one there is no budget."
  type        = string
  default     = null
}

variable "budget_units" {
  description = "What a month may cost, in whole units of the billing account's currency."
  type        = number
  default     = 100
}

variable "bundle_path" {
  description = "The functions' archive. Its name in the bucket is its content's hash."
  type        = string
  default     = "../build/functions.zip"
}

variable "database_location" {
  description = "Firestore's location, for ever. The region unless it says otherwise; a multi-region (eur3, nam5) costs twice."
  type        = string
  default     = null
}

variable "domain" {
  description = "The one host name of studio and API."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+\\.[a-z]+$", var.domain))
    error_message = "A host name in lower case, without https:// and without a path."
  }
}

variable "environment" {
  description = "The environment's name."
  type        = string
}

variable "is_protected" {
  description = "Whether database, secrets and media refuse to be deleted. Only a throw-away environment says no."
  type        = bool
  default     = true
}

variable "limits" {
  description = "Sizes and instances by function, over the ones in functions.tf."
  type = map(object({
    concurrency     = optional(number)
    cpu             = optional(string)
    max_instances   = optional(number)
    memory_mb       = optional(number)
    min_instances   = optional(number)
    timeout_seconds = optional(number)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.limits), keys(local.functions))) == 0
    error_message = "limits names a function that does not exist."
  }
}

variable "project_id" {
  description = "The project; one per environment."
  type        = string
}

variable "rates_per_minute" {
  description = "Requests a minute that one address may send, by kind; more are answered 429."
  type = object({
    hooks   = optional(number, 6000)
    reads   = optional(number, 600)
    sign_in = optional(number, 20)
    writes  = optional(number, 120)
  })
  default = {}
}

variable "region" {
  description = "Where everything runs that is not global."
  type        = string
  default     = "europe-west1"
}

variable "retention_days" {
  description = "How long things are kept: backups, deleted media, results before they move to colder storage, uploads."
  type = object({
    backups         = optional(number, 30)
    deleted_media   = optional(number, 7)
    results_at_hand = optional(number, 30)
    uploads         = optional(number, 30)
  })
  default = {}
}

variable "secret_versions" {
  description = "Pinned versions by secret. Without one a new instance reads the latest."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.secret_versions), local.secrets)) == 0
    error_message = "secret_versions names a secret that does not exist."
  }
}

variable "settings" {
  description = "Plain settings of shared/config.py by name, over their defaults."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.settings), local.manifest.settings.plain)) == 0
    error_message = "settings names something that shared/config.py does not have, or that is a secret."
  }
}

variable "stuck_jobs_max" {
  description = "Due jobs that a sweep may find, on average over ten minutes, before somebody is told."
  type        = number
  default     = 20
}

variable "vendor_accounts" {
  description = "Accounts with media vendors by name: the vendor's, or that and a number (kling, kling_2). Address, places and submits per minute by pool are the code's unless they are given; hosts are more places where results may come from."
  type = map(object({
    has_webhook_secrets = optional(bool, false)
    hosts               = optional(list(string), [])
    places              = optional(map(number), {})
    rates               = optional(map(number), {})
    url                 = optional(string)
  }))
  default = {}

  validation {
    condition = alltrue([
      for name in keys(var.vendor_accounts) :
      contains(keys(local.manifest.vendors), replace(name, local.account_number, ""))
    ])
    error_message = "vendor_accounts names a vendor that shared/catalogue does not have."
  }

  validation {
    condition = alltrue([
      for name, account in var.vendor_accounts : startswith(
        account.url != null ? account.url : try(local.manifest.vendors[replace(name, local.account_number, "")].base_url, "https://"),
        "https://",
      )
    ])
    error_message = "The address of a vendor begins with https://."
  }

  validation {
    condition = alltrue(flatten([
      for name, account in var.vendor_accounts : [
        for counts in [account.places, account.rates] : [
          for pool, count in counts : (
            try(local.manifest.pools[pool].provider, "") == replace(name, local.account_number, "")
            && count >= 1 && count == floor(count)
          )
        ]
      ]
    ]))
    error_message = "places or rates name a pool that the vendor does not have, or no whole number above zero."
  }
}
