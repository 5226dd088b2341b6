# The webhook of a repository, and that of an organization. docs/cookbook/terraform.md explains it.
variable "webhook_secret" {
  type      = string
  sensitive = true
}

resource "github_repository_webhook" "shop" {
  repository = "shop"
  events     = ["issues", "push"]

  configuration {
    url          = "https://hooks.example/hooks"
    content_type = "json"
    secret       = var.webhook_secret
    insecure_ssl = false
  }
}

resource "github_organization_webhook" "all" {
  events = ["repository"]

  configuration {
    url          = "https://hooks.example/hooks"
    content_type = "json"
    secret       = var.webhook_secret
    insecure_ssl = false
  }
}
