"""The families of MLOps and the pieces their answers share."""

from inframind.bench.family import Families

FAMILIES = Families("mlops")
family = FAMILIES.family
CONTAINER = "template.spec.containers[0]"


def crd(api: str, kind: str, name: str, spec: str) -> str:
    """An object with an already indented spec."""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n{spec}"


def pod(name: str, image: str, indent: int, more: str = "") -> str:
    """A pod template with one container; `more` is indented for the container already."""
    text = f"template:\n  spec:\n    containers:\n      - name: {name}\n        image: {image}\n"
    return "".join(f"{' ' * indent}{line}\n" for line in text.splitlines()) + more
