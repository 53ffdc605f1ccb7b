"""The rules for declined requests."""

from inframind.categories.shared import rules as duties

CONTRACT = "https://yaml.org/spec/1.2.2/"

YAML = duties.SYNTAX.rule(CONTRACT, "one YAML mapping")
FIELDS = duties.field_rules(CONTRACT, "`reason` and `subject`, texts of one line")

RULES = duties.declared(vars())
