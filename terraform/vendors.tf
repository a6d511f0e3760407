# Our accounts with media vendors: where each is, how many generations it may run in each pool, and how fast it may start them.

locals {
  # A second account with a vendor has a number: kling, kling_2.
  account_number = "/_[0-9]+$/"

  account_vendors = { for name in keys(var.vendor_accounts) : name => replace(name, local.account_number, "") }

  vendor_urls = {
    for name, account in var.vendor_accounts : name =>
    account.url != null ? account.url : local.manifest.vendors[local.account_vendors[name]].base_url
  }

  # Of all accounts of a pool together. The catalogue says how many, unless the account does.
  pool_slots = {
    for pool, limits in local.manifest.pools : pool => sum(concat([0], [
      for name, account in var.vendor_accounts : lookup(account.places, pool, limits.slots)
      if local.account_vendors[name] == limits.provider
    ]))
  }
  pool_submits_per_minute = {
    for pool, limits in local.manifest.pools : pool => sum(concat([0], [
      for name, account in var.vendor_accounts : lookup(account.rates, pool, limits.submits_per_minute)
      if local.account_vendors[name] == limits.provider
    ]))
  }
}
