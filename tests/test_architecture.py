"""The arrows of ARCHITECTURE.md and the size limits of CONTRIBUTING.md, read from source text: no
import is run.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "workers", "inframind", "migrations", "tools")

# A lower number is closer to the ground. A module may import its own package or a lower one.
CORE_LAYERS = {
    "__main__": 8,
    "cli": 7,
    "pipeline": 6,
    "stages": 5,
    "judge": 4,
    "datasets": 4,
    "verifier": 3,
    "bench": 3,
    "generation": 3,
    "categories": 2,
    "models": 2,
    "sandbox": 1,
    "statistics": 1,
    "commands": 2,
    "installation": 1,
    "types": 0,
    "validation": 0,
    "durable": 0,
    "errors": 0,
}
# The rooms of the service, floor by floor.
APP_LAYERS = {
    "main": 8,
    "cli": 8,
    "api": 7,
    "web": 6,
    "fine_tuning": 6,
    "generation": 5,
    "jobs": 5,
    "inference": 4,
    "judging": 4,
    "datasets": 4,
    "catalog": 3,
    "verification": 3,
    "keys": 2,
    "slots": 2,
    "db": 1,
    "artifacts": 1,
    "settings": 0,
    "errors": 0,
    "job_state": 0,
    "fields": 0,
    "views": 0,
    "logs": 0,
}
GPU_STACK = ("torch", "transformers", "trl", "peft", "vllm", "bitsandbytes", "accelerate")
SERVICE_STACK = ("fastapi", "starlette", "celery", "sqlalchemy", "alembic")

# (importer, what nothing under it may import). Third-party stacks may be imported inside a
# function, ours may not.
FORBIDDEN = [
    ("inframind", ("app", "workers", "migrations", "tools", *SERVICE_STACK)),
    ("app", ("workers", "migrations", *GPU_STACK)),
    ("app.api", ("app.db", "sqlalchemy", "celery")),
    ("app.jobs", ("app.api", "fastapi")),
    ("app.db", ("app.api", "app.jobs", "fastapi", "inframind")),
    ("workers", ("app.api", "app.main", "app.web.deps")),
    ("migrations", ("workers", "inframind", "app.api", "app.jobs")),
    ("inframind.categories", GPU_STACK),
    ("inframind.verifier", GPU_STACK),
    ("inframind.bench", GPU_STACK),
]
# Siblings below these never import one another; `base` and `_private` modules are shared.
INDEPENDENT = ("inframind.categories", "inframind.stages", "app.api")
# A category that others stand on, and those that do: their texts hold its objects.
FOUNDATIONS = {"kubernetes": ("helm", "mlops")}
ONLY_IN = {
    "subprocess": "inframind.sandbox",
    "multiprocessing": "inframind.sandbox",
    "ryaml": "inframind.categories.shared",
}
READS_ENVIRONMENT = (
    "app.settings",
    "app.cli",
    "inframind.cli",
    "inframind.sandbox",
    "workers.",
)
MAX_FILE_LINES, MAX_FUNCTION_LINES = 500, 80
MEDIAN_FILE_LINES = 200


def under(module: str, package: str) -> bool:
    return module == package or module.startswith(package.removesuffix(".") + ".")


def modules() -> dict[str, Path]:
    paths = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]
    return {
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p
        for p in paths
    }


MODULES = modules()


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


@cache
def imports(name: str, *, lazy: bool) -> frozenset[str]:
    """Modules a file imports; with lazy=False only those that run when it is imported."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree(name)):
        deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not lazy and (deferred or typing_only):
            skipped |= set(ast.walk(node))
    found: set[str] = set()
    for node in ast.walk(tree(name)):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{name}: relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@pytest.mark.parametrize("name", MODULES)
def test_forbidden_imports(name: str) -> None:
    for importer, targets in FORBIDDEN:
        for target in targets if under(name, importer) else ():
            ours = target.split(".")[0] in PACKAGES
            bad = {m for m in imports(name, lazy=ours) if under(m, target)}
            assert not bad, f"{name} must not import {sorted(bad)}"


@pytest.mark.parametrize("name", [n for n in MODULES if n.startswith("inframind.")])
def test_core_imports_point_down(name: str) -> None:
    own = name.split(".")[1]
    for module in imports(name, lazy=True):
        target = module.split(".")[1] if module.startswith("inframind.") else own
        written_for_the_bench = ".families" in name and target == "bench"
        if target != own and target in CORE_LAYERS and not written_for_the_bench:
            assert CORE_LAYERS[target] < CORE_LAYERS[own], (
                f"{name} imports upward or sideways: {module}"
            )


@pytest.mark.parametrize("name", [n for n in MODULES if n.startswith("app.")])
def test_the_services_imports_point_down(name: str) -> None:
    own = name.split(".")[1]
    assert own in APP_LAYERS, f"{name} is in a room without a floor: write it into APP_LAYERS"
    for module in imports(name, lazy=True):
        target = module.split(".")[1] if module.startswith("app.") else own
        if target != own and target in APP_LAYERS:
            assert APP_LAYERS[target] < APP_LAYERS[own], (
                f"{name} imports upward or sideways: {module}"
            )


def test_a_category_writes_its_families_against_the_bench_api_alone() -> None:
    """The one arrow that points up: a category's families use the family API, nothing else of the
    bench.
    """
    for name in MODULES:
        if under(name, "inframind.categories") and ".families" not in name:
            assert not any(under(m, "inframind.bench") for m in imports(name, lazy=True)), name


@pytest.mark.parametrize("package", INDEPENDENT)
def test_siblings_are_independent(package: str) -> None:
    depth = package.count(".") + 1
    for name in MODULES:
        own = name.split(".")[depth] if name.startswith(package + ".") else None
        for module in imports(name, lazy=True) if own else ():
            if module.startswith(package + "."):
                other = module.split(".")[depth]
                shared = (
                    other in (own, "base", "config", "examples", "fit", "shared")
                    or other.startswith("_")
                    or own in FOUNDATIONS.get(other, ())
                    or f"{package}.{other}" not in MODULES
                )
                assert shared, f"{name} imports its sibling {other}"


@pytest.mark.parametrize("name", MODULES)
def test_processes_start_and_yaml_is_read_in_one_place(name: str) -> None:
    for module, home in ONLY_IN.items():
        if name.startswith("inframind") and any(under(m, module) for m in imports(name, lazy=True)):
            assert under(name, home), f"{name} imports {module}; only {home} may"


@pytest.mark.parametrize("name", [n for n in MODULES if under(n, "workers") or under(n, "app")])
def test_the_services_processes_are_started_in_one_place(name: str) -> None:
    """There they are given the path to our modules, and die with their parents."""
    starters = {"subprocess.Popen", "subprocess.run", "os.fork", "asyncio.create_subprocess_exec"}
    calls = [n for n in ast.walk(tree(name)) if isinstance(n, ast.Call)]
    starts = {ast.unparse(call.func) for call in calls} & starters
    assert not starts or name == "workers.process", f"{name} calls {starts}"


@pytest.mark.parametrize("name", MODULES)
def test_the_environment_is_read_at_the_entry_points(name: str) -> None:
    if not any(under(name, place) for place in READS_ENVIRONMENT):
        reads = [
            n
            for n in ast.walk(tree(name))
            if isinstance(n, ast.Attribute) and ast.unparse(n) == "os.environ"
        ]
        assert not reads, f"{name} reads os.environ"


@pytest.mark.parametrize("name", [n for n in MODULES if n.startswith(("app.", "workers."))])
def test_a_database_that_is_away_is_told_in_one_place(name: str) -> None:
    """Everybody else catches `app.db.session.DATABASE_AWAY`."""
    if name != "app.db.session":
        assert not {"sqlalchemy.exc.OperationalError", "sqlalchemy.exc.InterfaceError"} & imports(
            name, lazy=True
        )


@pytest.mark.parametrize("name", [n for n in MODULES if n.startswith("app.")])
def test_the_processs_settings_are_asked_for_at_the_entry_points(name: str) -> None:
    """Everybody else uses those that they are given."""
    if not any(under(name, place) for place in ("app.cli", "app.main")):
        assert "app.settings.settings" not in imports(name, lazy=True)


def test_a_concrete_category_is_named_only_by_the_registry() -> None:
    for name in MODULES:
        for module in imports(name, lazy=True):
            parts = module.split(".")
            if parts[:2] == ["inframind", "categories"] and len(parts) > 2 and module in MODULES:
                if under(name, "tools"):
                    continue
                own = name.split(".")[2:3]
                on_a_foundation = own and own[0] in FOUNDATIONS.get(parts[2], ())
                assert (
                    parts[2] in ("base", "shared")
                    or on_a_foundation
                    or under(name, ".".join(parts[:3]))
                ), f"{name} names {module}"


def reachable(start: str) -> set[str]:
    """Everything that importing `start` runs, through our own modules, parents included."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += imports(name, lazy=False) if name in MODULES else ()
            todo += [name.rsplit(".", 1)[0]] if name in MODULES and "." in name else []
    return seen


@pytest.mark.parametrize(
    "entry", ["app.main", "app.cli.main", "inframind.pipeline", "inframind.verifier.verifier"]
)
def test_starts_without_the_gpu_stack(entry: str) -> None:
    assert entry in MODULES
    bad = {m for m in reachable(entry) if m.split(".")[0] in GPU_STACK}
    assert not bad, f"importing {entry} would import {sorted(bad)}"


def test_the_command_line_starts_without_the_service() -> None:
    bad = {
        m
        for m in reachable("app.cli.main")
        if m.split(".")[0] in (*SERVICE_STACK, "httpx", "uvicorn", "pydantic_settings")
    }
    assert not bad, f"importing app.cli.main would import {sorted(bad)}"


def test_the_library_loads_the_service_by_name_in_one_place() -> None:
    """docs/decisions/0006: `inframind up` is the service's, and the library imports no service."""
    loads = [
        name
        for name in MODULES
        if under(name, "inframind") and ".families" not in name
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(app|workers|migrations)(\.[a-z_]+)+", node.value)
    ]
    assert loads == ["inframind.commands"]


def test_files_and_functions_stay_small() -> None:
    sizes = sorted(len(path.read_text().splitlines()) for path in MODULES.values())
    large = [n for n, p in MODULES.items() if len(p.read_text().splitlines()) > MAX_FILE_LINES]
    long = [
        f"{name}:{node.name}"
        for name in MODULES
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert not large and not long, f"too large: {large}; too long: {long}"
    assert sizes[len(sizes) // 2] < MEDIAN_FILE_LINES


def test_stages_are_read_as_typed_settings() -> None:
    """What is asked of a stage is a question to its settings' class, never a look into a dict."""
    service = [name for name in MODULES if under(name, "app") or under(name, "workers")]
    peeks = [name for name in service if "stage.get(" in MODULES[name].read_text()]
    assert not peeks, f"stages are dicts in {peeks}: ask inframind.stages.config.StageConfig"


JOB_STATES = {"queued", "running", "paused", "succeeded", "failed", "cancelled"}
# Examples of answers, and the enum itself.
STATES_SPELT_OUT = ("app.api.examples", "app.api.fine_tuning", "app.job_state")


def states_spelt(node: ast.AST) -> set[str]:
    """Finds job states written as strings where a state is compared, set or given to `finish`."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Compare) and "state" in ast.unparse(node.left):
        parts = node.comparators
    elif isinstance(node, ast.Assign) and "state" in ast.unparse(node.targets[0]):
        parts = [node.value]
    elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "finish":
        parts = node.args
    constants = [
        node for part in parts for node in ast.walk(part) if isinstance(node, ast.Constant)
    ]
    return {constant.value for constant in constants if constant.value in JOB_STATES}


def test_job_states_are_the_enums() -> None:
    """A state is compared with, or set to, `JobState`: a misspelt string would never be noticed."""
    for name in MODULES:
        if not (under(name, "app") or under(name, "workers")) or name in STATES_SPELT_OUT:
            continue
        for node in ast.walk(tree(name)):
            spelt = states_spelt(node)
            # The doctor's findings have states of their own.
            if spelt and not (under(name, "app.cli") and "job" not in ast.unparse(node)):
                pytest.fail(f"{name}:{node.lineno} spells {spelt}: use JobState")
