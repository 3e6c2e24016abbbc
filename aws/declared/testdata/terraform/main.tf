locals {
  modern = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
  policy = var.strict ? local.modern : var.ssl_policy
  prefix = "ELBSecurityPolicy"
}

resource "aws_lb" "shop" {
  name               = "shop-alb"
  load_balancer_type = "application"
  subnets            = data.aws_subnets.public.ids
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.shop.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = local.policy
  certificate_arn   = aws_acm_certificate.shop.arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.shop.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.shop.arn
  port              = "80"
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

# No policy: AWS's default.
resource "aws_alb_listener" "admin" {
  load_balancer_arn = aws_lb.shop.arn
  port              = 8443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.shop.arn
}

resource "aws_lb_listener" "edge" {
  for_each          = var.edge_listeners
  load_balancer_arn = aws_lb.edge.arn
  port              = each.value.port
  protocol          = "TLS"
  ssl_policy        = lookup(each.value, "ssl_policy", "${local.prefix}-TLS13-1-2-2021-06")
}

resource "aws_lb_listener" "partner" {
  load_balancer_arn = aws_lb.edge.arn
  port              = 9443
  protocol          = "TLS"
  ssl_policy        = var.partner_policy
}

resource "aws_lb_listener" "off" {
  count      = 0
  port       = 1
  protocol   = "HTTPS"
  ssl_policy = "ELBSecurityPolicy-2016-08"
}

module "web" {
  source     = "./modules/web"
  ssl_policy = "ELBSecurityPolicy-FS-1-2-Res-2020-10"
}

module "alb" {
  source  = "terraform-aws-modules/alb/aws"
  version = "9.9.0"

  listeners = {
    old     = { port = 443, ssl_policy = "ELBSecurityPolicy-FS-1-1-2019-08", certificate_arn = aws_acm_certificate.shop.arn }
    default = { port = 444 }
    plain   = { port = 80, protocol = "HTTP" }
    left    = { port = 9000 }
  }
}

module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}
