resource "aws_sqs_queue" "jobs" {
  count = 2
  name  = "jobs-${count.index}"
}

output "queue" {
  value = aws_sqs_queue.jobs.arn
}
