"""The rules for declined requests."""

from inframind.categories.base import Rule

CONTRACT = "https://yaml.org/spec/1.2.2/"
MODEL_SPEC = "https://owasp.org/www-project-top-10-for-large-language-model-applications/"

YAML = Rule("yaml", "parse", "The text is one YAML mapping", CONTRACT)
FIELDS = Rule(
    "fields",
    "schema",
    "There are `reason` and `subject`, both texts of one line, and nothing else",
    CONTRACT,
)
REASON = Rule("reason", "schema", "The reason is a known one", MODEL_SPEC)

RULES = (YAML, FIELDS, REASON)
