resource "aws_sqs_queue" "jobs" {
  name               = "jobs"
  visibility_timeout = 60 # visibility_timeout_seconds
}
