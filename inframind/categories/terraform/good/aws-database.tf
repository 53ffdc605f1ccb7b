variable "subnets" {
  type = set(string)
}

resource "random_password" "database" {
  length  = 32
  special = false
}

resource "aws_kms_key" "database" {
  description         = "The database at rest"
  enable_key_rotation = true
}

resource "aws_db_subnet_group" "main" {
  name       = "main"
  subnet_ids = var.subnets
}

resource "aws_db_instance" "main" {
  identifier              = "main"
  engine                  = "postgres"
  engine_version          = "16.3"
  instance_class          = "db.t4g.medium"
  allocated_storage       = 50
  storage_encrypted       = true
  kms_key_id              = aws_kms_key.database.arn
  username                = "app"
  password                = random_password.database.result
  db_subnet_group_name    = aws_db_subnet_group.main.name
  backup_retention_period = 7
  deletion_protection     = true
}

output "password" {
  value     = random_password.database.result
  sensitive = true
}
