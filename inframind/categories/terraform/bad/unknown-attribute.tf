resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

output "vpc" {
  value = aws_vpc.main.vpc_id
}
