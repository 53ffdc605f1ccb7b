resource "aws_lambda_function" "report" {
  function_name = "report"
  role          = "arn:aws:iam::123456789012:role/report"
  filename      = "report.zip"
  handler       = "report.handler"
  runtime       = "python3.99"
}
