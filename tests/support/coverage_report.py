"""What the tests have run, in short: a line per package, and the modules of which nothing runs.

`python -m tests.support.coverage_report`, after `coverage run`. It fails on no threshold.
"""

import ast
import sys
from collections import defaultdict
from pathlib import Path

import coverage
from coverage.exceptions import CoverageException

from tests.support import ROOT

UNMEASURED = {
    "inframind.sandbox.confinement": "the verifier's processes",
    "inframind.sandbox.worker": "the verifier's processes",
}
"""Modules that tests run in processes to which no environment is passed, so that nothing measures
them there."""


def modules() -> dict[str, Path]:
    """Gives the modules of the service and the library by their names, without the families."""
    paths = [
        path
        for package in ("app", "inframind", "workers")
        for path in sorted((ROOT / package).rglob("*.py"))
        if "families" not in path.parts
    ]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }


def lines_of_functions(path: Path) -> set[int]:
    """Gives the lines within functions: those that an import does not run."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, functions)]
    return {
        line
        for node in nodes
        for line in range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
    }


def main() -> None:
    """Prints the report. Without data it says so: a run may have ended before its first test."""
    measured = coverage.Coverage()
    try:
        measured.combine()
    except CoverageException as error:
        sys.stdout.write(f"nothing was measured: {error}\n")
        return
    packages: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    silent = []
    for name, path in modules().items():
        _, statements, _, missing, _ = measured.analysis2(str(path))
        run = set(statements) - set(missing)
        is_a_file_of_the_root = path.parent.parent == ROOT
        package = packages[".".join(name.split(".")[: 1 if is_a_file_of_the_root else 2])]
        package[0] += len(run)
        package[1] += len(statements)
        inner = lines_of_functions(path) & set(statements)
        if statements and not run & (inner or set(statements)):
            silent.append(name)
    say(packages, silent)


def say(packages: dict[str, list[int]], silent: list[str]) -> None:
    """Prints the packages' shares and the modules of which nothing runs."""
    width = max(map(len, packages))
    told = ["", "lines that the tests run"]
    told += [
        f"  {name:{width}} {run / lines:5.0%} of {lines:5}"
        for name, (run, lines) in sorted(packages.items())
        if lines
    ]
    told += ["modules of which no function runs:"]
    told += [
        f"  {name}" + (f" (only in {UNMEASURED[name]}, unmeasured)" if name in UNMEASURED else "")
        for name in silent
    ] or ["  none"]
    sys.stdout.write("\n".join(told) + "\n")


if __name__ == "__main__":
    main()
