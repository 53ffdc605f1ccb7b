# `terraform validate` accepts it, a plan does not: the block refers to itself.
resource "aws_sqs_queue" "jobs" {
  name = "jobs"
  tags = { Queue = aws_sqs_queue.jobs.arn }
}
