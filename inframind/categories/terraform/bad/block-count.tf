resource "aws_lambda_function" "api" {
  function_name = "api"
  role          = "arn:aws:iam::123456789012:role/api"
  filename      = "api.zip"
  handler       = "index.handler"
  runtime       = "nodejs20.x"

  dead_letter_config {
    target_arn = "arn:aws:sqs:eu-central-1:123456789012:first"
  }

  dead_letter_config {
    target_arn = "arn:aws:sqs:eu-central-1:123456789012:second"
  }
}
