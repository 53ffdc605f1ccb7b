resource "aws_s3_buckets" "logs" {
  bucket = "example-logs"
}
