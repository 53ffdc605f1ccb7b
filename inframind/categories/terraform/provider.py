"""Provider schemas: which resources exist, and what their blocks and attributes are."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from inframind.categories import _jsonschema

PACKAGE = "inframind.categories.terraform"
PROVIDERS = ("aws",)
BUILT_IN: dict[str, Any] = {
    "source": "terraform.io/builtin/terraform",
    "config": 0,
    "resource": {"terraform_data": 1},
    "data": {"terraform_remote_state": 2},
    "ephemeral": {},
    "types": ["dynamic", "string"],
    "blocks": [
        [{}, {}],
        [{"input": [2, 0], "output": [4, 0], "triggers_replace": [2, 0], "id": [4, 1]}, {}],
        [{"backend": [1, 1], "config": [2, 0], "defaults": [2, 0], "outputs": [4, 0], "workspace": [2, 1]}, {}],
    ],
}
REQUIRED, OPTIONAL, COMPUTED = 1, 2, 4
LIST, SET, SINGLE, MAP, GROUP = range(5)


@dataclass(frozen=True)
class BlockSchema:
    """One block: {name: [flags, type index]} and {name: [mode, min, max, block index]}."""

    provider: "Provider"
    attributes: dict[str, list[int]]
    blocks: dict[str, list[int]]

    def flags(self, name: str) -> int:
        return self.attributes[name][0]

    def type(self, name: str) -> Any:
        """The attribute's type in Terraform's JSON form, or ["nested", mode, {name: [flags, type index]}]."""
        return self.provider.data["types"][self.attributes[name][1]]

    def below(self, name: str) -> "BlockSchema":
        return self.provider.block(self.blocks[name][3])


@dataclass(frozen=True)
class Provider:
    """One provider's schema data."""

    name: str
    data: dict[str, Any]

    def block(self, index: int) -> BlockSchema:
        attributes, blocks = self.data["blocks"][index]
        return BlockSchema(self, attributes, blocks)

    def kind(self, mode: str, name: str) -> BlockSchema | None:
        """The schema of a resource, data source or ephemeral resource."""
        index = self.data[mode].get(name)
        return None if index is None else self.block(index)

    @property
    def config(self) -> BlockSchema:
        return self.block(self.data["config"])

    def nested_type(self, index: int) -> Any:
        return self.data["types"][index]


@cache
def provider(name: str) -> Provider | None:
    """The provider's schema, loaded at first use; None for a provider that is not verified."""
    if name == "terraform":
        return Provider(name, json.loads(json.dumps(BUILT_IN)))
    return Provider(name, _jsonschema.load(PACKAGE, name)) if name in PROVIDERS else None


@cache
def functions() -> dict[str, list[Any]]:
    """Function -> [number of parameters, whether more may follow]."""
    loaded: dict[str, list[Any]] = _jsonschema.load(PACKAGE, "functions")
    return loaded
