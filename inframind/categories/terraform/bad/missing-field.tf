resource "aws_subnet" "private" {
  cidr_block = "10.0.1.0/24"
}
