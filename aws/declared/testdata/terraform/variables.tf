variable "strict" {
  type    = bool
  default = false
}

variable "ssl_policy" {
  type    = string
  default = "ELBSecurityPolicy-TLS-1-1-2017-01"
}

variable "partner_policy" {
  type = string
}

variable "edge_listeners" {
  default = {
    api    = { port = 443 }
    legacy = { port = 8883, ssl_policy = "ELBSecurityPolicy-TLS13-1-0-2021-06" }
  }
}
