"""Modal's app as a module: it lies outside every package."""

import importlib.util
from types import ModuleType

from tests.support import ROOT


def load_modal_app() -> ModuleType:
    """docker/modal_app.py, whose functions `.local()` runs here, without an account."""
    spec = importlib.util.spec_from_file_location("modal_app", ROOT / "docker" / "modal_app.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
