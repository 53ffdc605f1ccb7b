"""The rules for Terraform configurations, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

LANGUAGE = "https://developer.hashicorp.com/terraform/language/"
PROVIDER = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"

SYNTAX = duties.SYNTAX.rule(LANGUAGE + "syntax/configuration", "HCL")
EMPTY = duties.WRONG_DOCUMENT.rule(LANGUAGE, "at least one block")
BLOCK = duties.UNKNOWN_FIELD.rule(
    LANGUAGE + "syntax/configuration#blocks", "block types and labels"
)
ARGUMENT = duties.UNKNOWN_FIELD.rule(PROVIDER, "arguments")
REQUIRED = duties.MISSING_FIELD.rule(PROVIDER, "arguments and blocks")
TYPE = duties.WRONG_TYPE.rule(LANGUAGE + "expressions/types", "arguments")
COUNT_BLOCKS = Rule("block-count", "schema", "A block stands at most as often as it may", PROVIDER)
RESOURCE_TYPE = duties.UNKNOWN_TYPE.rule(PROVIDER, "resource types of the provider")
FOREIGN = duties.NOT_VERIFIED.rule(LANGUAGE + "providers", "other providers")
MODULE = duties.NOT_VERIFIED.rule(LANGUAGE + "modules", "called modules")
NAME = duties.INVALID_NAME.rule(LANGUAGE + "resources/syntax", "identifiers")
META = duties.COMBINATION.rule(LANGUAGE + "meta-arguments/count", "count and for_each")
VALUE = duties.INVALID_VALUE.rule(
    PROVIDER, "what the provider accepts: enumerations, formats, ranges"
)
NEWER = duties.NOT_VERIFIED.rule(PROVIDER, "values newer than the known provider")
TOGETHER = duties.COMBINATION.rule(PROVIDER, "arguments")
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
DUPLICATE = duties.DUPLICATE.rule(LANGUAGE + "resources/syntax", "declarations")
UNDECLARED = duties.UNDEFINED.rule(
    LANGUAGE + "expressions/references", "resources, variables, locals and other declarations"
)
ATTRIBUTE = duties.UNKNOWN_ATTRIBUTE.rule(LANGUAGE + "expressions/references")
FUNCTION = duties.INVALID_ARGUMENTS.rule(LANGUAGE + "functions", "functions", rung="references")
CYCLE = duties.CYCLE.rule(LANGUAGE + "resources/behavior#resource-dependencies")
LATE = Rule(
    "late-reference",
    "references",
    "The reference passes `terraform validate`, and no plan can resolve it: intent ignores it",
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

OPEN_SSH = duties.OPEN_INGRESS.rule(CIS + "ec2-controls.html#ec2-13", "SSH and RDP")
SECRET = duties.PLAIN_SECRET.rule(LANGUAGE + "values/variables#suppressing-values-in-cli-output")
ENCRYPTION = duties.UNENCRYPTED.rule(CIS + "ec2-controls.html#ec2-3")
PUBLIC = duties.PUBLIC_ACCESS.rule(CIS + "s3-controls.html#s3-2", "buckets")
PUBLIC_DATABASE = duties.PUBLIC_ACCESS.rule(CIS + "rds-controls.html#rds-2", "databases")
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
STAR = duties.IAM_WILDCARD.rule(CIS + "iam-controls.html#iam-1")
EXECUTES = Rule(
    "executes", "policy", "Nothing runs local programs", LANGUAGE + "provisioners", "warning"
)

RULES = duties.declared(vars())
