"""Measure how far the fast checks of Terraform agree with `terraform validate`.

    python benchmarks/terraform_agreement.py FOLDER ... [--mutants 2000] [--seed 7] [--chunk 100]
        [--mutators developed|more|held-out]

A FOLDER holds real modules. terraform and the AWS provider must be where `inframind verify --deep`
finds them. Prints a JSON line per chunk and one with the sum: the files as they are, then their
mutants, of those that validate accepts. The kinds of mutants are those of `terraform_mutants.py`
and of `terraform_more_mutants.py`, with which the checker was developed, or those of
`terraform_held_out.py`, with which it was not.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import terraform_held_out
import terraform_more_mutants
import terraform_mutants
from terraform_mutants import Base, bases, mutants

from inframind.categories.terraform.deep import TerraformValidate
from inframind.types import Outcome, VerifyRequest
from inframind.verifier.ladder import score

PATIENCE = 3600.0
"""Seconds that one run may take: a run that is ended early is tried again in halves, which a busy
machine has no time for.
"""
MUTATORS = {
    "developed": terraform_mutants,
    "more": terraform_more_mutants,
    "held-out": terraform_held_out,
}
CELLS = {
    (True, True): "both accept",
    (False, False): "both reject",
    (True, False): "false accept",
    (False, True): "false reject",
}


def compare(
    tool: TerraformValidate, rows: Sequence[tuple[str, str, str]]
) -> tuple[Counter[str], list[dict[str, Any]], set[str]]:
    """Counts, disagreements, and the names of the texts that validate accepts.

    A row is (kind, name, text).
    """
    counts: Counter[str] = Counter()
    gaps, accepted = [], set()
    for (kind, name, text), opinion in zip(
        rows, tool.judge([text for _, _, text in rows]), strict=True
    ):
        verdict = score(VerifyRequest(text=text, category="terraform", format="file"))
        if opinion.outcome not in ("accepts", "rejects"):
            counts["undecided"] += 1
            continue
        deep = opinion.outcome == "accepts"
        cell = CELLS[verdict.verdict is Outcome.PASS, deep]
        counts[cell] += 1
        accepted |= {name} if deep else set()
        if cell.startswith("false"):
            findings = opinion.findings if cell == "false accept" else verdict.findings
            why = [
                f"{finding.line}: {finding.message}"
                for finding in findings
                if finding.severity != "warning"
            ]
            gaps.append({"cell": cell, "kind": kind, "name": name, "why": why[:3]})
    return counts, gaps, accepted


def measure(
    tool: TerraformValidate, label: str, rows: Sequence[tuple[str, str, str]], chunk: int
) -> set[str]:
    """Prints a line per chunk and a sum; returns what validate accepts."""
    total: Counter[str] = Counter()
    accepted: set[str] = set()
    started = time.perf_counter()
    for start in range(0, len(rows), chunk):
        counts, gaps, newly_accepted = compare(tool, rows[start : start + chunk])
        total += counts
        accepted |= newly_accepted
        seconds = round(time.perf_counter() - started, 1)
        print(
            json.dumps(
                {label: dict(total), "texts": start + chunk, "seconds": seconds, "gaps": gaps}
            ),
            flush=True,
        )
    valid, invalid = (
        total["both accept"] + total["false reject"],
        total["both reject"] + total["false accept"],
    )
    rates = {
        "false rejects of what validate accepts": round(total["false reject"] / max(valid, 1), 5),
        "false accepts of what validate rejects": round(total["false accept"] / max(invalid, 1), 5),
    }
    print(json.dumps({label: dict(total), "valid": valid, "invalid": invalid, **rates}), flush=True)
    return accepted


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--chunk", type=int, default=100)
    parser.add_argument("--mutators", choices=MUTATORS, default="developed")
    options = parser.parse_args()
    tool = TerraformValidate(seconds=PATIENCE)
    files = [base for folder in options.folders for base in bases(folder)]
    modules: dict[str, list[Base]] = {}
    for base in files:
        modules.setdefault(base.text.decode(), []).append(base)
    rows = [("as it is", text, text) for text in modules]
    accepted = measure(tool, "modules", rows, options.chunk)
    valid = [base for text in modules if text in accepted for base in modules[text]]
    print(
        json.dumps(
            {
                "version": tool.version(),
                "modules": len(modules),
                "files": len(files),
                "base files": len(valid),
            }
        ),
        flush=True,
    )
    source = MUTATORS[options.mutators]
    rows = mutants(valid, options.mutants, options.seed, (source.HARMLESS, source.HARMFUL))
    measure(tool, f"{options.mutators} mutants", rows, options.chunk)


if __name__ == "__main__":
    main()
