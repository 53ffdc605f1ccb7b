"""The rules for CloudFormation templates, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
REFERENCE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
LINT = "https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md"
HUB = "https://docs.aws.amazon.com/securityhub/latest/userguide/"

SYNTAX = duties.SYNTAX.rule(GUIDE + "template-formats.html", "one YAML or JSON mapping")
SECTION = duties.UNKNOWN_FIELD.rule(GUIDE + "template-anatomy.html", "sections of a template")
RESOURCES = duties.MISSING_FIELD.rule(
    GUIDE + "resources-section-structure.html", "at least one resource"
)
LOGICAL = duties.INVALID_NAME.rule(
    GUIDE + "resources-section-structure.html", "logical ids are letters and digits"
)
PARAMETER = duties.INVALID_PARAMETER.rule(
    GUIDE + "parameters-section-structure.html", "with a default that fits"
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
ATTRIBUTE = duties.UNKNOWN_FIELD.rule(
    REFERENCE + "aws-product-attribute-reference.html", "attributes of resources and outputs"
)
TRANSFORM = duties.NOT_VERIFIED.rule(REFERENCE + "transform-reference.html", "transforms")
UNKNOWN = duties.UNKNOWN_TYPE.rule(
    REFERENCE + "aws-template-resource-type-ref.html", "resource types"
)
FOREIGN = duties.NOT_VERIFIED.rule(GUIDE + "registry.html", "types of third parties")
PROPERTY = duties.UNKNOWN_FIELD.rule(
    REFERENCE + "aws-template-resource-type-ref.html", "properties"
)
REQUIRED = duties.MISSING_FIELD.rule(
    REFERENCE + "aws-template-resource-type-ref.html", "properties"
)
TYPE = duties.WRONG_TYPE.rule(REFERENCE + "aws-template-resource-type-ref.html", "properties")
VALUE = duties.INVALID_VALUE.rule(REFERENCE + "aws-template-resource-type-ref.html", "properties")
NEWER = duties.NOT_VERIFIED.rule(
    REFERENCE + "aws-template-resource-type-ref.html", "values newer than the schemas"
)
COMBINATION = duties.COMBINATION.rule(LINT, "properties")
POLICY = Rule(
    "policy-document",
    "schema",
    "IAM policies have statements with effect and action",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html",
)
FUNCTION = duties.INVALID_ARGUMENTS.rule(
    REFERENCE + "intrinsic-function-reference.html", "intrinsic functions"
)
REF = duties.UNDEFINED.rule(
    REFERENCE + "intrinsic-function-reference-ref.html",
    "what `Ref`, `Fn::Sub` and `DependsOn` name",
)
GETATT = duties.UNKNOWN_ATTRIBUTE.rule(
    REFERENCE + "intrinsic-function-reference-getatt.html", "`Fn::GetAtt`"
)
IN_MAP = duties.UNDEFINED.rule(
    REFERENCE + "intrinsic-function-reference-findinmap.html",
    "the mapping and keys of `Fn::FindInMap`",
)
IF = duties.UNDEFINED.rule(REFERENCE + "intrinsic-function-reference-conditions.html", "conditions")
CYCLE = duties.CYCLE.rule(LINT, "resources and conditions")

SECRET = duties.PLAIN_SECRET.rule(GUIDE + "security-best-practices.html#creds")
NO_ECHO = duties.EXPOSED_SECRET.rule(
    GUIDE + "security-best-practices.html#creds", "secret parameters have NoEcho"
)
INGRESS = duties.OPEN_INGRESS.rule(HUB + "ec2-controls.html#ec2-13", "SSH, RDP and databases")
ENCRYPTED = duties.UNENCRYPTED.rule(HUB + "rds-controls.html#rds-3")
PUBLIC = duties.PUBLIC_ACCESS.rule(HUB + "s3-controls.html#s3-8")
WILDCARD = duties.IAM_WILDCARD.rule(HUB + "iam-controls.html#iam-1", "every action on everything")
RETAIN = Rule(
    "deletion-policy",
    "policy",
    "Data outlive their stack",
    REFERENCE + "aws-attribute-deletionpolicy.html",
    "info",
)

RULES = duties.declared(vars())
