resource "aws_s3_bucket" "logs" {
  count    = 2
  for_each = toset(["a", "b"])
  bucket   = "logs"
}
