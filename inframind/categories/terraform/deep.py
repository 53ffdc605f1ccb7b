"""`terraform validate`, for many texts at once: each is a child module of one root, and one run
judges them all.

A run costs seconds, because it starts the providers; a further module costs milliseconds. What
holds for a text is only what a run without any error says: an error that belongs to no text means
that nothing was decided, and the texts are tried in smaller groups.
"""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from inframind.categories.shared.checkov import Checkov
from inframind.categories.shared.linters import Advised, Opinion
from inframind.categories.terraform.module import Module, declare
from inframind.categories.terraform.syntax import structure
from inframind.errors import SandboxError
from inframind.sandbox.isolation import (
    WORK,
    OverdueError,
    Program,
    first_folder,
    folder,
    program,
    run,
)
from inframind.types import Finding

RULE = "terraform-validate"
SECONDS, SECONDS_EACH = 120.0, 0.5
MAX_ROUNDS = 12
BATCH = 200
META = frozenset(
    {"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"}
)
"""Names that a variable cannot have."""
ROOT_ONLY = re.compile(r"\bsensitive\b|\bimport\s*\{|\bconfiguration_aliases\b|\bcloud\s*\{")
"""Words that mean something else in a child module."""
READS = re.compile(r"\b(?:file\w*|templatefile|abspath|pathexpand)\s*\(\s*([^,)]*)")
OWN_FILE = re.compile(
    r'"(?:\$\{path\.module\}/|\./)?(?!main\.tf)[A-Za-z0-9_][\w/ '
    r'-]*(?:\.[\w-]+)*"\s*|(?:var|data)\.[\w.]+\s*'
)
"""The path of a file that lies beside the text, or one that nobody knows before a plan."""
MISSING = re.compile(
    r'no file exists at "([^"]+)"|Call to function "file\w*" failed: open (.+): no such file or '
    r"directory"
)
SUMMARY = re.compile(r'[A-Z][A-Za-z0-9_ ,."-]{2,80}')
"""Terraform's own summaries. A provider's may quote a value, and with it a file."""


@dataclass
class Text:
    """A text on its way through the runs."""

    content: str
    module: Module
    name: str = field(default_factory=lambda: f"m{secrets.token_hex(8)}")
    """Its folder: a name that no other text can guess."""

    @property
    def alone(self) -> bool:
        """True for a text that needs a run to itself: as a root module, or because it may read
        what lies beside it.
        """
        reads = READS.findall(self.content)
        return ROOT_ONLY.search(self.content) is not None or not all(map(OWN_FILE.fullmatch, reads))

    def call(self) -> str:
        """Writes the module call. Every variable is unknown, as in a root module."""
        names = [name for name in self.module.variables if name not in META]
        arguments = "".join(f"  {name} = terraform_data.unknown.output\n" for name in names)
        return f'module "{self.name}" {{\n  source = "./{self.name}"\n{arguments}}}\n'


@dataclass
class Result:
    """The outcome of one run: errors by text; `unowned` if some belong to none."""

    errors: dict[str, list[dict[str, Any]]]
    unowned: bool = False


class TerraformValidate:
    """The deep check of Terraform.

    `plugins`: a folder of unpacked providers, as `TF_PLUGIN_CACHE_DIR` has it.

    `seconds`: how long a run may take by the clock, beside what each text adds.
    """

    name = "terraform validate"
    is_authority = True
    remedy = (
        "install terraform, and fill a folder with the providers: TF_PLUGIN_CACHE_DIR=FOLDER "
        "terraform init; "
        "then set INFRAMIND_TERRAFORM_PLUGINS=FOLDER"
    )

    def __init__(self, plugins: Path | None = None, seconds: float = SECONDS) -> None:
        usual = (
            "~/.terraform.d/plugin-cache",
            "~/.terraform.d/plugins",
            "/usr/local/share/terraform/plugins",
        )
        self._plugins = plugins or first_folder(
            ("INFRAMIND_TERRAFORM_PLUGINS", "TF_PLUGIN_CACHE_DIR"), usual
        )
        self._seconds = seconds
        self.runs = 0
        """Runs of terraform so far, for measurements."""

    @cached_property
    def providers(self) -> dict[str, tuple[str, Path]]:
        """Provider -> version and folder of its program.

        Those of HashiCorp go by their name alone.
        """
        installed: dict[str, tuple[str, Path]] = {}
        programs = (
            self._plugins.glob("registry.terraform.io/*/*/*/*/terraform-provider-*")
            if self._plugins
            else ()
        )
        # By number, not as text: 5.100 comes after 5.99. The last, the newest, stays.
        for path in sorted(
            programs, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parts[-3])]
        ):
            space, kind, version = path.parts[-5:-2]
            installed[kind if space == "hashicorp" else f"{space}/{kind}"] = (version, path.parent)
        return installed

    @cached_property
    def _version(self) -> str | None:
        if program("terraform") is None:
            return None
        with folder() as work:
            finished = run(self._program("version", "-json"), work)
        match = re.search(r'"terraform_version": "([^"]+)"', finished.output)
        if match is None:
            raise SandboxError("terraform does not start in isolation")
        plugins = [f"{name} {version}" for name, (version, _) in sorted(self.providers.items())]
        return ", ".join([f"terraform {match.group(1)}", *plugins])

    def version(self) -> str | None:
        return self._version

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        opinions: dict[str, Opinion] = {}
        order = [Text(text, declare(structure(text))) for text in texts]
        together = []
        for text in order:
            missing = self._missing(text.module)
            if missing:
                message = (
                    f"terraform has no plugin here of {', '.join(sorted(missing))}: {self.remedy}"
                )
                opinions[text.name] = Opinion("unavailable", (_note(message),))
            elif text.alone:
                opinions[text.name] = self._alone(text)
            else:
                together.append(text)
        for start in range(0, len(together), BATCH):
            opinions |= self._together(together[start : start + BATCH])
        return [opinions[text.name] for text in order]

    def _missing(self, module: Module) -> set[str]:
        """Providers that the text needs and that are not installed: each would end the run for
        all.
        """
        names = {block.labels[0] for block in module.providers}
        names |= {
            name
            for block in module.body.named("terraform")
            for r in block.body.named("required_providers")
            for name in r.body.attributes
        }
        needed = {module.sources.get(name, name) for name in names} | {
            module.provider_of(key) for key in module.objects
        }
        return needed - self.providers.keys() - {"terraform"}

    def _together(self, texts: Sequence[Text]) -> dict[str, Opinion]:
        """Opinions by name.

        Texts with errors leave, and the rest runs again, until a run says nothing against any.
        """
        if len(texts) < 2:
            return {text.name: self._alone(text) for text in texts}
        opinions: dict[str, Opinion] = {}
        live, files = list(texts), {text.name: set[str]() for text in texts}
        for _ in range(MAX_ROUNDS):
            result = self._run(live, set().union(*files.values()))
            if result.unowned:
                break
            if not result.errors:
                return opinions | {text.name: Opinion("accepts") for text in live}
            for name, errors in result.errors.items():
                opinion = _judged(errors, files[name])
                opinions |= {name: opinion} if opinion else {}
            live = [text for text in live if text.name not in opinions]
        middle = len(live) // 2
        return opinions | self._together(live[:middle]) | self._together(live[middle:])

    def _alone(self, text: Text) -> Opinion:
        """Judges the text as the root module of a run of its own.

        What does not even run, twice, is the text's fault.
        """
        files: set[str] = set()
        failures = 0
        while failures < 2 and len(files) < MAX_ROUNDS:
            result = self._run([text], files, root=True)
            failures += result.unowned
            if result.unowned:
                continue
            if not result.errors:
                return Opinion("accepts")
            opinion = _judged(result.errors[text.name], files)
            if opinion:
                return opinion
        if failures and not self._works:
            return Opinion("unavailable", (_note("terraform validate does not run here"),))
        return Opinion(
            "rejects", (_note("terraform validate does not come to its end with this text"),)
        )

    @cached_property
    def _works(self) -> bool:
        """True if terraform runs at all: it accepts an empty module."""
        result = self._run([Text("", declare(structure("")))], set(), root=True)
        return not result.unowned and not result.errors

    def _run(self, texts: Sequence[Text], stand_ins: set[str], *, root: bool = False) -> Result:
        """Runs `terraform validate` once; `stand_ins`: empty files that the texts read."""
        self.runs += 1
        with folder() as work:
            self._write(work, texts, root=root)
            for path in stand_ins:
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).write_text("{}" if path.endswith(".json") else "")
            try:
                finished = run(
                    self._program("validate", "-json", "-no-color", texts=len(texts)), work
                )
            except OverdueError:
                return Result({}, unowned=True)
        return _read(finished.output, [text.name for text in texts], root=root)

    def _program(self, *arguments: str, texts: int = 1) -> Program:
        terraform = (program("terraform") or Path("terraform")).resolve()
        return Program(
            [str(terraform), *arguments],
            (terraform, *(where for _, where in self.providers.values())),
            # A run lives for seconds: collecting garbage less often saves two fifths of its
            # processor time.
            {
                "TF_CLI_CONFIG_FILE": f"{WORK}/terraform.rc",
                "CHECKPOINT_DISABLE": "1",
                "TF_IN_AUTOMATION": "1",
                "GOGC": "400",
            },
            self._seconds + SECONDS_EACH * texts,
        )

    def _write(self, work: Path, texts: Sequence[Text], *, root: bool) -> None:
        # Overrides spare the installation, and with it the checksum of a program of 700 MB in every
        # run.
        overrides = "".join(
            f'    "{name if "/" in name else "hashicorp/" + name}" = "{where}"\n'
            for name, (_, where) in self.providers.items()
        )
        (work / "terraform.rc").write_text(
            f"provider_installation {{\n  dev_overrides {{\n{overrides}  }}\n}}\n"
        )
        if root:
            (work / "main.tf").write_text(texts[0].content)
            return
        calls = "".join(text.call() for text in texts)
        (work / "main.tf").write_text(f'resource "terraform_data" "unknown" {{}}\n{calls}')
        modules = [{"Key": "", "Source": "", "Dir": "."}]
        for text in texts:
            (work / text.name).mkdir()
            (work / text.name / "main.tf").write_text(text.content)
            modules.append({"Key": text.name, "Source": f"./{text.name}", "Dir": text.name})
        # The manifest that `terraform init` would write, by which validate finds the modules.
        (work / ".terraform" / "modules").mkdir(parents=True)
        (work / ".terraform" / "modules" / "modules.json").write_text(
            json.dumps({"Modules": modules})
        )


def _read(output: str, names: Sequence[str], *, root: bool) -> Result:
    """Reads the result in what terraform printed; what is not understood belongs to nobody."""
    try:
        report = json.loads(output)
        diagnostics = [
            diagnostic for diagnostic in report["diagnostics"] if diagnostic["severity"] == "error"
        ]
    except (ValueError, KeyError, TypeError):
        return Result({}, unowned=True)
    if bool(diagnostics) is bool(report.get("valid")):
        return Result({}, unowned=True)
    result = Result({})
    for diagnostic in diagnostics:
        owner = _owner(diagnostic, names, root=root)
        if owner is None:
            result.unowned = True
        else:
            result.errors.setdefault(owner, []).append(diagnostic)
    return result


def _owner(diagnostic: dict[str, Any], names: Sequence[str], *, root: bool) -> str | None:
    """Finds the text that an error belongs to, by the file that it points at."""
    filename = (diagnostic.get("range") or {}).get("filename", "")
    # A cycle has no place in a file; its summary lists the addresses.
    if diagnostic.get("summary", "").startswith("Cycle: "):
        mentioned = [name for name in names if root or f"module.{name}." in diagnostic["summary"]]
        return mentioned[0] if len(mentioned) == 1 else None
    if root:
        return names[0] if filename == "main.tf" else None
    name, _, rest = filename.partition("/")
    return name if rest == "main.tf" and name in names else None


def _judged(errors: Sequence[dict[str, Any]], files: set[str]) -> Opinion | None:
    """Forms the opinion that a text's errors are.

    None if only files are missing: they are added to its `files`, for the next run.
    """
    refusals = [error for error in errors if not MISSING.search(error.get("detail", ""))]
    if refusals and files:
        return Opinion(
            "abstains", (_note("the text depends on the content of a file that is not here"),)
        )
    if refusals:
        return Opinion("rejects", tuple(dict.fromkeys(map(_finding, refusals))))
    paths = {
        match.group(1) or match.group(2)
        for error in errors
        if (match := MISSING.search(error.get("detail", "")))
    }
    wanted = {path.removeprefix("./") for path in paths}
    if any(path.startswith(("/", "~")) or ".." in path for path in wanted) or wanted <= files:
        return Opinion("abstains", (_note("the text reads a file that is not here"),))
    files |= wanted
    return None


def _note(message: str) -> Finding:
    return Finding(rung="schema", rule=RULE, message=message)


def _finding(error: dict[str, Any]) -> Finding:
    """Keeps summary and line of an error: a detail may quote the text, or a file that it reads."""
    summary = re.sub(r'"[^"]*"', '"..."', error.get("summary", "")).partition(": ")[0]
    message = summary if SUMMARY.fullmatch(summary) else "the provider refuses a value"
    line = (error.get("range") or {}).get("start", {}).get("line")
    return Finding(rung="schema", rule=RULE, line=line, message=f"terraform validate: {message}")


class Modules(Advised):
    """`terraform validate` decides; checkov, where it is installed, gives its advice."""

    def __init__(self) -> None:
        super().__init__(TerraformValidate(), Checkov("terraform", ".tf"))


TOOL = Modules()
