resource "aws_sqs_queue" "jobs" {
  for_each = ["high", "low"]
  name     = each.key
}
