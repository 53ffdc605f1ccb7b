"""A file, its checks, the verdict and the judgement."""

FILE = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: demo\ndata:\n  MODE: fast\n"
CHECKS = [
    {"op": "exists", "kind": "ConfigMap", "name": "demo", "gate": True},
    {"op": "equals", "kind": "ConfigMap", "name": "demo", "path": "data.MODE", "value": "fast"},
]
VERDICT = {
    "id": "",
    "category": "kubernetes",
    "verdict": "pass",
    "score": 1.0,
    "rungs": {
        "extract": "pass",
        "parse": "pass",
        "schema": "pass",
        "references": "pass",
        "intent": "pass",
        "policy": "pass",
    },
    "checks": [
        {"id": "exists ConfigMap", "passed": True, "message": ""},
        {"id": "data.MODE", "passed": True, "message": ""},
    ],
    "findings": [],
    "verifier": "inframind 0.1.0",
}
JUDGEMENT = {
    "object": "judgement",
    "judge": {
        "kind": "rules",
        "model": None,
        "fingerprint": None,
        "trusted": True,
        "kappa": None,
        "note": "",
    },
    "abstained": None,
    "scores": {
        "syntax": 10.0,
        "correctness": 10.0,
        "completeness": 10.0,
        "best_practices": 10.0,
        "security": 10.0,
    },
    "overall": 10.0,
    "would_work": True,
    "criteria": {},
    "feedback": "Valid, and all 2 checks hold.",
    "verdict": VERDICT,
    "agrees": True,
}
