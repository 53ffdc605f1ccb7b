resource "aws_kms_key" "data" {
  description = "Data at rest"
}
