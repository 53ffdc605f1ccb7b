"""The rules for CloudFormation templates, each with its source."""

from inframind.categories.base import Rule

GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
REFERENCE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
LINT = "https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md"
HUB = "https://docs.aws.amazon.com/securityhub/latest/userguide/"

SYNTAX = Rule(
    "syntax", "parse", "The text is one YAML or JSON mapping", GUIDE + "template-formats.html"
)
SECTION = Rule(
    "section", "schema", "Sections are those of a template", GUIDE + "template-anatomy.html"
)
RESOURCES = Rule(
    "resources-required",
    "schema",
    "There is at least one resource",
    GUIDE + "resources-section-structure.html",
)
LOGICAL = Rule(
    "logical-id",
    "schema",
    "Logical ids are letters and digits",
    GUIDE + "resources-section-structure.html",
)
PARAMETER = Rule(
    "parameter",
    "schema",
    "Parameters have a type, and a default that fits it",
    GUIDE + "parameters-section-structure.html",
)
MAPPING = Rule(
    "mapping",
    "schema",
    "Mappings have two levels of keys and literal values",
    GUIDE + "mappings-section-structure.html",
)
CONDITION = Rule(
    "condition",
    "schema",
    "Conditions are condition functions",
    GUIDE + "conditions-section-structure.html",
)
OUTPUT = Rule("output", "schema", "Outputs have a value", GUIDE + "outputs-section-structure.html")
ATTRIBUTE = Rule(
    "resource-attribute",
    "schema",
    "Resources have a type and known attributes",
    REFERENCE + "aws-product-attribute-reference.html",
)
TRANSFORM = Rule(
    "transform",
    "schema",
    "Templates with transforms are not verified",
    REFERENCE + "transform-reference.html",
    "unsupported",
)
UNKNOWN = Rule(
    "unknown-type",
    "schema",
    "The resource type exists",
    REFERENCE + "aws-template-resource-type-ref.html",
)
FOREIGN = Rule(
    "foreign-type",
    "schema",
    "Types of third parties are not verified",
    GUIDE + "registry.html",
    "unsupported",
)
PROPERTY = Rule(
    "property",
    "schema",
    "The resource has the property",
    REFERENCE + "aws-template-resource-type-ref.html",
)
REQUIRED = Rule(
    "property-required",
    "schema",
    "Required properties are given",
    REFERENCE + "aws-template-resource-type-ref.html",
)
TYPE = Rule(
    "property-type",
    "schema",
    "Properties have values of their type",
    REFERENCE + "aws-template-resource-type-ref.html",
)
VALUE = Rule(
    "property-value",
    "schema",
    "Literal values are among those allowed",
    REFERENCE + "aws-template-resource-type-ref.html",
)
NEWER = Rule(
    "newer-value",
    "schema",
    "Values newer than the schemas are not verified",
    REFERENCE + "aws-template-resource-type-ref.html",
    "unsupported",
)
COMBINATION = Rule(
    "property-combination", "schema", "Properties that need or exclude one another do so", LINT
)
POLICY = Rule("policy-document", "schema", "IAM policies have statements with effect and action",
              "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html")  # fmt: skip
FUNCTION = Rule(
    "function",
    "schema",
    "Functions have arguments of their form",
    REFERENCE + "intrinsic-function-reference.html",
)

REF = Rule(
    "undefined",
    "references",
    "`Ref`, `Fn::Sub` and `DependsOn` name what is there",
    REFERENCE + "intrinsic-function-reference-ref.html",
)
GETATT = Rule(
    "attribute",
    "references",
    "`Fn::GetAtt` names an attribute of the resource",
    REFERENCE + "intrinsic-function-reference-getatt.html",
)
IN_MAP = Rule(
    "find-in-map",
    "references",
    "`Fn::FindInMap` names a mapping and its keys",
    REFERENCE + "intrinsic-function-reference-findinmap.html",
)
IF = Rule(
    "undefined-condition",
    "references",
    "Conditions that are used exist",
    REFERENCE + "intrinsic-function-reference-conditions.html",
)
CYCLE = Rule(
    "cycle", "references", "Resources and conditions do not depend on one another in a circle", LINT
)

SECRET = Rule(
    "plain-secret",
    "policy",
    "No secrets in plain text",
    GUIDE + "security-best-practices.html#creds",
    "warning",
)
NO_ECHO = Rule(
    "no-echo",
    "policy",
    "Secret parameters have NoEcho",
    GUIDE + "security-best-practices.html#creds",
    "warning",
)
INGRESS = Rule(
    "open-ingress",
    "policy",
    "SSH, RDP and databases are not open to the world",
    HUB + "ec2-controls.html#ec2-13",
    "warning",
)
ENCRYPTED = Rule(
    "encryption",
    "policy",
    "Storage and databases are encrypted",
    HUB + "rds-controls.html#rds-3",
    "warning",
)
PUBLIC = Rule(
    "public-access",
    "policy",
    "Buckets and databases are not public",
    HUB + "s3-controls.html#s3-8",
    "warning",
)
WILDCARD = Rule(
    "iam-wildcard",
    "policy",
    "No policy allows every action on everything",
    HUB + "iam-controls.html#iam-1",
    "warning",
)
RETAIN = Rule(
    "deletion-policy",
    "policy",
    "Data outlive their stack",
    REFERENCE + "aws-attribute-deletionpolicy.html",
    "info",
)

RULES = (
    SYNTAX, SECTION, RESOURCES, LOGICAL, PARAMETER, MAPPING, CONDITION, OUTPUT, ATTRIBUTE, TRANSFORM, UNKNOWN, FOREIGN, PROPERTY,
    REQUIRED, TYPE, VALUE, NEWER, COMBINATION, POLICY, FUNCTION, REF, GETATT, IN_MAP, IF, CYCLE, SECRET, NO_ECHO, INGRESS,
    ENCRYPTED, PUBLIC, WILDCARD, RETAIN,
)  # fmt: skip
