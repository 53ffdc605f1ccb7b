"""Writes the model card of an adapter: Markdown with the hub's metadata.

The form: https://huggingface.co/docs/hub/model-cards
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inframind.models.adapter import AdapterManifest

METRIC = "greedy pass rate"


def card(manifest: AdapterManifest, evaluations: Sequence[Mapping[str, Any]]) -> str:
    """Writes the card.

    `evaluations` are rows of `evaluate` stages with `bench_hash`, newest first; that one is shown.
    """
    newest = evaluations[0] if evaluations else None
    parts = [
        _front(manifest, newest),
        _origin(manifest),
        _evaluation(newest),
        _training(manifest),
        _limits(manifest),
    ]
    return "\n".join(parts)


def _front(manifest: AdapterManifest, newest: Mapping[str, Any] | None) -> str:
    # JSON is YAML: a name with a colon stays a name.
    lines = [
        "---",
        f"base_model: {json.dumps(manifest.base_model)}",
        "library_name: peft",
        "pipeline_tag: text-generation",
    ]
    lines += ["tags: [lora, infrastructure-as-code, inframind]"]
    if newest is not None:
        result = {
            "task": {"type": "text-generation"},
            "dataset": {"name": "held-out tasks", "type": newest["bench_hash"]},
            "metrics": [{"type": "pass@1", "name": METRIC, "value": newest["pass_at_1"]}],
        }
        lines.append(f"model-index: {json.dumps([{'name': manifest.id, 'results': [result]}])}")
    return "\n".join([*lines, "---", ""])


def _origin(manifest: AdapterManifest) -> str:
    parent = (
        f"It continues `{manifest.parent}`."
        if manifest.parent
        else "It is the first of its lineage."
    )
    return (
        f"# {manifest.id}\n\n"
        f"A LoRA adapter for `{manifest.base_model}` that writes Infrastructure as Code, made by "
        f"the stage `{manifest.stage}` of the job `{manifest.job_id}`. {parent} "
        "It applies to the unmodified base model.\n"
    )


def _evaluation(newest: Mapping[str, Any] | None) -> str:
    if newest is None:
        return "## Evaluation\n\nIt was not evaluated.\n"
    lines = [
        "## Evaluation",
        "",
        f"{METRIC.capitalize()} on tasks that were never trained on; "
        "a pass is valid and every intent check holds. "
        f"Tasks `{newest['bench_hash']}`, difficulty up to {newest['max_difficulty']}.",
        "",
        "| tasks | pass rate | 95 % interval | number |",
        "|---|---|---|---|",
        _row("all, new values", newest),
        *(_row(f"new values, {name}", rate) for name, rate in newest["by_category"].items()),
        _row("families never trained on", newest["new_families"]),
    ]
    for name, scores in newest["judge"].items():
        listed = ", ".join(f"{key} {value:.2f}" for key, value in scores.items())
        lines += ["", f"Judge {_judge(name, newest.get('judge_model'))}, means: {listed}."]
    return "\n".join([*lines, ""])


def _judge(name: str, model: Mapping[str, Any] | None) -> str:
    """Names the judge.

    A model is marked where its agreement with the verifier is not shown to be enough.
    """
    if name != "llm" or model is None:
        return f"`{name}`"
    return (
        f"`{model['model']}` ({'trusted' if model['trusted'] else 'not trusted: ' + model['note']})"
    )


def _row(name: str, rate: Mapping[str, Any]) -> str:
    if not rate["n"]:
        return f"| {name} | - | - | 0 |"
    low, high = rate["ci95"]
    return f"| {name} | {rate['pass_at_1']:.1%} | {low:.1%} to {high:.1%} | {rate['n']} |"


def _training(manifest: AdapterManifest) -> str:
    settings = json.dumps(dict(manifest.config), indent=2, sort_keys=True)
    # Asked in another form than it was trained on, an adapter answers worse than it was measured.
    form = "as they were given" if manifest.rendering == "as_given" else "in the fenced form"
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    return (
        "## Training\n\n"
        f"Dataset `{manifest.dataset}` (`{manifest.bench_hash}`), seed {manifest.seed}, "
        f"quantization {manifest.quantization}, {manifest.train_seconds:.0f} s; rows rendered "
        f"{form} (docs/contracts/dataset.md).\n\n"
        f"```json\n{settings}\n```\n\n{versions}\n"
    )


def _limits(manifest: AdapterManifest) -> str:
    demonstration = (
        "`inframind-nano` is a demonstration model. "
        if manifest.base_model == "inframind-nano"
        else ""
    )
    return (
        f"## Limits\n\n{demonstration}"
        "What it writes must be verified and read before it is applied. "
        "The figures speak of the tasks above and of no others.\n"
    )
