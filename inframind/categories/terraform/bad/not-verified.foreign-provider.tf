terraform {
  required_providers {
    aws = {
      source = "example/aws" # not HashiCorp's
    }
  }
}

resource "aws_s3_bucket" "logs" {
  bucket = "example-logs"
}
