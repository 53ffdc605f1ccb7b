"""Which deep tools this machine has. All but terraform come with the extra `dev`, so a missing one
is a failure."""

from pathlib import Path

import pytest

from inframind.categories import deep_tool
from inframind.categories.terraform.deep import TerraformValidate
from inframind.sandbox.isolation import isolation


def plugins() -> Path | None:
    """A folder of Terraform providers: as the tool finds it, or where images keep a mirror."""
    own = TerraformValidate()
    if "aws" in own.providers:
        return own._plugins
    return next(
        (path.parent for path in sorted(Path("/opt").glob("*/registry.terraform.io"))), None
    )


def terraform() -> TerraformValidate:
    tool = TerraformValidate(plugins())
    if isolation() is None or tool.version() is None or "aws" not in tool.providers:
        pytest.skip(f"terraform with the AWS provider is not here: {tool.remedy}")
    return tool


def need(category: str) -> None:
    """Skips only where the kernel isolates nothing: then no tool may run."""
    tool = deep_tool(category)
    assert tool is not None
    if isolation() is None:
        pytest.skip("neither bubblewrap nor unshare can isolate a tool here")
    assert tool.version() is not None, f"{tool.name} is not here: {tool.remedy}"
