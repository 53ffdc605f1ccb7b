"""All rules: those of the categories, the verifier's own, and the tools' that deep checks ask.

The pages of docs/rules, the validation of `--policy` and the rules of a SARIF log come from here.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from inframind.categories import category, vocabulary
from inframind.categories.base import Rule
from inframind.categories.shared.rules import DUTIES
from inframind.errors import DataError
from inframind.types import RUNGS

LIMITS = "docs/verify.md#rules-of-the-verifier-itself"
FENCES = "https://spec.commonmark.org/0.31.2/#fenced-code-blocks"
VERDICT = "docs/contracts/verdict.md"

OWN = (
    Rule("guard-size", "extract", "A text has at most 200,000 bytes", LIMITS),
    Rule("guard-lines", "extract", "A text has at most 10,000 lines", LIMITS),
    Rule("guard-line-length", "extract", "A line has at most 20,000 characters", LIMITS),
    Rule("guard-encoding", "extract", "A text is UTF-8", LIMITS),
    Rule("guard-nul", "extract", "A text has no NUL", LIMITS),
    Rule("guard-depth", "extract", "Brackets are nested at most 60 deep", LIMITS),
    Rule("guard-digits", "extract", "A number has at most 400 digits", LIMITS),
    Rule("think-unclosed", "extract", "Thoughts end before the answer", LIMITS),
    Rule("no-fence", "extract", "An answer has a fenced block", FENCES),
    Rule("fence-unclosed", "extract", "The fenced block is closed", FENCES),
    Rule("several-fences", "extract", "An answer has one fenced block", FENCES),
    Rule("wrong-language", "extract", "The block's label is one of the category's", FENCES),
    Rule("unknown-category", "extract", "A category recognises the text", LIMITS),
    Rule("checker-deadline", "parse", "Checking ends within its processor time", LIMITS),
    Rule("checker-memory", "parse", "Checking ends within its memory", LIMITS),
    Rule("checker-crash", "parse", "Checking does not crash: no fault of the text", LIMITS),
    Rule("policy-deadline", "intent", "Rego policies end within the processor time", LIMITS),
    Rule("policy-memory", "intent", "Rego policies end within the memory", LIMITS),
    Rule("check-failed", "intent", "The checks of the request hold", "docs/contracts/task.md"),
    Rule("verifier-unavailable", "parse", "The environment can judge", VERDICT),
    Rule("tool-unavailable", "schema", "The tool of the deep check is there", "docs/verify.md"),
    Rule(
        "fast-deep-gap",
        "schema",
        "The fast checks refuse what the tool accepts",
        "docs/verify.md#deep-checks",
        "warning",
    ),
)
"""Rules that every category's texts meet."""

TOOLS = (
    Rule(
        "terraform-validate",
        "schema",
        "terraform validate accepts the text",
        "https://developer.hashicorp.com/terraform/cli/commands/validate",
    ),
    Rule("hadolint", "schema", "hadolint reads the text", "https://github.com/hadolint/hadolint"),
    Rule(
        "actionlint", "schema", "actionlint accepts the text", "https://github.com/rhysd/actionlint"
    ),
    Rule("zizmor", "policy", "zizmor has no advice", "https://docs.zizmor.sh/", "warning"),
    Rule(
        "cfn-lint",
        "schema",
        "cfn-lint accepts the text",
        "https://github.com/aws-cloudformation/cfn-lint",
    ),
    Rule("checkov", "policy", "checkov has no advice", "https://www.checkov.io/", "warning"),
    Rule(
        "ansible-syntax-check",
        "schema",
        "ansible-playbook --syntax-check accepts the text",
        "https://docs.ansible.com/projects/ansible/latest/cli/ansible-playbook.html",
    ),
)
"""Rules under which the tools of `--deep` report."""


def validate_policies(policies: Sequence[str]) -> None:
    """Checks that each is a policy rule of some category; where another has it, it counts there.

    Raises DataError naming the field, the nearest rule and those that exist.
    """
    for index, policy in enumerate(policies):
        validate_policy(policy, f"policies.{index}")


def validate_policy(policy: str, field: str) -> None:
    """Checks one policy rule, which the caller wrote in `field`. Raises as `validate_policies`."""
    # A rule may be a policy in one category and count always in another: one is enough.
    words = vocabulary()
    policies = sorted(name for name, users in words.items() if _is_policy(users))
    if policy in policies:
        return
    why = (
        f"{policy!r} is no policy rule: it counts always"
        if policy in words
        else f"no category has a policy rule {policy[:64]!r}"
    )
    # Cut, as the comparison costs the product of the lengths, and the name is a stranger's.
    near = get_close_matches(policy[:64], policies, 1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise DataError(f"{field}: {why}{hint} There are: {', '.join(policies)}", param=field)


def _is_policy(users: Mapping[str, Sequence[Rule]]) -> bool:
    return any(rule.rung == "policy" for rules in users.values() for rule in rules)


def rule_named(name: str, category_id: str | None) -> Rule | None:
    """The rule of that id: the category's, else one that all texts meet, else a tool's."""
    # The category's own first: it has the source that its users know.
    candidates = (*(category(category_id).rules if category_id else ()), *OWN, *TOOLS)
    return next((rule for rule in candidates if rule.id == name), None)


def summary_of(rule: Rule) -> str:
    """Gives what the rule's id asks for in every category that has it."""
    return DUTIES[rule.id].summary if rule.id in DUTIES else rule.summary


def category_page(name: str) -> str:
    """Writes the rules of a category as a Markdown page. Raises ConfigError for an unknown one."""
    kind = category(name)
    return _page(
        f"Rules: {kind.title}",
        "Rules of the rungs below `policy` decide the verdict; policy rules inform, unless a "
        "request lists them.",
        ("rule", "rung", "severity", "what must hold", "origin"),
        (
            (f"`{rule.id}`", rule.rung, rule.severity, rule.summary, f"[source]({rule.source})")
            for rule in kind.rules
        ),
    )


def index_page() -> str:
    """Writes all rule ids as a Markdown page, with the categories that have them."""
    words = vocabulary()
    ordered = sorted(words, key=lambda name: (RUNGS.index(_first(words[name]).rung), name))
    return _page(
        "Rules",
        "One duty has one id in every category that has it. `inframind verify --policy ID` makes a "
        "policy rule count; the others count always.",
        ("rule", "rung", "what must hold", "categories"),
        (
            (
                f"`{name}`",
                ", ".join(_rungs(words[name])),
                summary_of(_first(words[name])),
                ", ".join(f"[{user}]({user}.md)" for user in words[name]),
            )
            for name in ordered
        ),
    )


def _first(users: Mapping[str, Sequence[Rule]]) -> Rule:
    return next(iter(users.values()))[0]


def _rungs(users: Mapping[str, Sequence[Rule]]) -> list[str]:
    used = {rule.rung for rules in users.values() for rule in rules}
    return [rung for rung in RUNGS if rung in used]


def _page(title: str, note: str, head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    table = [head, ["---"] * len(head), *rows]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join((f"# {title}", "", note, "", *lines, ""))
