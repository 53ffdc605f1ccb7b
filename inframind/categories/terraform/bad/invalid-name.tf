resource "aws_s3_bucket" "2024 logs" {
  bucket = "example-logs"
}
