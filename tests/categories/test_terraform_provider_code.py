"""The AWS provider's code judges while part of a resource is unknown; each verdict here is that of
`terraform validate`.
"""

import pytest

from inframind.types import Outcome, VerifyRequest
from inframind.verifier.ladder import score

STATEMENT = """
variable "arn" {{}}
data "aws_iam_policy_document" "p" {{
  statement {{
    effect    = "aLLOW"
    actions   = ["s3:GetObject"]
    resources = [{resource}]
  }}
}}
"""
SIBLING = """
variable "arn" {}
data "aws_iam_policy_document" "p" {
  statement {
    effect    = "aLLOW"
    resources = ["*"]
  }
  statement {
    resources = [var.arn]
  }
}
"""
FRAMEWORK = """
variable "arn" {{}}
resource "aws_lexv2models_bot_locale" "l" {{
  bot_id                           = var.arn
  bot_version                      = "DRAFT"
  locale_id                        = var.arn
  n_lu_intent_confidence_threshold = 0.7
  voice_settings {{
    engine   = "{engine}"
    voice_id = var.arn
  }}
}}
"""
DYNAMIC = """
variable "rules" {{}}
data "aws_iam_policy_document" "p" {{
  dynamic "statement" {{
    for_each = {items}
    content {{
      effect    = "aLLOW"
      resources = ["*"]
    }}
  }}
}}
"""
LIST = """
variable "cidr" {{}}
resource "aws_security_group_rule" "r" {{
  type              = "ingress"
  protocol          = "tcp"
  from_port         = 1
  to_port           = 1
  security_group_id = "sg-1"
  cidr_blocks       = ["not a network", {other}]
}}
"""


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (STATEMENT.format(resource='"*"'), Outcome.FAIL),
        (STATEMENT.format(resource="var.arn"), Outcome.PASS),
        (SIBLING, Outcome.PASS),
        (FRAMEWORK.format(engine="neural"), Outcome.PASS),
        (FRAMEWORK.format(engine="NOISE"), Outcome.FAIL),
        (DYNAMIC.format(items="[1]"), Outcome.FAIL),
        (DYNAMIC.format(items="var.rules"), Outcome.PASS),
        (LIST.format(other='"10.0.0.0/8"'), Outcome.FAIL),
        (LIST.format(other="var.cidr"), Outcome.PASS),
    ],
)
def test_what_is_partly_unknown(text: str, outcome: Outcome) -> None:
    verdict = score(VerifyRequest(text=text, category="terraform", format="file"))
    assert verdict.verdict is outcome, verdict.findings
