"""The registry: one line per category; all else is found in its folder when first asked for.

To add a category, write a folder and its line in `CATEGORIES`. The folder holds `validator.py` with
`CATEGORY`, `families/` with `FAMILIES`, examples in `good/` and `bad/`, and, where there is
something to say, `deep.py` with `TOOL` and `rubric.txt`. The folder of `github-actions` is
`github_actions`.
"""

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from inframind.categories.base import Category, Evidence, Rule
from inframind.categories.shared.linters import DeepTool
from inframind.errors import ConfigError


@dataclass(frozen=True)
class CategoryPackage:
    """The folder of one category, and what stands in it."""

    id: str
    parent: str = "inframind.categories"
    """The package that the folder lies in."""
    foundation: str | None = None
    """The category whose objects this one's texts hold: on equal evidence this one is meant."""

    @property
    def name(self) -> str:
        """The package's dotted name: the folder is the id with `_` for `-`."""
        return f"{self.parent}.{self.id.replace('-', '_')}"

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return Path(str(files(self.name)))

    @cached_property
    def category(self) -> Category[Any]:
        """The parser and its questions."""
        validator = importlib.import_module(f"{self.name}.validator")
        instance: Category[Any] = validator.CATEGORY
        return instance

    @cached_property
    def deep_tool(self) -> DeepTool | None:
        """The category's own tool, installed or not; None where there is none."""
        # Asked before the import: an ImportError inside deep.py must not pass for a missing tool.
        if importlib.util.find_spec(f"{self.name}.deep") is None:
            return None
        tool: DeepTool = importlib.import_module(f"{self.name}.deep").TOOL
        return tool

    @property
    def families(self) -> Any:
        """The bench's `Families` of the category."""
        return importlib.import_module(f"{self.name}.families").FAMILIES

    @property
    def rubric(self) -> str:
        """The text of `rubric.txt`, empty where there is none."""
        file = self.folder / "rubric.txt"
        return file.read_text() if file.is_file() else ""

    def examples(self, kind: str) -> list[Path]:
        """Lists the files in `good` or `bad`, in the order of their names."""
        return sorted((self.folder / kind).glob("*"))


CATEGORIES: dict[str, CategoryPackage] = {
    package.id: package
    for package in (
        CategoryPackage("terraform"),
        CategoryPackage("cloudformation"),
        CategoryPackage("kubernetes"),
        CategoryPackage("dockerfile"),
        CategoryPackage("compose"),
        CategoryPackage("github-actions"),
        CategoryPackage("gitlab-ci"),
        CategoryPackage("jenkins"),
        CategoryPackage("mlops", foundation="kubernetes"),
        CategoryPackage("ansible"),
        CategoryPackage("prometheus"),
        CategoryPackage("grafana"),
        CategoryPackage("helm", foundation="kubernetes"),
        CategoryPackage("decline"),
    )
}
"""In this order the bench interleaves their families and detection breaks ties."""


def package(name: str) -> CategoryPackage:
    """Finds the package of the category of that id. Raises ConfigError with the known ids."""
    entry = CATEGORIES.get(name)
    if entry is None:
        raise ConfigError(
            f"unknown category {name!r}; known: {', '.join(CATEGORIES)}", param="category"
        )
    return entry


def category(name: str) -> Category[Any]:
    """Finds the category of that id. Raises ConfigError with the known ids."""
    return package(name).category


def deep_tool(name: str) -> DeepTool | None:
    """Finds the deep check of a category, installed or not; None where there is none."""
    return CATEGORIES[name].deep_tool if name in CATEGORIES else None


def detect(text: str, filename: str | None) -> str | None:
    """Finds the category that sees the strongest evidence in a text, or None. Loads every category.

    On equal evidence the first in `CATEGORIES` wins, but a category goes before its foundation.
    """
    evidence = {name: category(name).detect(text, filename) for name in CATEGORIES}
    best = max(evidence.values())
    if best is Evidence.NONE:
        return None
    candidates = [name for name, strength in evidence.items() if strength is best]
    foundations = {CATEGORIES[name].foundation for name in candidates}
    return next(name for name in candidates if name not in foundations)


def vocabulary() -> dict[str, dict[str, tuple[Rule, ...]]]:
    """Lists the rule ids of all categories: id -> category -> its rules of that id.

    Loads every category.
    """
    words: dict[str, dict[str, tuple[Rule, ...]]] = {}
    for name in CATEGORIES:
        for rule in category(name).rules:
            users = words.setdefault(rule.id, {})
            users[name] = (*users.get(name, ()), rule)
    return words
