class Terraform:
    languages = ("hcl",)
