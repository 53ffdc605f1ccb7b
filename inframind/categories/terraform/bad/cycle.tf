resource "aws_security_group" "web" {
  name = "web-${aws_security_group.database.id}"
}

resource "aws_security_group" "database" {
  name = "database-${aws_security_group.web.id}"
}
