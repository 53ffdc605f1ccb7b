"""`inframind verify`: the verifier on files and streams; `main` is the command's entry point."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from pydantic import ConfigDict, TypeAdapter, ValidationError
from rich.console import Console

from inframind import __version__
from inframind.bench.export import app as bench_app
from inframind.commands import HELP, SETTINGS, Commands, Exit
from inframind.errors import ConfigError, DataError
from inframind.types import Check, Contract, Outcome, Verdict, VerifyRequest
from inframind.validation import first_fault
from inframind.verifier.agreement import agreement, requests_below, tables
from inframind.verifier.deep import deepened
from inframind.verifier.report import human, sarif
from inframind.verifier.rules import category_page, index_page, validate_policy
from inframind.verifier.verifier import Verifier

app = typer.Typer(
    name="inframind",
    cls=Commands,
    help=HELP,
    context_settings=SETTINGS,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
# A reader of the other end gets answers before the stream ends, and memory stays bounded.
CHUNK = 256
"""Lines of a stream that are judged together."""
# A longer line comes in pieces, of which each is refused as no JSON.
MAX_LINE = 8_000_000
"""Characters of a line that are read at most."""
CHECKS: TypeAdapter[tuple[Check, ...]] = TypeAdapter(tuple[Check, ...])


class Line(Contract):
    """One line of `--jsonl`."""

    # Corpora carry fields of their own, such as a source or a label.
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = ""
    category: str | None = None
    text: str
    checks: tuple[Check, ...] = ()


app.add_typer(bench_app, name="bench")


def _version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"inframind {__version__}")
        raise typer.Exit(Exit.PASS)


@app.callback(help=HELP)
def inframind(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Hold the options of the command itself."""


@app.command()
def verify(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Files to judge; - is the standard input.", metavar="FILE..."),
    ] = None,
    category: Annotated[
        str | None, typer.Option(help="terraform, kubernetes, ...; detected by default.")
    ] = None,
    checks: Annotated[
        Path | None, typer.Option(help="JSON list of checks that every file must meet.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="Policy rule that counts where a category has it; may be repeated."),
    ] = None,
    rego: Annotated[
        list[Path] | None,
        typer.Option(help="Rego policy that every file must meet; may be repeated."),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also ask the category's own tool, in isolation.")
    ] = False,
    agreement_folder: Annotated[
        Path | None,
        typer.Option(
            "--agreement",
            help="Measure the fast checks against the tools on every file below a folder.",
            metavar="FOLDER",
        ),
    ] = None,
    jsonl: Annotated[
        str | None, typer.Option(help="Judge a stream of JSON lines {id, category, text, checks}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Verdicts as JSON, a line each.")] = False,
    as_sarif: Annotated[
        bool, typer.Option("--sarif", help="Findings as one SARIF 2.1.0 log.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 2,
) -> None:
    """Say whether IaC files are right.

    Exit code 0: all pass, 1: one fails, 2: undecided or wrong usage.
    """
    if sum((jsonl is not None, bool(files), agreement_folder is not None)) != 1:
        raise ConfigError("give either FILE..., --jsonl or --agreement")
    if deep and jsonl is not None:
        raise ConfigError("--deep judges files, not a stream")
    with Verifier(workers) as verifier:
        if agreement_folder is not None:
            code = _measure(verifier, agreement_folder, category, as_json=as_json)
        elif jsonl is not None:
            code = _verify_stream(verifier, jsonl)
        else:
            wanted = (*_checks(checks), *map(_rego, rego or ()))
            policies = tuple(policy or ())
            for policy_rule in policies:
                validate_policy(policy_rule, "--policy")
            requests = [_request(name, category, wanted, policies) for name in files or ()]
            verdicts = verifier.verify_many(requests)
            if deep:
                verdicts = deepened(requests, verdicts)
            _print(requests, verdicts, as_json=as_json, as_sarif=as_sarif)
            code = _exit_code(verdict.verdict for verdict in verdicts)
    raise typer.Exit(code)


@app.command()
def rules(
    name: Annotated[
        str | None, typer.Argument(metavar="CATEGORY", help="By default all rule ids are listed.")
    ] = None,
) -> None:
    """Print the rules of a category, or all rule ids with their categories, as Markdown."""
    typer.echo(category_page(name) if name else index_page(), nl=False)


def _measure(verifier: Verifier, folder: Path, category: str | None, *, as_json: bool) -> Exit:
    """Print the agreement. It is no verdict, so a gap is no failure."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", param="--agreement")
    measured = agreement(verifier, requests_below(folder, category))
    if as_json:
        typer.echo(json.dumps([row.model_dump() for row in measured], indent=2))
    else:
        Console(highlight=False).print(*tables(measured))
    return Exit.PASS


def _read(name: str) -> str:
    try:
        # Bytes that are not UTF-8 become lone surrogates, which a guard then refuses.
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror}", param="FILE") from None
    return data.decode("utf-8", "surrogateescape")


def _checks(path: Path | None) -> tuple[Check, ...]:
    if path is None:
        return ()
    try:
        return CHECKS.validate_json(_read(str(path)))
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}", param="--checks"
        ) from None


def _rego(path: Path) -> Check:
    return Check(op="rego", id=path.name[:128], value=_read(str(path)))


def _request(
    name: str, category: str | None, checks: tuple[Check, ...], policies: tuple[str, ...]
) -> VerifyRequest:
    """A file is judged as it is; the standard input and Markdown may be a model's answer."""
    label = name.encode("utf-8", "replace").decode()
    form = "auto" if name == "-" or name.endswith((".md", ".txt")) else "file"
    return VerifyRequest.model_validate(
        {
            "id": label,
            "text": _read(name),
            "category": category,
            "checks": checks,
            "policies": policies,
            "format": form,
        }
        | {"filename": None if name == "-" else label[-1024:]}
    )


def _print(
    requests: list[VerifyRequest], verdicts: list[Verdict], *, as_json: bool, as_sarif: bool
) -> None:
    if as_sarif:
        typer.echo(json.dumps(sarif(verdicts), indent=2))
    elif as_json:
        for verdict in verdicts:
            typer.echo(verdict.model_dump_json())
    else:
        console = Console(highlight=False)
        for request, verdict in zip(requests, verdicts, strict=True):
            # Unwrapped: `file:line` and its message stay on one line for editors and grep.
            console.print(human(request, verdict), soft_wrap=True)


def _exit_code(outcomes: Iterator[Outcome] | set[Outcome]) -> Exit:
    seen = set(outcomes)
    if Outcome.UNSCORABLE in seen:
        return Exit.UNDECIDED
    return Exit.FAIL if Outcome.FAIL in seen else Exit.PASS


def _verify_stream(verifier: Verifier, name: str) -> Exit:
    """Answer each line with a line, in order; a line that is no request with its error."""
    code = Exit.PASS
    stream = sys.stdin if name == "-" else _opened(name)
    with stream:
        for lines in _chunks(stream):
            parsed = [_parsed(line) for line in lines]
            answers = iter(
                verifier.try_many(
                    [request for request in parsed if isinstance(request, VerifyRequest)]
                )
            )
            for request in parsed:
                answer = request if isinstance(request, DataError) else next(answers)
                if isinstance(answer, Verdict):
                    typer.echo(answer.model_dump_json())
                    code = max(code, _exit_code({answer.verdict}))
                else:
                    name = request.id if isinstance(request, VerifyRequest) else ""
                    error = {"code": answer.code, "message": str(answer), "param": answer.param}
                    typer.echo(json.dumps({"id": name, "error": error}))
                    code = Exit.UNDECIDED
    return code


def _opened(name: str) -> TextIO:
    try:
        return Path(name).open(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror}", param="--jsonl") from None


def _chunks(stream: TextIO) -> Iterator[list[str]]:
    """Lines with content, a bounded number at a time."""
    chunk: list[str] = []
    while line := stream.readline(MAX_LINE):
        if line.strip():
            chunk.append(line)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _parsed(line: str) -> VerifyRequest | DataError:
    try:
        # json, not pydantic: a text with a lone surrogate is a guard's to refuse.
        data: Any = json.loads(line)
        row = Line.model_validate(data)
    except ValidationError as error:
        fault = first_fault(error.errors(), data)
        return DataError(str(fault), param=fault.field)
    except (ValueError, RecursionError) as error:
        return DataError(f"not a JSON line: {error}"[:300])
    return VerifyRequest(id=row.id, category=row.category, text=row.text, checks=row.checks)


def main() -> None:
    """Run the command `inframind`."""
    app()


if __name__ == "__main__":
    main()
