"""Dockerfiles: the instruction table of the reference, stages, and the image that comes out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inframind.categories.base import Category, Configuration, Evidence
from inframind.categories.dockerfile import instructions, rules
from inframind.categories.dockerfile.effective import configuration, stage_called, stages
from inframind.categories.dockerfile.syntax import Instruction, read
from inframind.categories.shared.formats import is_image
from inframind.categories.shared.policies import (
    downloads_to_shell,
    is_secret_variable,
    is_unpinned,
)
from inframind.types import Finding

FILENAME = re.compile(r"(?i)dockerfile|containerfile")
FIRST_STAGE = re.compile(
    r"(?i)(?:\s*(?:#.*|ARG .*)?\n)*\s*FROM +(?:--platform=\S+ +)?[\w$\"{]\S*( +AS +\S+)?\s*(\n|$)"
)


@dataclass(frozen=True)
class File:
    """Hold a parsed Dockerfile."""

    instructions: tuple[Instruction, ...]


class Dockerfile(Category[File]):
    """The category `dockerfile`."""

    id = "dockerfile"
    title = "Dockerfile"
    languages = ("dockerfile", "docker", "containerfile")
    filename = "Dockerfile"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        is_dockerfile = FILENAME.search(filename or "") or FIRST_STAGE.match(text)
        return Evidence.CERTAIN if is_dockerfile else Evidence.NONE

    def parse(self, text: str) -> File:
        return File(tuple(read(text)))

    def schema(self, document: File) -> Sequence[Finding]:
        first = next(
            (i for i in document.instructions if i.word != "ARG"), document.instructions[0]
        )
        findings = (
            []
            if first.word == "FROM"
            else [rules.FROM_FIRST.finding(f"{first.word} stands before FROM", first.line)]
        )
        return findings + [
            f for instruction in document.instructions for f in instructions.findings(instruction)
        ]

    def references(self, document: File) -> Sequence[Finding]:
        findings: list[Finding] = []
        all_stages = stages(list(document.instructions))
        names: set[str] = set()
        for stage in all_stages:
            if stage.alias and stage.alias in names:
                findings.append(
                    rules.DUPLICATE_STAGE.finding(
                        f"two stages are called {stage.alias!r}", stage.line
                    )
                )
            names.add(stage.alias or "")
            for instruction in stage.instructions:
                source = instruction.flag("from")
                if source is None or "$" in source or stage_called(all_stages, source, stage.index):
                    continue
                later = {other.alias for other in all_stages[stage.index :]}
                # Any other name is an image, which COPY may take from as well.
                if source.isdigit() or source.lower() in later or not is_image(source):
                    findings.append(
                        rules.STAGE.finding(
                            f"--from={source}: no stage of that name stands before",
                            instruction.line,
                        )
                    )
        return findings

    def effective(self, document: File) -> Configuration:
        return configuration(list(document.instructions))

    def policy(self, document: File) -> Sequence[Finding]:
        findings = [f for instruction in document.instructions for f in self._advice(instruction)]
        image = self.effective(document).resources[0].fields
        if image.get("user") in (None, "root", "0"):
            findings.append(rules.ROOT.finding("the container runs as root: add USER"))
        aliases = {stage.alias for stage in stages(list(document.instructions))}
        foreign = [
            s
            for s in stages(list(document.instructions))
            if s.image not in aliases | {"scratch"} and "$" not in s.image
        ]
        return findings + [
            rules.LATEST.finding(f"{s.image} has no fixed tag", s.line)
            for s in foreign
            if is_unpinned(s.image)
        ]

    @staticmethod
    def _advice(instruction: Instruction) -> list[Finding]:
        word, rest, line = instruction.word, instruction.rest, instruction.line
        findings = []
        if word == "MAINTAINER":
            findings.append(
                rules.MAINTAINER.finding("use LABEL org.opencontainers.image.authors", line)
            )
        # ADD fetches addresses and unpacks archives; COPY does neither.
        if word == "ADD" and not re.search(r"://|\.(tar|tgz|zip|gz|bz2|xz)|^git@", rest):
            findings.append(rules.ADD.finding("use COPY for plain files", line))
        if word == "RUN" and re.search(
            # `-qq` implies `-y` (apt-get(8)).
            r"apt-get\s+install(?![^&;|]*\s(-y|--yes|-qq|--assume-yes))",
            rest,
        ):
            findings.append(rules.APT_YES.finding("apt-get install asks a question: add -y", line))
        if word == "RUN" and downloads_to_shell(rest):
            findings.append(rules.PIPE.finding("a download is run unseen", line))
        if (
            word in ("ENV", "ARG")
            and is_secret_variable(rest.partition("=")[0])
            and rest.partition("=")[2].strip()
        ):
            findings.append(
                rules.SECRET.finding(f"{rest.partition('=')[0]} is kept in the image", line)
            )
        return findings


CATEGORY = Dockerfile()
