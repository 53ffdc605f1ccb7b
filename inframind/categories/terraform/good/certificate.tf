terraform {
  required_providers {
    tls   = { source = "hashicorp/tls" }
    local = { source = "hashicorp/local" }
    time  = { source = "hashicorp/time" }
  }
}

resource "time_static" "issued" {}

resource "tls_private_key" "ca" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P384"
}

resource "tls_self_signed_cert" "ca" {
  private_key_pem       = tls_private_key.ca.private_key_pem
  is_ca_certificate     = true
  validity_period_hours = 8760
  allowed_uses          = ["cert_signing", "crl_signing"]

  subject {
    common_name  = "example.internal"
    organization = "Example ${time_static.issued.year}"
  }
}

resource "local_file" "certificate" {
  filename = "${path.module}/ca.pem"
  content  = tls_self_signed_cert.ca.cert_pem
}
