"""Builds Terraform's data: schemas, and the constraints that only the providers' code knows.

`schema` reads what Terraform prints of installed providers, `cdktf` the bindings of others;
`constraints` and `details` ask `terraform validate` with thousands of probes.
"""
