# Reads an environment's file, so that tests hold what is deployed to its promises and not values of their own.

terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}

variable "name" {
  type = string
}

output "values" {
  value = provider::terraform::decode_tfvars(file("envs/${var.name}/terraform.tfvars"))
}
