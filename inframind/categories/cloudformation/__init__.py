"""The CloudFormation category."""
