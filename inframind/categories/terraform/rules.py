"""The rules for Terraform configurations, each with its source."""

from inframind.categories.base import Rule

LANGUAGE = "https://developer.hashicorp.com/terraform/language/"
PROVIDER = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"

SYNTAX = Rule("syntax", "parse", "The text is HCL", LANGUAGE + "syntax/configuration")
EMPTY = Rule("empty", "parse", "There is at least one block", LANGUAGE)
BLOCK = Rule(
    "block", "schema", "Block types and labels are known", LANGUAGE + "syntax/configuration#blocks"
)
ARGUMENT = Rule("argument", "schema", "Arguments exist and may be set", PROVIDER)
REQUIRED = Rule("required", "schema", "Required arguments and blocks are there", PROVIDER)
TYPE = Rule("type", "schema", "Values have the argument's type", LANGUAGE + "expressions/types")
COUNT_BLOCKS = Rule("block-count", "schema", "A block stands at most as often as it may", PROVIDER)
RESOURCE_TYPE = Rule(
    "resource-type", "schema", "The resource type exists in its provider", PROVIDER
)
FOREIGN = Rule(
    "foreign-provider",
    "schema",
    "Other providers are not verified",
    LANGUAGE + "providers",
    "unsupported",
)
MODULE = Rule(
    "module-call", "schema", "Called modules are not verified", LANGUAGE + "modules", "unsupported"
)
NAME = Rule("name", "schema", "Names are identifiers", LANGUAGE + "resources/syntax")
META = Rule(
    "meta-argument",
    "schema",
    "count and for_each exclude one another and have a fitting type",
    LANGUAGE + "meta-arguments/count",
)
VALUE = Rule(
    "value", "schema", "The provider accepts the value: enumerations, formats, ranges", PROVIDER
)
NEWER = Rule(
    "newer-value",
    "schema",
    "Values newer than the known provider are not verified",
    PROVIDER,
    "unsupported",
)
TOGETHER = Rule("combination", "schema", "Arguments that need or exclude one another", PROVIDER)
STATIC = Rule(
    "static",
    "schema",
    "No references and functions where Terraform reads before it evaluates",
    LANGUAGE + "values/variables",
)
SENSITIVE = Rule(
    "sensitive-output",
    "schema",
    "Outputs of sensitive values are marked as such",
    LANGUAGE + "values/outputs#sensitive",
)
DUPLICATE = Rule(
    "duplicate", "references", "Names are declared once", LANGUAGE + "resources/syntax"
)
UNDECLARED = Rule(
    "undeclared",
    "references",
    "References lead to what is declared",
    LANGUAGE + "expressions/references",
)
ATTRIBUTE = Rule(
    "attribute", "references", "Referenced attributes exist", LANGUAGE + "expressions/references"
)
FUNCTION = Rule(
    "function",
    "references",
    "Functions exist and have their number of arguments",
    LANGUAGE + "functions",
)
CYCLE = Rule(
    "cycle",
    "references",
    "Nothing depends on itself through others",
    LANGUAGE + "resources/behavior#resource-dependencies",
)
LATE = Rule(
    "late-reference",
    "references",
    "The reference passes `terraform validate`, and no plan can resolve it; intent does not count it",
    LANGUAGE + "expressions/references",
    "warning",
)
INSTANCE = Rule(
    "instance-key",
    "references",
    "Resources with count or for_each are indexed, others are not",
    LANGUAGE + "expressions/references",
)

CIS = "https://docs.aws.amazon.com/securityhub/latest/userguide/"
OPEN_SSH = Rule(
    "open-admin-port",
    "policy",
    "SSH and RDP are not open to the world",
    CIS + "ec2-controls.html#ec2-13",
    "warning",
)
SECRET = Rule(
    "plain-secret",
    "policy",
    "No secrets in plain text",
    LANGUAGE + "values/variables#suppressing-values-in-cli-output",
    "warning",
)
ENCRYPTION = Rule(
    "unencrypted", "policy", "Storage is encrypted", CIS + "ec2-controls.html#ec2-3", "warning"
)
PUBLIC = Rule(
    "public-bucket", "policy", "Buckets are not public", CIS + "s3-controls.html#s3-2", "warning"
)
PUBLIC_DATABASE = Rule(
    "public-database",
    "policy",
    "Databases are not reachable from the internet",
    CIS + "rds-controls.html#rds-2",
    "warning",
)
METADATA = Rule(
    "imdsv1", "policy", "Instances require IMDSv2", CIS + "ec2-controls.html#ec2-8", "warning"
)
ROTATION = Rule(
    "key-rotation", "policy", "Keys are rotated", CIS + "kms-controls.html#kms-4", "warning"
)
PLAIN_HTTP = Rule(
    "plain-http",
    "policy",
    "Listeners and distributions use HTTPS",
    CIS + "elb-controls.html#elb-1",
    "warning",
)
STAR = Rule(
    "iam-star", "policy", "No policy allows everything", CIS + "iam-controls.html#iam-1", "warning"
)
EXECUTES = Rule(
    "executes", "policy", "Nothing runs local programs", LANGUAGE + "provisioners", "warning"
)

RULES = (
    SYNTAX, EMPTY, BLOCK, ARGUMENT, REQUIRED, TYPE, COUNT_BLOCKS, RESOURCE_TYPE, FOREIGN, MODULE, NAME, META, VALUE, NEWER,
    TOGETHER, STATIC, SENSITIVE, DUPLICATE, UNDECLARED, ATTRIBUTE, FUNCTION, CYCLE, LATE, INSTANCE,
    OPEN_SSH, SECRET, ENCRYPTION, PUBLIC, PUBLIC_DATABASE, STAR, EXECUTES, METADATA, ROTATION, PLAIN_HTTP,
)  # fmt: skip
