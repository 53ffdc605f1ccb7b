resource "aws_iam_role" "app" {
  name               = "app"
  name_prefix        = "app-"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
