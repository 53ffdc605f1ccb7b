"""The Terraform category."""
