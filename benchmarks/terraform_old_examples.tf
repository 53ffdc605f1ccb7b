resource "aws_s3_bucket_versioning" "old" {
  bucket = "a-bucket"

  versioning {
    enabled = true
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "old" {
  bucket = "a-bucket"

  rule {
    id      = "old"
    enabled = true
  }
}

resource "aws_db_instance" "old" {
  name              = "orders"
  engine            = "mysql"
  instance_class    = "db.t3.micro"
  allocated_storage = 20
}

resource "aws_instance" "old" {
  ami                = "ami-0abcdef1234567890"
  instance_type      = "t3.micro"
  security_group_ids = ["sg-0123456789abcdef0"]
}

resource "aws_launch_template" "old" {
  image_id      = "ami-0abcdef1234567890"
  instance_type = "t3.micro"

  root_block_device {
    volume_size = 20
  }
}

resource "aws_elasticache_replication_group" "old" {
  replication_group_id          = "sessions"
  replication_group_description = "Sessions"
  number_cache_clusters         = 2
}

resource "aws_ecs_cluster" "old" {
  name               = "main"
  capacity_providers = ["FARGATE"]
}

resource "aws_ecs_task_definition" "old" {
  family = "web"

  container_definitions {
    name  = "web"
    image = "nginx"
  }
}

resource "aws_secretsmanager_secret" "old" {
  name          = "password"
  secret_string = "to be changed"
}

resource "aws_sns_topic_subscription" "old" {
  topic    = "arn:aws:sns:eu-west-1:123456789012:news"
  protocol = "email"
  endpoint = "ops@example.com"
}

resource "aws_dynamodb_table" "old" {
  name     = "orders"
  hash_key = "id"

  attributes {
    name = "id"
    type = "S"
  }
}

resource "aws_cloudwatch_metric_alarm" "old" {
  alarm_name  = "errors"
  metric_name = "Errors"
  namespace   = "AWS/Lambda"
  threshold   = 1
}

resource "aws_vpc" "old" {
  cidr_block         = "10.0.0.0/16"
  enable_classiclink = false
}

resource "aws_security_group" "old" {
  name = "web"

  ingress {
    port        = 80
    protocol    = "tcp"
    cidr_blocks = "0.0.0.0/0"
  }
}

resource "aws_iam_role" "old" {
  name = "main"

  assume_role_policy {
    service = "lambda.amazonaws.com"
  }
}

resource "aws_lambda_function" "old" {
  function_name = "main"
  handler       = "app.handler"
  runtime       = "python3.12"
  filename      = "main.zip"

  environment_variables = {
    TABLE = "orders"
  }
}

resource "aws_lb_listener" "old" {
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
  port              = 80
  protocol          = "HTTP"
}

resource "aws_route53_record" "old" {
  zone_id = "Z0123456789ABC"
  name    = "www"
  type    = "A"

  alias {
    name    = "example.com"
    zone_id = "Z0123456789ABC"
  }
}

data "aws_ami" "old" {
  owners = ["amazon"]

  filter = {
    name   = "name"
    values = ["al2023-*"]
  }
}

data "aws_subnet_ids" "old" {
  vpc_id = "vpc-0123456789abcdef0"
}
