# Where the state lies; the bucket is named by envs/*/backend.hcl.

terraform {
  backend "gcs" {
    prefix = "reelmint"
  }
}
