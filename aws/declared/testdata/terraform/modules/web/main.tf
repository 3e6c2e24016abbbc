variable "ssl_policy" {
  type    = string
  default = "ELBSecurityPolicy-2016-08"
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = var.load_balancer_arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.ssl_policy
}

resource "aws_lb_listener" "from_data" {
  load_balancer_arn = var.load_balancer_arn
  port              = 444
  protocol          = "HTTPS"
  ssl_policy        = data.aws_ssm_parameter.policy.value
}
