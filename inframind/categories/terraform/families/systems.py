"""Task families for Terraform configurations of several AWS resources that refer to one another."""

import re
from textwrap import dedent

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity, references

FAMILIES = Families("terraform")
family = FAMILIES.family

RUNTIMES = ("python3.12", "python3.13", "nodejs22.x", "java21")
ZONES = ("eu-central-1", "us-east-1", "eu-west-1", "us-west-2")


def relabelled(answer: str) -> str:
    """The same blocks in the opposite order: Terraform does not mind."""
    return "\n\n".join(reversed(re.split(r"\n\n(?=\S)", answer.strip()))) + "\n"


def arithmetic(network: str) -> tuple[str, str]:
    """Two /24 networks inside a /16 such as 10.7.0.0/16."""
    base = network.removesuffix(".0.0/16")
    return f"{base}.1.0/24", f"{base}.2.0/24"


@family("guarded-bucket", difficulty=3)
def guarded_bucket(draw: Draw) -> Draft:
    label, name = draw.identifier(), draw.name()
    days = draw.number(31, 900)
    answer = dedent(f"""\
        resource "aws_s3_bucket" "{label}" {{
          bucket = "{name}"
        }}

        resource "aws_s3_bucket_public_access_block" "{label}" {{
          bucket                  = aws_s3_bucket.{label}.id
          block_public_acls       = true
          block_public_policy     = true
          ignore_public_acls      = true
          restrict_public_buckets = true
        }}

        resource "aws_s3_bucket_lifecycle_configuration" "{label}" {{
          bucket = aws_s3_bucket.{label}.id

          rule {{
            id     = "expire"
            status = "Enabled"
            filter {{}}
            expiration {{
              days = {days}
            }}
          }}
        }}
        """)
    block, cycle = (
        ("aws_s3_bucket_public_access_block", label),
        ("aws_s3_bucket_lifecycle_configuration", label),
    )
    public = (
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    )
    return Draft(
        wordings=(
            f"Create the bucket {name} (label {label}) that nobody outside may read or write (all four public access settings) and whose objects expire after {days} days.",
            f"s3 {name} as {label}: block all public access, lifecycle expire {days}d",
            f"We keep exports in {name} for {days} days, never public. Label everything {label}: bucket, public access block (everything true), lifecycle rule.",
        ),
        answer=answer,
        reasoning=(
            f"aws_s3_bucket {label}: {name}",
            "public access block, all four true",
            f"lifecycle: expire after {days} days",
        ),
        checks=(
            identity("aws_s3_bucket", label),
            equals("aws_s3_bucket", label, "bucket", name),
            references(*block, "bucket", "aws_s3_bucket", label),
            *(equals(*block, setting, True) for setting in public),
            references(*cycle, "bucket", "aws_s3_bucket", label),
            equals(*cycle, "rule[0].expiration[0].days", days),
            equals(*cycle, "rule[0].status", "Enabled"),
        ),
        variant=relabelled(answer).replace(
            f"bucket = aws_s3_bucket.{label}.id", f"bucket = aws_s3_bucket.{label}.bucket"
        ),
        habits=(
            ('status = "Enabled"', 'status = "Disabled"'),
            ("restrict_public_buckets = true", "restrict_public_buckets = false"),
        ),
    )


@family("queue-with-dead-letters", difficulty=3)
def queue_with_dead_letters(draw: Draw) -> Draft:
    label, dead, name, rest = draw.identifier(), draw.identifier(), draw.name(), draw.name()
    tries, keep = draw.integer(3, 9), draw.number(90_000, 1_200_000)
    answer = dedent(f"""\
        resource "aws_sqs_queue" "{dead}" {{
          name                      = "{rest}"
          message_retention_seconds = {keep}
        }}

        resource "aws_sqs_queue" "{label}" {{
          name = "{name}"
          redrive_policy = jsonencode({{
            deadLetterTargetArn = aws_sqs_queue.{dead}.arn
            maxReceiveCount     = {tries}
          }})
        }}
        """)
    return Draft(
        wordings=(
            f"Create the SQS queue {name} (label {label}); after {tries} receives a message goes to the queue {rest} (label {dead}), which keeps it {keep} seconds.",
            f"sqs {name} as {label}, DLQ {rest} as {dead}, maxReceiveCount {tries}, DLQ retention {keep}s",
            f"Messages of {name} that fail {tries} times belong in {rest} for {keep} seconds. Labels: {label} and, for the dead letters, {dead}.",
        ),
        answer=answer,
        reasoning=(
            f"queue {dead}: {rest}, {keep} s",
            f"queue {label}: {name}",
            f"redrive policy to {dead} after {tries}",
        ),
        checks=(
            identity("aws_sqs_queue", label),
            equals("aws_sqs_queue", label, "name", name),
            equals("aws_sqs_queue", dead, "name", rest),
            equals("aws_sqs_queue", dead, "message_retention_seconds", keep),
            references("aws_sqs_queue", label, "redrive_policy", "aws_sqs_queue", dead),
            equals("aws_sqs_queue", label, "redrive_policy.maxReceiveCount", tries),
        ),
        variant=relabelled(answer).replace("deadLetterTargetArn = ", '"deadLetterTargetArn" = '),
        habits=(
            (f"aws_sqs_queue.{dead}.arn", f"aws_sqs_queue.{dead}.name_prefix_arn"),
            (f"maxReceiveCount     = {tries}", f"maxReceiveCount     = {tries + 20}"),
        ),
    )


@family("function-with-role", difficulty=4)
def function_with_role(draw: Draw) -> Draft:
    label, name, role = draw.identifier(), draw.name(), draw.name()
    runtime, memory, days = (
        draw.choice(RUNTIMES),
        draw.choice((128, 256, 512, 1024)),
        draw.choice((7, 14, 30, 90)),
    )
    answer = dedent(f"""\
        data "aws_iam_policy_document" "{label}" {{
          statement {{
            actions = ["sts:AssumeRole"]
            principals {{
              type        = "Service"
              identifiers = ["lambda.amazonaws.com"]
            }}
          }}
        }}

        resource "aws_iam_role" "{label}" {{
          name               = "{role}"
          assume_role_policy = data.aws_iam_policy_document.{label}.json
        }}

        resource "aws_cloudwatch_log_group" "{label}" {{
          name              = "/aws/lambda/{name}"
          retention_in_days = {days}
        }}

        resource "aws_lambda_function" "{label}" {{
          function_name = "{name}"
          role          = aws_iam_role.{label}.arn
          runtime       = "{runtime}"
          handler       = "main.handler"
          filename      = "build/function.zip"
          memory_size   = {memory}
          depends_on    = [aws_cloudwatch_log_group.{label}]
        }}
        """)
    main = ("aws_lambda_function", label)
    policy = ("data.aws_iam_policy_document", label)
    return Draft(
        wordings=(
            f"Write the Lambda function {name} ({runtime}, {memory} MB, handler main.handler, file build/function.zip) with its role {role}, which lambda.amazonaws.com may assume "
            f"(a policy document data source), and its log group kept {days} days. Label everything {label}.",
            f"lambda {name} as {label}: {runtime}, {memory}MB, main.handler, build/function.zip; role {role} (policy document, lambda.amazonaws.com); log group /aws/lambda/{name} {days}d",
            f"{name} is a Lambda function with {memory} MB on {runtime}; its code is build/function.zip, its handler main.handler. It needs an IAM role called {role} and logs that stay {days} days; all labels {label}.",
        ),
        answer=answer,
        reasoning=(
            "policy document: lambda.amazonaws.com may assume",
            f"aws_iam_role {label}: {role}",
            f"log group /aws/lambda/{name}, {days} days",
            f"aws_lambda_function {label}: {runtime}, {memory} MB, role of {label}",
        ),
        checks=(
            identity(*main),
            equals(*main, "function_name", name),
            equals(*main, "runtime", runtime),
            equals(*main, "memory_size", memory),
            equals(*main, "handler", "main.handler"),
            equals(*main, "filename", "build/function.zip"),
            references(*main, "role", "aws_iam_role", label),
            equals("aws_iam_role", label, "name", role),
            references("aws_iam_role", label, "assume_role_policy", *policy),
            contains(*policy, "statement[].principals[].identifiers[]", "lambda.amazonaws.com"),
            contains(*policy, "statement[].actions[]", "sts:AssumeRole"),
            equals("aws_cloudwatch_log_group", label, "name", f"/aws/lambda/{name}"),
            equals("aws_cloudwatch_log_group", label, "retention_in_days", days),
        ),
        variant=relabelled(answer),
        habits=((f"aws_iam_role.{label}.arn", f'"{role}"'), ("lambda.amazonaws.com", "ec2.amazonaws.com")),
    )  # fmt: skip


@family("public-network", difficulty=4)
def public_network(draw: Draw) -> Draft:
    label, network, region = draw.identifier(), draw.cidr(), draw.choice(ZONES)
    first, _ = arithmetic(network)
    answer = dedent(f"""\
        resource "aws_vpc" "{label}" {{
          cidr_block           = "{network}"
          enable_dns_hostnames = true
        }}

        resource "aws_subnet" "{label}" {{
          vpc_id                  = aws_vpc.{label}.id
          cidr_block              = "{first}"
          availability_zone       = "{region}a"
          map_public_ip_on_launch = true
        }}

        resource "aws_internet_gateway" "{label}" {{
          vpc_id = aws_vpc.{label}.id
        }}

        resource "aws_route_table" "{label}" {{
          vpc_id = aws_vpc.{label}.id

          route {{
            cidr_block = "0.0.0.0/0"
            gateway_id = aws_internet_gateway.{label}.id
          }}
        }}

        resource "aws_route_table_association" "{label}" {{
          subnet_id      = aws_subnet.{label}.id
          route_table_id = aws_route_table.{label}.id
        }}
        """)
    return Draft(
        wordings=(
            f"Build a public network labelled {label}: VPC {network} with DNS host names, the subnet {first} in {region}a with public addresses, an internet gateway, and a route table that sends 0.0.0.0/0 to it.",
            f"terraform {label}: vpc {network} dns hostnames, public subnet {first} {region}a, igw, default route, association",
            f"Everything is called {label}. The VPC {network} has DNS host names; its subnet {first} lies in {region}a and gives public addresses; traffic to anywhere leaves by an internet gateway.",
        ),
        answer=answer,
        reasoning=(
            f"aws_vpc {label}: {network}, DNS host names",
            f"aws_subnet {label}: {first}, {region}a, public",
            "gateway, route 0.0.0.0/0 to it, association",
        ),
        checks=(
            identity("aws_vpc", label),
            equals("aws_vpc", label, "cidr_block", network),
            equals("aws_vpc", label, "enable_dns_hostnames", True),
            equals("aws_subnet", label, "cidr_block", first),
            equals("aws_subnet", label, "availability_zone", f"{region}a"),
            equals("aws_subnet", label, "map_public_ip_on_launch", True),
            references("aws_subnet", label, "vpc_id", "aws_vpc", label),
            references("aws_internet_gateway", label, "vpc_id", "aws_vpc", label),
            contains("aws_route_table", label, "route", {"cidr_block": "0.0.0.0/0"}),
            references("aws_route_table", label, "route", "aws_internet_gateway", label),
            references("aws_route_table_association", label, "subnet_id", "aws_subnet", label),
            references("aws_route_table_association", label, "route_table_id", "aws_route_table", label),
        ),
        variant=relabelled(answer),
        habits=(
            (f"gateway_id = aws_internet_gateway.{label}.id", f"gateway_id = aws_vpc.{label}.main_route_table_id"),
            ("  map_public_ip_on_launch = true\n", ""),
        ),
    )  # fmt: skip


@family("database", difficulty=4)
def database(draw: Draw) -> Draft:
    label, name, network, size = draw.identifier(), draw.name(), draw.cidr(), draw.number(21, 900)
    first, second = arithmetic(network)
    engine, port = draw.choice((("postgres", 5432), ("mysql", 3306)))
    answer = dedent(f"""\
        resource "aws_vpc" "{label}" {{
          cidr_block = "{network}"
        }}

        resource "aws_subnet" "first" {{
          vpc_id     = aws_vpc.{label}.id
          cidr_block = "{first}"
        }}

        resource "aws_subnet" "second" {{
          vpc_id     = aws_vpc.{label}.id
          cidr_block = "{second}"
        }}

        resource "aws_db_subnet_group" "{label}" {{
          name       = "{name}"
          subnet_ids = [aws_subnet.first.id, aws_subnet.second.id]
        }}

        resource "aws_security_group" "{label}" {{
          vpc_id = aws_vpc.{label}.id

          ingress {{
            from_port   = {port}
            to_port     = {port}
            protocol    = "tcp"
            cidr_blocks = ["{network}"]
          }}
        }}

        resource "aws_db_instance" "{label}" {{
          identifier                  = "{name}"
          engine                      = "{engine}"
          instance_class              = "db.t4g.medium"
          allocated_storage           = {size}
          storage_encrypted           = true
          username                    = "admin"
          manage_master_user_password = true
          db_subnet_group_name        = aws_db_subnet_group.{label}.name
          vpc_security_group_ids      = [aws_security_group.{label}.id]
          skip_final_snapshot         = true
        }}
        """)
    main = ("aws_db_instance", label)
    return Draft(
        wordings=(
            f"Create an encrypted {engine} database {name} (label {label}, db.t4g.medium, {size} GB, AWS manages the password of admin) in a new VPC {network} with the subnets {first} (label first) and "
            f"{second} (label second), their subnet group {name}, and a security group that opens {port} to the VPC only.",
            f"rds {engine} {name} as {label}: db.t4g.medium {size}GB encrypted managed password user admin; vpc {network}, subnets first {first} second {second}, subnet group {name}, sg {port} from {network}",
            f"{name} is a {engine} instance (db.t4g.medium, {size} GB, encrypted, user admin, managed master password). Network {network}, subnets first {first} and second {second}, subnet group {name}; "
            f"only {network} reaches port {port}. Use the label {label} for everything else.",
        ),
        answer=answer,
        reasoning=(f"VPC {network} with two subnets", f"subnet group {name}", f"security group: {port} from {network}", f"{engine} {name}, {size} GB, encrypted"),
        checks=(
            identity(*main),
            equals(*main, "identifier", name),
            equals(*main, "engine", engine),
            equals(*main, "instance_class", "db.t4g.medium"),
            equals(*main, "allocated_storage", size),
            equals(*main, "storage_encrypted", True),
            equals(*main, "manage_master_user_password", True),
            references(*main, "db_subnet_group_name", "aws_db_subnet_group", label),
            references(*main, "vpc_security_group_ids", "aws_security_group", label),
            equals("aws_db_subnet_group", label, "name", name),
            references("aws_db_subnet_group", label, "subnet_ids", "aws_subnet", "first"),
            references("aws_db_subnet_group", label, "subnet_ids", "aws_subnet", "second"),
            equals("aws_subnet", "first", "cidr_block", first),
            equals("aws_subnet", "second", "cidr_block", second),
            contains("aws_security_group", label, "ingress", {"from_port": port, "to_port": port, "cidr_blocks": [network]}),
            equals("aws_vpc", label, "cidr_block", network),
        ),
        variant=relabelled(answer),
        habits=(("  storage_encrypted           = true\n", ""), (f'cidr_blocks = ["{network}"]', 'cidr_blocks = ["0.0.0.0/0"]')),
    )  # fmt: skip


@family("scaling-group", difficulty=4, held_out=True)
def scaling_group(draw: Draw) -> Draft:
    label, name, machine = draw.identifier(), draw.name(), f"ami-{draw.hexadecimal(17)}"
    low, high, size = (
        draw.integer(1, 3),
        draw.integer(4, 9),
        draw.choice(("t3.small", "t3.medium", "m7g.large")),
    )
    subnet = f"subnet-{draw.hexadecimal(17)}"
    answer = dedent(f"""\
        resource "aws_launch_template" "{label}" {{
          name          = "{name}"
          image_id      = "{machine}"
          instance_type = "{size}"

          metadata_options {{
            http_tokens = "required"
          }}
        }}

        resource "aws_autoscaling_group" "{label}" {{
          name                = "{name}"
          min_size            = {low}
          max_size            = {high}
          vpc_zone_identifier = ["{subnet}"]

          launch_template {{
            id      = aws_launch_template.{label}.id
            version = "$Latest"
          }}
        }}
        """)
    group = ("aws_autoscaling_group", label)
    return Draft(
        wordings=(
            f"Run {low} to {high} machines of {machine} ({size}) in {subnet}: a launch template and an auto scaling group, both called {name} (label {label}); the metadata service requires tokens.",
            f"asg {name} as {label}: {low}-{high} x {size} {machine}, {subnet}, launch template with IMDSv2 required",
            f"The group {name} (label {label}) keeps {low} to {high} instances in {subnet}. Its launch template of the same name: {machine}, {size}, http_tokens required.",
        ),
        answer=answer,
        reasoning=(
            f"launch template {label}: {machine}, {size}, tokens required",
            f"group {label}: {low} to {high} in {subnet}",
        ),
        checks=(
            identity(*group),
            equals(*group, "name", name),
            equals(*group, "min_size", low),
            equals(*group, "max_size", high),
            contains(*group, "vpc_zone_identifier", subnet),
            references(*group, "launch_template", "aws_launch_template", label),
            equals("aws_launch_template", label, "name", name),
            equals("aws_launch_template", label, "image_id", machine),
            equals("aws_launch_template", label, "instance_type", size),
            equals("aws_launch_template", label, "metadata_options[0].http_tokens", "required"),
        ),
        variant=relabelled(answer),
        habits=(
            ('http_tokens = "required"', 'http_tokens = "optional"'),
            ("aws_launch_template", "aws_launch_configuration"),
        ),
    )


@family("tagged-resources", difficulty=3)
def tagged_resources(draw: Draw) -> Draft:
    label, table, team, name = draw.identifier(), draw.identifier(), draw.word(), draw.name()
    stage = draw.choice(("dev", "staging", "production"))
    answer = dedent(f"""\
        variable "stage" {{
          type    = string
          default = "{stage}"
        }}

        locals {{
          tags = {{
            Team  = "{team}"
            Stage = var.stage
          }}
        }}

        resource "aws_sqs_queue" "{label}" {{
          name = "{name}"
          tags = local.tags
        }}

        resource "aws_dynamodb_table" "{table}" {{
          name         = "{name}"
          billing_mode = "PAY_PER_REQUEST"
          hash_key     = "id"
          tags         = local.tags

          attribute {{
            name = "id"
            type = "S"
          }}
        }}

        output "queue_url" {{
          value = aws_sqs_queue.{label}.url
        }}
        """)
    tags = {"Team": team, "Stage": stage}
    return Draft(
        wordings=(
            f"Create the queue {name} (label {label}) and the on-demand DynamoDB table {name} (label {table}, string key id), both tagged Team={team} and Stage from the variable stage (default {stage}); put out queue_url.",
            f"tf: var stage={stage}, tags Team {team} + Stage on sqs {label} and dynamodb {table} (PAY_PER_REQUEST, key id S), both named {name}; output queue_url",
            f"Both the SQS queue {label} and the table {table} are called {name} and carry the tags Team ({team}) and Stage (variable stage, default {stage}). The table is pay-per-request with the string hash key id. Output: queue_url.",
        ),
        answer=answer,
        reasoning=(f"variable stage = {stage}", f"tags Team {team}, Stage", f"queue {label}, table {table}", "output queue_url"),
        checks=(
            identity("aws_sqs_queue", label),
            identity("aws_dynamodb_table", table),
            equals("aws_sqs_queue", label, "name", name),
            equals("aws_sqs_queue", label, "tags", tags),
            equals("aws_dynamodb_table", table, "name", name),
            equals("aws_dynamodb_table", table, "billing_mode", "PAY_PER_REQUEST"),
            equals("aws_dynamodb_table", table, "hash_key", "id"),
            equals("aws_dynamodb_table", table, "tags", tags),
            exists("variable", "stage"),
            references("output", "queue_url", "value", "aws_sqs_queue", label),
        ),
        variant=answer.replace("tags = local.tags", f'tags = {{ Team = "{team}", Stage = var.stage }}', 1),
        habits=(("PAY_PER_REQUEST", "PROVISIONED"), ("Stage = var.stage", 'Stage = "${var.environment}"')),
    )  # fmt: skip
