# Terraform and the provider. Values that differ between environments stand in envs/.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # Budgets belong to the billing account, and their API wants a project to count its calls against.
  billing_project       = var.project_id
  user_project_override = true

  default_labels = {
    app         = "reelmint"
    environment = var.environment
  }
}

data "google_project" "this" {
  project_id = var.project_id
}
