"""Task families for Terraform with the AWS provider."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, identity, references

FAMILIES = Families("terraform")
family = FAMILIES.family

INSTANCE_TYPES = ("t3.micro", "t3.small", "t3.medium", "m5.large", "c5.xlarge")
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1")


def old_tags(name: str) -> tuple[str, str]:
    """Terraform 0.11 wrote maps as blocks."""
    return (f'  tags = {{\n    Name = "{name}"\n  }}', f'  tags {{\n    Name = "{name}"\n  }}')


@family("s3-bucket", difficulty=1)
def s3_bucket(draw: Draw) -> Draft:
    label, name, team = draw.identifier(), draw.name(), draw.word()
    answer = f'resource "aws_s3_bucket" "{label}" {{\n  bucket = "{name}"\n\n  tags = {{\n    Team = "{team}"\n  }}\n}}\n'
    return Draft(
        wordings=(
            f"Create an S3 bucket resource {label} for the bucket {name}, tagged Team = {team}.",
            f"terraform s3 bucket {name}, label {label}, tag Team={team}",
            f"Write Terraform for the bucket {name} of team {team} (tag Team). Call the resource {label}.",
        ),
        answer=answer,
        reasoning=(f"aws_s3_bucket {label}, bucket {name}", f"tag Team {team}"),
        checks=(
            identity("aws_s3_bucket", label),
            equals("aws_s3_bucket", label, "bucket", name),
            equals("aws_s3_bucket", label, "tags.Team", team),
        ),
        variant=f'locals {{\n  team = "{team}"\n}}\n\nresource "aws_s3_bucket" "{label}" {{\n  bucket = "{name}"\n  tags = {{ Team = local.team }}\n}}\n',
        habits=(("  tags = {", "  tags {"), ("  bucket =", "  name   =")),
    )


@family("s3-versioning", difficulty=2)
def s3_versioning(draw: Draw) -> Draft:
    label, name = draw.identifier(), draw.name()
    bucket = f'resource "aws_s3_bucket" "{label}" {{\n  bucket = "{name}"\n}}\n'
    rest = (
        f'\nresource "aws_s3_bucket_versioning" "{label}" {{\n  bucket = aws_s3_bucket.{label}.id\n\n'
        '  versioning_configuration {\n    status = "Enabled"\n  }\n}\n'
    )
    inline = f'resource "aws_s3_bucket" "{label}" {{\n  bucket = "{name}"\n\n  versioning {{\n    enabled = true\n  }}\n}}\n'
    kind = "aws_s3_bucket_versioning"
    return Draft(
        wordings=(
            f"Create the S3 bucket {name} (label {label}) and enable versioning with an aws_s3_bucket_versioning resource of the same label.",
            f"s3 bucket {name} as {label}, versioning on through aws_s3_bucket_versioning.{label}",
            f"The bucket {name} needs versioning, as a separate aws_s3_bucket_versioning resource. Use the label {label} for both.",
        ),
        answer=bucket + rest,
        reasoning=(
            f"aws_s3_bucket {label}, bucket {name}",
            "aws_s3_bucket_versioning with status Enabled",
        ),
        checks=(
            identity("aws_s3_bucket", label),
            equals("aws_s3_bucket", label, "bucket", name),
            identity(kind, label),
            equals(kind, label, "versioning_configuration[0].status", "Enabled"),
            references(kind, label, "bucket", "aws_s3_bucket", label),
        ),
        variant=bucket + rest.replace(".id\n", ".bucket\n"),
        habits=((bucket + rest, inline), ('    status = "Enabled"', "    enabled = true")),
    )


@family("instance", difficulty=1)
def instance(draw: Draw) -> Draft:
    label, ami, kind, name = (
        draw.identifier(),
        f"ami-{draw.hexadecimal(8)}",
        draw.choice(INSTANCE_TYPES),
        draw.name(),
    )
    answer = (
        f'resource "aws_instance" "{label}" {{\n  ami           = "{ami}"\n  instance_type = "{kind}"\n\n'
        f'  tags = {{\n    Name = "{name}"\n  }}\n}}\n'
    )
    return Draft(
        wordings=(
            f"Create an EC2 instance {label} of type {kind} from {ami} with the Name tag {name}.",
            f"ec2 {label}: {kind}, {ami}, Name={name}",
            f"Start a {kind} machine from the image {ami}. The Terraform label is {label} and the tag Name is {name}.",
        ),
        answer=answer,
        reasoning=(f"aws_instance {label}, {kind}", f"{ami}, Name {name}"),
        checks=(
            identity("aws_instance", label),
            equals("aws_instance", label, "ami", ami),
            equals("aws_instance", label, "instance_type", kind),
            equals("aws_instance", label, "tags.Name", name),
        ),
        variant=answer.replace(f'"{kind}"', "var.size")
        + f'\nvariable "size" {{\n  type    = string\n  default = "{kind}"\n}}\n',
        habits=(old_tags(name), ("instance_type =", "type          =")),
    )


@family("encrypted-volume", difficulty=1)
def encrypted_volume(draw: Draw) -> Draft:
    label, size, region = draw.identifier(), draw.number(11, 950), draw.choice(REGIONS)
    answer = (
        f'resource "aws_ebs_volume" "{label}" {{\n  availability_zone = "{region}a"\n  size              = {size}\n'
        "  encrypted         = true\n}\n"
    )
    return Draft(
        wordings=(
            f"Create an encrypted EBS volume {label} of {size} GB in {region}a.",
            f"ebs volume {label}, {size} GB, {region}a, encrypted",
            f"We need a disk of {size} GB in the zone {region}a, encrypted at rest. Name the aws_ebs_volume {label}.",
        ),
        answer=answer,
        reasoning=(f"aws_ebs_volume {label} in {region}a", f"size {size}, encrypted"),
        checks=(
            identity("aws_ebs_volume", label),
            equals("aws_ebs_volume", label, "availability_zone", f"{region}a"),
            equals("aws_ebs_volume", label, "size", size),
            equals("aws_ebs_volume", label, "encrypted", True),
        ),
        variant=answer.replace("  encrypted ", '  type              = "gp3"\n  encrypted '),
        habits=(("  encrypted         = true\n", ""), ("availability_zone", "zone")),
    )


@family("vpc", difficulty=1)
def vpc(draw: Draw) -> Draft:
    label, cidr, name = draw.identifier(), draw.cidr(), draw.name()
    answer = (
        f'resource "aws_vpc" "{label}" {{\n  cidr_block           = "{cidr}"\n  enable_dns_hostnames = true\n\n'
        f'  tags = {{\n    Name = "{name}"\n  }}\n}}\n'
    )
    return Draft(
        wordings=(
            f"Create a VPC {label} with the network {cidr}, DNS hostnames and the Name tag {name}.",
            f"vpc {label} {cidr}, dns hostnames on, Name={name}",
            f"Write an aws_vpc called {label} for {cidr}. DNS hostnames are enabled and its Name is {name}.",
        ),
        answer=answer,
        reasoning=(f"aws_vpc {label} with {cidr}", f"enable_dns_hostnames, Name {name}"),
        checks=(
            identity("aws_vpc", label),
            equals("aws_vpc", label, "cidr_block", cidr),
            equals("aws_vpc", label, "enable_dns_hostnames", True),
            equals("aws_vpc", label, "tags.Name", name),
        ),
        habits=(old_tags(name), ("cidr_block          ", "cidr                ")),
    )


@family("subnet", difficulty=2)
def subnet(draw: Draw) -> Draft:
    label, network, cidr = draw.identifier(), draw.cidr(), draw.cidr(24)
    answer = (
        f'resource "aws_vpc" "{label}" {{\n  cidr_block = "{network}"\n}}\n\nresource "aws_subnet" "{label}" {{\n'
        f'  vpc_id     = aws_vpc.{label}.id\n  cidr_block = "{cidr}"\n}}\n'
    )
    return Draft(
        wordings=(
            f"Create a VPC {label} with {network} and in it a subnet {label} with {cidr}.",
            f"vpc {label} {network} + subnet {label} {cidr}",
            f"Write Terraform for the network {network} with one subnet {cidr}; both resources are labelled {label}.",
        ),
        answer=answer,
        reasoning=(
            f"aws_vpc {label} with {network}",
            f"aws_subnet {label} with {cidr} in that VPC",
        ),
        checks=(
            identity("aws_vpc", label),
            equals("aws_vpc", label, "cidr_block", network),
            identity("aws_subnet", label),
            equals("aws_subnet", label, "cidr_block", cidr),
            references("aws_subnet", label, "vpc_id", "aws_vpc", label),
        ),
        habits=(
            (f"aws_vpc.{label}.id", f'"{label}"'),
            (f"aws_vpc.{label}.id", f"aws_vpc.{label}.vpc_id"),
        ),
    )


@family("security-group", difficulty=2)
def security_group(draw: Draw) -> Draft:
    label, name, port, cidr = draw.identifier(), draw.name(), draw.port(), draw.cidr()
    answer = (
        f'resource "aws_security_group" "{label}" {{\n  name = "{name}"\n\n  ingress {{\n    from_port   = {port}\n'
        f'    to_port     = {port}\n    protocol    = "tcp"\n    cidr_blocks = ["{cidr}"]\n  }}\n}}\n'
    )
    kind = "aws_security_group"
    return Draft(
        wordings=(
            f"Create a security group {label} named {name} that lets TCP port {port} in from {cidr}.",
            f"security group {label}, name {name}, tcp {port} from {cidr}",
            f"Allow {cidr} to reach port {port} over TCP. Write the aws_security_group {label}; its name is {name}.",
        ),
        answer=answer,
        reasoning=(f"aws_security_group {label}, name {name}", f"ingress tcp {port} from {cidr}"),
        checks=(
            identity(kind, label),
            equals(kind, label, "name", name),
            equals(kind, label, "ingress[0].from_port", port),
            equals(kind, label, "ingress[0].to_port", port),
            contains(kind, label, "ingress[0].cidr_blocks", cidr),
        ),
        habits=(
            (f'cidr_blocks = ["{cidr}"]', f'cidr_blocks = "{cidr}"'),
            ("from_port   =", "port        ="),
        ),
    )


@family("dynamodb-table", difficulty=2)
def dynamodb_table(draw: Draw) -> Draft:
    label, name, key = draw.identifier(), draw.name(), draw.word()
    answer = (
        f'resource "aws_dynamodb_table" "{label}" {{\n  name         = "{name}"\n  billing_mode = "PAY_PER_REQUEST"\n'
        f'  hash_key     = "{key}"\n\n  attribute {{\n    name = "{key}"\n    type = "S"\n  }}\n}}\n'
    )
    kind = "aws_dynamodb_table"
    return Draft(
        wordings=(
            f"Create a DynamoDB table {name} (label {label}) with on-demand billing and the string hash key {key}.",
            f"dynamodb {name} as {label}, PAY_PER_REQUEST, hash key {key} (S)",
            f"Write an aws_dynamodb_table {label}: the table is {name}, paid per request, its hash key {key} is a string.",
        ),
        answer=answer,
        reasoning=(
            f"aws_dynamodb_table {label}, name {name}",
            f"PAY_PER_REQUEST, hash_key {key} of type S",
        ),
        checks=(
            identity(kind, label),
            equals(kind, label, "name", name),
            equals(kind, label, "billing_mode", "PAY_PER_REQUEST"),
            equals(kind, label, "hash_key", key),
            equals(kind, label, "attribute[0].type", "S"),
        ),
        habits=(
            ("  attribute {", "  attribute = {"),
            ('  billing_mode = "PAY_PER_REQUEST"\n', "  read_capacity = 5\n"),
        ),
    )


@family("queue", difficulty=1)
def queue(draw: Draw) -> Draft:
    label, name, seconds = draw.identifier(), draw.name(), draw.number(31, 900)
    answer = (
        f'resource "aws_sqs_queue" "{label}" {{\n  name                       = "{name}"\n'
        f"  visibility_timeout_seconds = {seconds}\n}}\n"
    )
    return Draft(
        wordings=(
            f"Create an SQS queue {name} (label {label}) with a visibility timeout of {seconds} seconds.",
            f"sqs {name} as {label}, visibility timeout {seconds}",
            f"A queue called {name}, hidden messages come back after {seconds} seconds. Label the aws_sqs_queue {label}.",
        ),
        answer=answer,
        reasoning=(f"aws_sqs_queue {label}, name {name}", f"visibility_timeout_seconds {seconds}"),
        checks=(
            identity("aws_sqs_queue", label),
            equals("aws_sqs_queue", label, "name", name),
            equals("aws_sqs_queue", label, "visibility_timeout_seconds", seconds),
        ),
        habits=(
            ("visibility_timeout_seconds", "visibility_timeout"),
            ("  name   ", "  queue_name   "),
        ),
    )


@family("variable", difficulty=1)
def variable(draw: Draw) -> Draft:
    label, default = draw.identifier(), draw.name()
    answer = f'variable "{label}" {{\n  type    = string\n  default = "{default}"\n}}\n'
    return Draft(
        wordings=(
            f"Declare a Terraform variable {label} of type string with the default {default}.",
            f"variable {label}, string, default {default}",
            f"Write an input variable called {label}. It is a string, and {default} unless it is set.",
        ),
        answer=answer,
        reasoning=(f"variable {label} of type string", f"default {default}"),
        checks=(identity("variable", label), equals("variable", label, "default", default)),
        variant=answer.replace(
            "  type    = string\n", '  type        = string\n  description = "Set by us."\n'
        ),
        habits=(("= string", '= "string"'), ("default =", "value   =")),
    )


@family("provider", difficulty=1)
def provider(draw: Draw) -> Draft:
    region, name = draw.choice(REGIONS), draw.name()
    answer = f'provider "aws" {{\n  region  = "{region}"\n  profile = "{name}"\n}}\n'
    return Draft(
        wordings=(
            f"Configure the AWS provider for {region} with the profile {name}.",
            f"aws provider, region {region}, profile {name}",
            f"Write the Terraform provider block for AWS: we work in {region} and use the profile {name}.",
        ),
        answer=answer,
        reasoning=(f"provider aws in {region}", f"profile {name}"),
        checks=(
            identity("provider", "aws"),
            equals("provider", "aws", "region", region),
            equals("provider", "aws", "profile", name),
        ),
        habits=(('provider "aws" {', 'provider "aws" = {'), ("  region ", "  aws_region ")),
    )


@family("log-group", difficulty=1)
def log_group(draw: Draw) -> Draft:
    label, name, days = draw.identifier(), draw.path(), draw.choice((7, 14, 30, 60, 90, 365))
    answer = f'resource "aws_cloudwatch_log_group" "{label}" {{\n  name              = "{name}"\n  retention_in_days = {days}\n}}\n'
    kind = "aws_cloudwatch_log_group"
    return Draft(
        wordings=(
            f"Create a CloudWatch log group {name} (label {label}) that keeps logs for {days} days.",
            f"log group {name} as {label}, retention {days} days",
            f"Logs go to {name} and are deleted after {days} days. Write the aws_cloudwatch_log_group {label}.",
        ),
        answer=answer,
        reasoning=(f"aws_cloudwatch_log_group {label}, name {name}", f"retention_in_days {days}"),
        checks=(
            identity(kind, label),
            equals(kind, label, "name", name),
            equals(kind, label, "retention_in_days", days),
        ),
        habits=(("retention_in_days", "retention_days"), (f"= {days}\n", f'= "{days} days"\n')),
    )


@family("topic-subscription", difficulty=3)
def topic_subscription(draw: Draw) -> Draft:
    label, name, queue_name = draw.identifier(), draw.name(), draw.name()
    answer = (
        f'resource "aws_sns_topic" "{label}" {{\n  name = "{name}"\n}}\n\nresource "aws_sqs_queue" "{label}" {{\n'
        f'  name = "{queue_name}"\n}}\n\nresource "aws_sns_topic_subscription" "{label}" {{\n'
        f'  topic_arn = aws_sns_topic.{label}.arn\n  protocol  = "sqs"\n  endpoint  = aws_sqs_queue.{label}.arn\n}}\n'
    )
    kind = "aws_sns_topic_subscription"
    return Draft(
        wordings=(
            f"Create an SNS topic {name}, an SQS queue {queue_name} and a subscription of the queue to the topic, all labelled {label}.",
            f"sns {name} -> sqs {queue_name}, labels {label}",
            f"Messages of the topic {name} shall land in the queue {queue_name}. Write the three resources with the label {label}.",
        ),
        answer=answer,
        reasoning=(
            f"aws_sns_topic {name}, aws_sqs_queue {queue_name}",
            "aws_sns_topic_subscription from topic to queue",
        ),
        checks=(
            equals("aws_sns_topic", label, "name", name),
            equals("aws_sqs_queue", label, "name", queue_name),
            identity(kind, label),
            equals(kind, label, "protocol", "sqs"),
            references(kind, label, "topic_arn", "aws_sns_topic", label),
            references(kind, label, "endpoint", "aws_sqs_queue", label),
        ),
        habits=((f"aws_sns_topic.{label}.arn", f'"{label}"'),),
    )


@family("repository", difficulty=1, held_out=True)
def repository(draw: Draw) -> Draft:
    label, name = draw.identifier(), draw.name()
    answer = f'resource "aws_ecr_repository" "{label}" {{\n  name                 = "{name}"\n  image_tag_mutability = "IMMUTABLE"\n}}\n'
    kind = "aws_ecr_repository"
    return Draft(
        wordings=(
            f"Create an ECR repository {name} (label {label}) with immutable tags.",
            f"ecr {name} as {label}, tags immutable",
            f"Write an aws_ecr_repository {label} for {name}; nobody may move a tag (IMMUTABLE).",
        ),
        answer=answer,
        reasoning=(f"aws_ecr_repository {label}, name {name}", "image_tag_mutability IMMUTABLE"),
        checks=(
            identity(kind, label),
            equals(kind, label, "name", name),
            equals(kind, label, "image_tag_mutability", "IMMUTABLE"),
        ),
    )


@family("topic", difficulty=1, held_out=True)
def topic(draw: Draw) -> Draft:
    label, name = draw.identifier(), draw.name()
    answer = f'resource "aws_sns_topic" "{label}" {{\n  name = "{name}"\n}}\n'
    return Draft(
        wordings=(
            f"Create an SNS topic {name} with the label {label}.",
            f"sns topic {name} as {label}",
            f"Write an aws_sns_topic {label}; the topic is called {name}.",
        ),
        answer=answer,
        reasoning=(f"aws_sns_topic {label}", f"name {name}"),
        checks=(identity("aws_sns_topic", label), equals("aws_sns_topic", label, "name", name)),
    )


@family("internet-gateway", difficulty=2, held_out=True)
def internet_gateway(draw: Draw) -> Draft:
    label, network = draw.identifier(), draw.cidr()
    answer = (
        f'resource "aws_vpc" "{label}" {{\n  cidr_block = "{network}"\n}}\n\n'
        f'resource "aws_internet_gateway" "{label}" {{\n  vpc_id = aws_vpc.{label}.id\n}}\n'
    )
    return Draft(
        wordings=(
            f"Create a VPC {label} with {network} and an internet gateway {label} attached to it.",
            f"vpc {label} {network} + internet gateway {label}",
            f"The network {network} needs a way out: write the VPC and its internet gateway, both labelled {label}.",
        ),
        answer=answer,
        reasoning=(f"aws_vpc {label} with {network}", f"aws_internet_gateway {label} in that VPC"),
        checks=(
            identity("aws_vpc", label),
            equals("aws_vpc", label, "cidr_block", network),
            identity("aws_internet_gateway", label),
            references("aws_internet_gateway", label, "vpc_id", "aws_vpc", label),
        ),
    )
