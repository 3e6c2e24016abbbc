variable "listeners" {
  type = map(object({
    port       = optional(number)
    protocol   = optional(string, "HTTPS")
    ssl_policy = optional(string)
  }))
  default = {}
}

resource "aws_lb_listener" "this" {
  for_each = { for k, v in var.listeners : k => v if v.port != 9000 }

  port       = each.value.port
  protocol   = each.value.protocol
  ssl_policy = contains(["HTTPS", "TLS"], each.value.protocol) ? coalesce(each.value.ssl_policy, "ELBSecurityPolicy-TLS13-1-2-Res-2021-06") : each.value.ssl_policy
}
