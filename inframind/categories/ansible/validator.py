"""Ansible playbooks and task files: keywords, modules, arguments, templates, handlers, results."""

import re
from collections.abc import Sequence

from inframind.categories.ansible import effective, policy, references, rules, structure
from inframind.categories.ansible.playbook import Playbook
from inframind.categories.base import Category, Configuration, Evidence, ParseError
from inframind.categories.shared.yaml import yaml_documents
from inframind.types import Finding

MAX_FINDINGS = 50
PLAY = re.compile(
    r"^- +(?:[\w.]+:.*\n(?:[ #].*\n|\n)*? +)?(?:hosts|(?:ansible\.builtin\.)?import_playbook):",
    re.MULTILINE,
)
# A task file has no key of its own; a module with its collection tells it from other lists.
TASK = re.compile(
    r"^ *- +name:.*\n +(?:ansible|community|amazon|kubernetes)\.\w+\.\w+:", re.MULTILINE
)
ITEM = re.compile(r"^- ", re.MULTILINE)
PLACES = re.compile(r"(?:^|/)(?:playbooks?|tasks|handlers)/|(?:^|/)(?:site|playbook)[\w-]*\.ya?ml$")


class Ansible(Category[Playbook]):
    """The category `ansible`."""

    id = "ansible"
    title = "Ansible"
    languages = ("yaml", "yml", "ansible")
    filename = "playbook.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        if PLAY.search(text):
            return Evidence.CERTAIN
        if TASK.search(text):
            return Evidence.LIKELY
        is_placed = ITEM.search(text) and PLACES.search(filename or "")
        return Evidence.POSSIBLE if is_placed else Evidence.NONE

    def parse(self, text: str) -> Playbook:
        documents = yaml_documents(text, rules.YAML)
        if len(documents) != 1 or not isinstance(documents[0], list) or not documents[0]:
            raise ParseError(
                rules.DOCUMENT.finding(
                    "the file is one list of plays or tasks: begin with `- name:`"
                )
            )
        return Playbook(text, documents[0])

    def schema(self, document: Playbook) -> Sequence[Finding]:
        return list(structure.findings(document))[:MAX_FINDINGS]

    def references(self, document: Playbook) -> Sequence[Finding]:
        return list(references.findings(document))[:MAX_FINDINGS]

    def effective(self, document: Playbook) -> Configuration:
        return effective.configuration(document)

    def policy(self, document: Playbook) -> Sequence[Finding]:
        return list(policy.findings(document))[:MAX_FINDINGS]


CATEGORY = Ansible()
