# A bucket's versioning has been a resource of its own since version 4 of the provider.
resource "aws_sqs_queue" "jobs" {
  name = "jobs"

  versioning {
    enabled = true
  }
}
