"""Provider schemas: which resources exist, and what their blocks and attributes are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from inframind.categories.shared import json_schema
from inframind.categories.terraform.values import shape

PACKAGE = "inframind.categories.terraform"
PROVIDERS = (
    "aws",
    "google",
    "google-beta",
    "azurerm",
    "azuread",
    "kubernetes",
    "archive",
    "cloudinit",
    "external",
    "http",
    "local",
    "null",
    "random",
    "time",
    "tls",
)
"""Those of the namespace `hashicorp` whose schemas are in `data/`."""
BUILT_IN: dict[str, Any] = {
    "source": "terraform.io/builtin/terraform",
    "config": 0,
    "resource": {"terraform_data": 1},
    "data": {"terraform_remote_state": 2},
    "ephemeral": {},
    "functions": ["decode_tfvars", "encode_expr", "encode_tfvars"],
    "types": ['"dynamic"', '"string"'],
    "blocks": [
        "[{}, {}]",
        '[{"input": [2, 0], "output": [4, 0], "triggers_replace": [2, 0], "id": [4, 1]}, {}]',
        '[{"backend": [1, 1], "config": [2, 0], "defaults": [2, 0], "outputs": [4, 0], '
        '"workspace": [2, 1]}, {}]',
    ],
}
REQUIRED, OPTIONAL, COMPUTED, SENSITIVE = 1, 2, 4, 8
"""Flags of an attribute in the files in `data/`; BUILT_IN is in the same form."""
LIST, SET, SINGLE, MAP, GROUP = 0, 1, 2, 3, 4
"""Nesting modes of blocks, as the files in `data/` number them."""


@dataclass(frozen=True)
class BlockSchema:
    """One block: {name: [flags, type index]} and {name: [mode, min, max, block index]}."""

    provider: "Provider"
    attributes: dict[str, list[int]]
    blocks: dict[str, list[int]]

    def flags(self, name: str) -> int:
        return self.attributes[name][0]

    def type(self, name: str) -> Any:
        """Decodes the attribute's type: Terraform's JSON form, or ["nested", mode, {name: [flags,
        type]}].
        """
        return self.provider.type(self.attributes[name][1])

    def below(self, name: str) -> "BlockSchema":
        return self.provider.block(self.blocks[name][3])

    def members(self, name: str) -> dict[str, Any] | None:
        """Lists of objects may be written as blocks: the objects' attributes and their types.

        None for any other name.
        """
        if name not in self.attributes or not self.flags(name) & (REQUIRED | OPTIONAL):
            return None
        kind = self.type(name)
        fits = shape(kind) in ("list", "set") and shape(kind[1]) == "object"
        attributes: dict[str, Any] | None = kind[1][1] if fits else None
        return attributes


@dataclass(frozen=True, eq=False)
class Provider:
    """One provider's schema data. Types and blocks are decoded when they are first asked for."""

    name: str
    data: dict[str, Any]
    _types: dict[int, Any] = field(default_factory=dict)
    _blocks: dict[int, BlockSchema] = field(default_factory=dict)

    def type(self, index: int) -> Any:
        """Decodes a type by its index; nested attribute types inside are resolved."""
        if index not in self._types:
            kind = json.loads(self.data["types"][index])
            if isinstance(kind, list) and kind[0] == "nested":
                kind = [
                    "nested",
                    kind[1],
                    {name: [flags, self.type(inner)] for name, (flags, inner) in kind[2].items()},
                ]
            self._types[index] = kind
        return self._types[index]

    def block(self, index: int) -> BlockSchema:
        if index not in self._blocks:
            attributes, blocks = json.loads(self.data["blocks"][index])
            self._blocks[index] = BlockSchema(self, attributes, blocks)
        return self._blocks[index]

    def kind(self, mode: str, name: str) -> BlockSchema | None:
        """Finds the schema of a resource, data source or ephemeral resource."""
        index = self.data.get(mode, {}).get(name)
        return None if index is None else self.block(index)

    def covers(self, mode: str) -> bool:
        """Tells whether the data know this mode at all.

        Data that come from bindings have no ephemeral resources.
        """
        return mode in self.data

    @property
    def config(self) -> BlockSchema:
        return self.block(self.data["config"])

    @property
    def functions(self) -> Sequence[str] | None:
        """Names for `provider::<local name>::<function>`; None where the data do not know them."""
        names: Sequence[str] | None = self.data.get("functions")
        return names


@cache
def provider(name: str) -> Provider | None:
    """Loads the provider's schema at first use; None for a provider that is not verified."""
    if name == "terraform":
        return Provider(name, BUILT_IN)
    return Provider(name, json_schema.load(PACKAGE, name)) if name in PROVIDERS else None


@cache
def functions() -> dict[str, list[Any]]:
    """Loads the signatures of Terraform's functions at first use.

    Function -> [[type, may be null] of each parameter, the same of further ones or None, type of
    the result].
    """
    loaded: dict[str, list[Any]] = json_schema.load(PACKAGE, "functions")
    return loaded
