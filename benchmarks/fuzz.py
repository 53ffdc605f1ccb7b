"""Judge hostile input with the verifier and count what goes wrong.

Usage: `python benchmarks/fuzz.py [--count 100000] [--seed 0] [--category C ...]`.

Each category gets its own example files mutated, mixed with those of others, and bombs. What must
hold, whatever comes: every text gets `pass` or `fail`, no checker crashes or runs into its
deadline, no answer holds what a file of this machine holds, and memory stays bounded. Exit status 1
if any of it does not hold; the texts at fault are written to --out.
"""

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from inframind.bench.load import families
from inframind.categories import CATEGORIES
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.verifier import Verifier

BATCH = 200
MAX_WORKER_BYTES = 600 * 2**20
SECRET = "fuzz-canary-5d1f"
"""Content of a file that hostile texts name; no answer may hold it."""
TOKENS = (
    "null", "~", "true", "[]", "{}", "-1", "0", "1e400", "99999999999999999999", "0x7fffffff", "''",
    '""', "'", '"', "`", "\\", "\t", "\r", "\x0b", "\x7f", "\ufeff", "\u2028", "\U0001f4a5", "é",
    "${", "}", "${{", "}}", "{{", "%{ if true }", "$(", "<<EOF", "EOF", "&a", "*a", "<<: *a",
    "!!python/object/apply:os.system", "!Ref x", "---", "...", "#", "//", "/*", "*/", ":", "- ",
    "|", ">-", "=", ",", "@", "%", "*", "?", "if: false", "count = 0", "for_each = {}",
    "dynamic \"x\" {", "$ref", "..", "../../etc/passwd", "a" * 300, "(" * 40, ")" * 40,
    "{{ include \"x\" . }}", "[[", "0 0 31 2 *", "file(\"{secret}\")", "{secret}", "fromjson('{')",
    "*/0 * * * *", "=~\"(a+)+$\"",
)  # fmt: skip
ALIASES = "\n".join(
    [
        "a0: &a0 [x, x]",
        *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 30)),
    ]
)
MERGES = "\n".join(
    [
        "m0: &m0 {a: 1}",
        *(f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}], b{n}: 1}}" for n in range(1, 30)),
    ]
)
BOMBS = (
    "", " ", "\n" * 9_999, "\x00", "a\x00b", "\ud800", "\udcff: 1", ALIASES, MERGES,
    "x" * 10_000_000, "a: 1\n" * 60_000, "[" * 100_000, "{" * 59 + "}" * 59, "- " * 9_000,
    "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 390)), "(" * 59 + "1" + ")" * 59,
    "a = " + "-" * 19_000 + "1", "a = " + "!" * 19_000 + "true", "x: " + "1:" * 9_000 + "1",
    "9" * 19_999, "a: &a [*a]", "? [a]\n: b", "".join(f"k{n}: {n}\n" for n in range(9_999)),
    "".join(f"v{n}: {{a: [1, {{b: 2}}]}}\n" for n in range(5_000)), "---\n" * 9_999,
    "FROM a\n" + "RUN b \\\n" * 9_000, "FROM a\nRUN " + "<<E " * 4_000,
    "a = \"" + "${" * 50 + "}" * 50 + '"', "<think>" * 10_000, "```yaml\n" * 4_000,
    "{{ if true }}" * 1_400, "{{" * 9_000, "${{" * 6_000, "'" * 19_999, '"' * 19_999, "\\" * 19_999,
    "a." * 9_999, "x = " + "a[0]" * 4_900, "x = [for a in " * 55 + "[]" + "]" * 55,
    "@every " * 2_000, "% " * 9_000, "pipeline {" * 58 + "}" * 58, '{"a":' * 59 + "1" + "}" * 59,
    "sum(" * 58 + "x" + ")" * 58, "- name: x\n  " * 3_000, "#" * 19_999, "//" * 9_999, "/*" * 9_999,
)  # fmt: skip


def examples(name: str) -> list[str]:
    """The category's own files: good, bad and the bench's answers."""
    paths = [path for kind in ("good", "bad") for path in CATEGORIES[name].examples(kind)]
    answers = [
        family.draft("fuzz", "train")[0].answer for family in families() if family.category == name
    ]
    return [path.read_bytes().decode("utf-8", "surrogateescape") for path in paths] + answers


def mutated(draw: random.Random, text: str, others: list[str], secret: str) -> str:
    """The text with one to four accidents."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        text = _accident(draw, text, others, secret)
    return text


def _accident(draw: random.Random, text: str, others: list[str], secret: str) -> str:
    lines = text.split("\n")
    line, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    cut = draw.randrange(len(text) + 1)
    token = draw.choice(TOKENS).replace("{secret}", secret)
    match draw.randrange(12):
        case 0:
            del lines[line]
        case 1:
            lines.insert(other, lines[line])
        case 2:
            lines[line], lines[other] = lines[other], lines[line]
        case 3:
            lines[line] = " " * draw.randint(0, 9) + lines[line].lstrip()
        case 4:
            key, sign, _ = lines[line].partition(draw.choice((":", "=", " ")))
            lines[line] = f"{key}{sign} {token}"
        case 5:
            lines[line] = lines[line].replace(draw.choice(lines[line].split() or [""]), token)
        case 6:
            lines = lines[: line + 1] + draw.choice(others).split("\n")[-draw.randint(1, 30) :]
        case 7:
            return text[:cut]
        case 8:
            return text[:cut] + token + text[cut:]
        case 9:
            return text[:cut] + text[cut + draw.randint(1, 20) :]
        case 10:
            lines[line:other] = lines[line:other] * draw.randint(2, 20)
        case _:
            return (
                text[:cut]
                + chr(draw.choice((0, 7, 27, 127, 0xD800, 0xFFFD, draw.randrange(0x3000))))
                + text[cut:]
            )
    return "\n".join(lines)


def inputs(name: str, count: int, seed: int, secret: str) -> Iterator[str]:
    """Every bomb once, then mutated texts; the same ones for the same seed."""
    draw = random.Random(f"{name}:{seed}")
    own = examples(name)
    others = own + [text for other in CATEGORIES if other != name for text in examples(other)[:5]]
    yield from BOMBS[:count]
    for _ in range(count - len(BOMBS)):
        yield mutated(draw, draw.choice(own if draw.random() < 0.95 else others), others, secret)


@dataclass
class Report:
    """Verdicts, defects and speed of one category's texts."""

    outcomes: Counter[str] = field(default_factory=Counter)
    defects: list[tuple[str, str]] = field(default_factory=list)
    """(what is wrong, the text)"""
    slowest_seconds: float = 0.0
    """The slowest batch, divided by the texts in it."""
    worker_bytes: int = 0


def defect(verdict: Verdict) -> str | None:
    """Name the checker's defect that a verdict shows, or None."""
    if verdict.verdict is Outcome.UNSCORABLE:
        return "unscorable"
    for finding in verdict.findings:
        if finding.rule in ("checker-crash", "checker-deadline", "checker-memory"):
            return f"{finding.rule}: {finding.message}"
        if SECRET in finding.message:
            return "a file was read"
    return None


def peak_bytes(pid: int) -> int:
    """The most memory that the process ever had (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def fuzz(name: str, count: int, seed: int, secret: Path) -> Report:
    """Judges `count` texts of one category in two workers."""
    secret.write_text(SECRET)
    report = Report()
    texts = inputs(name, count, seed, str(secret))
    with Verifier(workers=2) as verifier:
        while batch := list(itertools.islice(texts, BATCH)):
            started = time.monotonic()
            verdicts = verifier.verify_many(
                [VerifyRequest(text=text, category=name, format="file") for text in batch]
            )
            report.slowest_seconds = max(
                report.slowest_seconds, (time.monotonic() - started) / len(batch)
            )
            for text, verdict in zip(batch, verdicts, strict=True):
                report.outcomes[str(verdict.verdict)] += 1
                wrong = defect(verdict)
                if wrong:
                    report.defects.append((wrong, text))
            report.worker_bytes = max(
                [report.worker_bytes, *map(peak_bytes, verifier.process_ids())]
            )
    if report.worker_bytes > MAX_WORKER_BYTES:
        report.defects.append((f"a worker used {report.worker_bytes >> 20} MiB", ""))
    return report


def main() -> int:
    """Judge every category's hostile texts; exit status 1 for any defect."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--category", action="append", choices=list(CATEGORIES))
    parser.add_argument("--out", type=Path, default=Path("fuzz-defects"))
    chosen = parser.parse_args()
    failed = False
    for name in chosen.category or CATEGORIES:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            report = fuzz(name, chosen.count, chosen.seed, Path(folder) / "secret")
        seconds = time.monotonic() - started
        rate = chosen.count / seconds
        memory = report.worker_bytes >> 20
        print(
            (
                f"{name:16} {dict(report.outcomes)}  {len(report.defects)} defects  {rate:,.0f}/s  "
                f"worker {memory} MiB"
            ),
            flush=True,
        )
        for index, (wrong, text) in enumerate(report.defects):
            failed = True
            print(f"  {wrong}"[:300])
            chosen.out.mkdir(exist_ok=True)
            (chosen.out / f"{name}-{index:04}").write_bytes(text.encode("utf-8", "surrogatepass"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
