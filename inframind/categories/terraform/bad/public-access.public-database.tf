variable "password" {
  type      = string
  sensitive = true
}

resource "aws_db_instance" "main" {
  allocated_storage   = 20
  engine              = "postgres"
  instance_class      = "db.t3.micro"
  storage_encrypted   = true
  username            = "app"
  password            = var.password
  publicly_accessible = true
}
