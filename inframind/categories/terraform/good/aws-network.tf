terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }

  backend "s3" {
    bucket = "example-state"
    key    = "network.tfstate"
    region = "eu-central-1"
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "zones" {
  type    = list(string)
  default = ["a", "b", "c"]

  validation {
    condition     = length(var.zones) > 1
    error_message = "Name at least two zones."
  }
}

locals {
  tags = {
    Environment = terraform.workspace
    ManagedBy   = "terraform"
  }
  private = { for index, zone in var.zones : zone => cidrsubnet(aws_vpc.main.cidr_block, 4, index) }
}

resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "private" {
  for_each = local.private

  vpc_id            = aws_vpc.main.id
  availability_zone = "${var.region}${each.key}"
  cidr_block        = each.value

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "web" {
  name        = "web"
  description = "HTTPS from the world"
  vpc_id      = aws_vpc.main.id

  dynamic "ingress" {
    for_each = toset([443, 8443])

    content {
      description = "HTTPS"
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

output "subnets" {
  description = "Private subnets by zone"
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}
