variable "build" {
  description = "Where the archive lies, who builds it, and where the image goes."
  type = object({
    bucket            = string
    docker_repository = string
    object            = string
    service_account   = string
  })
}

variable "description" {
  description = "What the function is for, in one sentence."
  type        = string
}

variable "environment" {
  description = "Plain settings by environment name."
  type        = map(string)
}

variable "invokers" {
  description = "Who may call it. There is no default on purpose."
  type        = list(string)

  validation {
    condition     = length(var.invokers) > 0
    error_message = "Say who may call the function: a service account, or allUsers."
  }
  validation {
    condition     = !var.is_internal || !anytrue([for who in var.invokers : startswith(who, "all")])
    error_message = "An internal function is called by service accounts alone."
  }
}

variable "is_internal" {
  description = "Whether only the project's own queue and scheduler reach it; otherwise the load balancer does too."
  type        = bool
}

variable "limits" {
  description = "How large it is and how far it grows."
  type = object({
    concurrency     = optional(number, 40)
    cpu             = optional(string, "1")
    max_instances   = optional(number, 20)
    memory_mb       = optional(number, 512)
    min_instances   = optional(number, 0)
    timeout_seconds = optional(number, 60)
  })
  default = {}
}

variable "name" {
  description = "The function's name in the code: its file, its target, its routes."
  type        = string
}

variable "objects" {
  description = "Roles on a bucket's objects by prefix."
  type = object({
    bucket = string
    roles  = map(string)
  })
}

variable "project_id" {
  description = "The project it runs in."
  type        = string
}

variable "queues" {
  description = "Queues that it may push to."
  type        = set(string)
}

variable "region" {
  description = "The region it runs in."
  type        = string
}

variable "roles" {
  description = "Roles on the project, beyond what the other variables give."
  type        = set(string)
}

variable "secrets" {
  description = "Secrets by environment name. It can read these and no others."
  type = map(object({
    id      = string
    version = string
  }))
}

variable "signs_urls" {
  description = "Whether it signs addresses of objects."
  type        = bool
}

variable "tasks_caller_id" {
  description = "The account that tasks are delivered with."
  type        = string
}
