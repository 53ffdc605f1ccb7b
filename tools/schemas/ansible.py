"""Builds `data/*.json.gz`: keywords, plugin names and module arguments, read as facts from the
packages ansible-core and ansible.

Names, types, choices and combinations are facts of interfaces; no text of the sources
(GPL-3.0-or-later) is copied.

pip install ansible==12.3.0
python -m tools.schemas.ansible
"""

import ast
import importlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ryaml

from inframind.categories.ansible import catalog
from tools.data import write

COLLECTIONS = (
    "amazon.aws", "ansible.posix", "ansible.utils", "ansible.windows", "community.aws",
    "community.crypto", "community.docker", "community.general", "community.grafana",
    "community.hashi_vault", "community.libvirt", "community.mongodb", "community.mysql",
    "community.postgresql", "community.rabbitmq", "community.windows", "containers.podman",
    "hetzner.hcloud", "kubernetes.core",
)  # fmt: skip
COMBINATIONS = (
    "mutually_exclusive",
    "required_one_of",
    "required_together",
    "required_if",
    "required_by",
)
PLUGINS = ("filter", "test", "lookup")
OBJECTS = {
    "play": ("play", "Play"),
    "task": ("task", "Task"),
    "handler": ("handler", "Handler"),
    "block": ("block", "Block"),
    "role": ("role.include", "RoleInclude"),
    "import_playbook": ("playbook_include", "PlaybookInclude"),
    "loop_control": ("loop_control", "LoopControl"),
}


def option(spec: dict[str, Any]) -> dict[str, Any]:
    """One option: what is not usual (type str, optional).

    Action plugins state no type and take anything.
    """
    kept: dict[str, Any] = {}
    if spec.get("type", "raw") != "str":
        kept["type"] = spec.get("type", "raw")
    # What the environment may give is not required of the task.
    if spec.get("required") in (True, "true", "True", "yes") and "environment var" not in str(
        spec.get("description")
    ):
        kept["required"] = True
    choices = spec.get("choices")
    if choices and "*regex*" not in choices:
        kept["choices"] = list(choices)
    kept |= {key: spec[key] for key in ("elements", "aliases") if spec.get(key)}
    nested = spec.get("suboptions") or spec.get("options")
    return kept | ({"options": options(nested)} if nested else {})


def options(specs: dict[str, Any]) -> dict[str, Any]:
    """All options of a module or of a nested mapping."""
    return {str(name): option(spec) for name, spec in specs.items()}


def combinations(source: str) -> dict[str, Any]:
    """Literal `mutually_exclusive`, `required_if` ... of a module with exactly one argument
    spec.
    """
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and any(keyword.arg == "argument_spec" for keyword in node.keywords)
    ]
    literals: dict[str, Any] = {}
    # In a module with several specs nobody can tell which call a literal belongs to.
    for keyword in calls[0].keywords if len(calls) == 1 else ():
        if keyword.arg in COMBINATIONS:
            try:
                literals[keyword.arg] = ast.literal_eval(keyword.value)
            except ValueError:
                continue
    return literals


def module(path: Path, collection: str, loaders: Any) -> dict[str, Any] | None:
    """Options and combinations of one module, fragments resolved; None if it documents none."""
    documentation = importlib.import_module("ansible.utils.plugin_docs")
    # A module that is not Python (PowerShell) has its documentation in a YAML file beside it.
    beside = next(
        (path.with_suffix(end) for end in (".yml", ".yaml") if path.with_suffix(end).exists()), path
    )
    doc = documentation.get_docstring(
        str(beside), loaders.fragment_loader, collection_name=collection, plugin_type="module"
    )[0]
    if not doc:
        return None
    specs = options(doc.get("options") or {})
    free = [name for name in ("free_form", "free-form", "key_value", "raw_params") if name in specs]
    source = path.with_suffix(".py")
    result: dict[str, Any] = {
        "options": {name: spec for name, spec in specs.items() if name not in free}
    }
    result |= combinations(source.read_text()) if source.exists() else {}
    for name, spec in (doc.get("options") or {}).items():
        # A default matters to validity only where a combination asks for the option's value.
        if spec.get("default") not in (None, "") and name in str(
            [(result | catalog.EXTRA.get(path.stem, {})).get(key) for key in COMBINATIONS]
        ):
            result["options"][name]["default"] = spec["default"]
    return result


def modules(folder: Path, collection: str) -> dict[str, Any]:
    """Every module of a folder by short name."""
    loaders = importlib.import_module("ansible.plugins.loader")
    by_name = {}
    for path in sorted({path.with_suffix(".py") for path in folder.glob("*.*")}):
        # Ansible marks a deprecated plugin by an underscore before its name.
        hidden = path.stem.startswith("_") or not any(
            path.with_suffix(end).exists() for end in (".py", ".yml", ".yaml")
        )
        spec = None if hidden else module(path, collection, loaders)
        if spec is not None:
            by_name[path.stem] = spec
    return by_name


def plugins(folder: Path) -> dict[str, list[str]]:
    """Names of filters, tests and lookups of a plugin folder."""
    return {
        kind: sorted(
            {path.stem for path in (folder / kind).glob("*.*") if path.suffix in (".yml", ".py")}
            - {"__init__"}
        )
        for kind in PLUGINS
    }


def routes(path: Path, collection: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    """({kind: {old name: full name}}, modules that were removed) of a `runtime.yml`."""
    routing = (
        (ryaml.loads(path.read_text()) or {}).get("plugin_routing", {}) if path.exists() else {}
    )
    moved: dict[str, dict[str, str]] = {}
    for kind, singular in (
        ("modules", "module"),
        ("filter", "filter"),
        ("test", "test"),
        ("lookup", "lookup"),
    ):
        entries = routing.get(kind) or {}
        moved[singular] = {
            name: entry["redirect"] for name, entry in entries.items() if "redirect" in entry
        }
    gone = [name for name, entry in (routing.get("modules") or {}).items() if "tombstone" in entry]
    return moved, sorted(gone)


def keywords() -> dict[str, Any]:
    """Object -> keyword -> its type in a playbook."""
    types = {}
    for name, (place, kind) in OBJECTS.items():
        attributes = getattr(importlib.import_module(f"ansible.playbook.{place}"), kind).fattributes
        types[name] = {key: attribute.isa for key, attribute in sorted(attributes.items())}
    return types


def save(name: str, data: Any) -> None:
    """Writes one of the category's data files, its keys in order."""
    write("ansible", name, data, sort_keys=True)


def main() -> None:
    """Writes `index` and one file per collection."""
    core = Path(str(importlib.import_module("ansible").__file__)).parent
    home = Path(next(iter(importlib.import_module("ansible_collections").__path__)))
    source = f"ansible-core {version('ansible-core')}, ansible {version('ansible')}"
    loaders = importlib.import_module("ansible.plugins.loader")
    # Without it ansible-core finds no collection, nor the documentation fragments in one.
    loaders.init_plugin_loader()
    arguments = importlib.import_module("ansible.parsing.mod_args")
    jinja = importlib.import_module("jinja2").Environment()
    moved, gone = routes(core / "config" / "ansible_builtin_runtime.yml", "ansible.builtin")
    plugin_names = {"ansible.builtin": plugins(core / "plugins")}
    # Jinja's own filters and tests are no plugins, and templates have them too.
    plugin_names["ansible.builtin"]["filter"] += sorted(jinja.filters)
    plugin_names["ansible.builtin"]["test"] += sorted(jinja.tests)
    removed = {"ansible.builtin": gone}
    redirects = {"ansible.builtin": moved}
    save("ansible.builtin", modules(core / "modules", "ansible.builtin"))
    for name in COLLECTIONS:
        folder = home / name.replace(".", "/")
        redirects[name], removed[name] = routes(folder / "meta" / "runtime.yml", name)
        plugin_names[name] = plugins(folder / "plugins")
        save(name, modules(folder / "plugins" / "modules", name))
    save(
        "index",
        {
            "source": source,
            "licence": "facts read from GPL-3.0-or-later sources",
            "keywords": keywords(),
            "free": sorted(
                name.removeprefix("ansible.builtin.") for name in arguments.FREEFORM_ACTIONS
            ),
            "plugins": plugin_names,
            "redirects": redirects,
            "removed": removed,
        },
    )


if __name__ == "__main__":
    main()
