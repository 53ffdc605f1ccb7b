resource "terraform_data" "setup" {
  provisioner "local-exec" {
    command = "./setup.sh"
  }
}
