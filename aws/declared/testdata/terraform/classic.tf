resource "aws_elb" "legacy" {
  name = "legacy-clb"

  listener {
    instance_port      = 80
    instance_protocol  = "http"
    lb_port            = 443
    lb_protocol        = "https"
    ssl_certificate_id = "arn:aws:iam::111122223333:server-certificate/legacy"
  }

  listener {
    instance_port      = 8080
    instance_protocol  = "tcp"
    lb_port            = 8443
    lb_protocol        = "ssl"
    ssl_certificate_id = "arn:aws:iam::111122223333:server-certificate/legacy"
  }

  listener {
    instance_port      = 9090
    instance_protocol  = "tcp"
    lb_port            = 9443
    lb_protocol        = "ssl"
    ssl_certificate_id = "arn:aws:iam::111122223333:server-certificate/legacy"
  }
}

resource "aws_load_balancer_policy" "tls12" {
  load_balancer_name = aws_elb.legacy.name
  policy_name        = "legacy-tls12"
  policy_type_name   = "SSLNegotiationPolicyType"

  policy_attribute {
    name  = "Reference-Security-Policy"
    value = "ELBSecurityPolicy-TLS-1-2-2017-01"
  }
}

resource "aws_load_balancer_listener_policy" "https" {
  load_balancer_name = aws_elb.legacy.name
  load_balancer_port = 443
  policy_names       = [aws_load_balancer_policy.tls12.policy_name]
}

resource "aws_lb_ssl_negotiation_policy" "ssl" {
  name          = "legacy-custom"
  load_balancer = aws_elb.legacy.id
  lb_port       = 8443

  attribute {
    name  = "Protocol-TLSv1"
    value = "true"
  }
  attribute {
    name  = "Protocol-TLSv1.2"
    value = "true"
  }
  attribute {
    name  = "Server-Defined-Cipher-Order"
    value = "true"
  }
  attribute {
    name  = "ECDHE-RSA-AES128-GCM-SHA256"
    value = "true"
  }
  attribute {
    name  = "DES-CBC3-SHA"
    value = "true"
  }
}
