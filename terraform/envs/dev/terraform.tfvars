# A throw-away installation: everything scales to nothing, and everything may be deleted.

alert_email  = "dev@reelmint.example"
domain       = "dev.reelmint.example"
environment  = "dev"
is_protected = false
project_id   = "reelmint-dev"

retention_days = {
  backups         = 7
  deleted_media   = 1
  results_at_hand = 7
  uploads         = 7
}
