# Our accounts with media vendors: where each is, and how many generations it may run in each pool.

locals {
  # A second account with a vendor has a number: kling, kling_2.
  account_number = "/_[0-9]+$/"

  account_vendors = { for name in keys(var.vendor_accounts) : name => replace(name, local.account_number, "") }

  vendor_urls = {
    for name, account in var.vendor_accounts : name =>
    account.url != null ? account.url : local.manifest.vendors[local.account_vendors[name]].base_url
  }

  # By pool and account. The catalogue says how many, unless the account does.
  pool_places = {
    for pool, limits in local.manifest.pools : pool => {
      for name, account in var.vendor_accounts : name => lookup(account.places, pool, limits.slots)
      if local.account_vendors[name] == limits.provider
    }
  }

  pool_slots = { for pool, places in local.pool_places : pool => sum(concat([0], values(places))) }
}
