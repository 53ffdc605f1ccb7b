"""The objects that would really run."""

from inframind.categories.base import Configuration, Resource
from inframind.categories.kubernetes import references
from inframind.categories.kubernetes.document import Item, Manifest


def runs(item: Item) -> bool:
    """Tell whether an object ever starts something: not suspended, not scaled to nothing."""
    return item.at("spec", "replicas") != 0 and item.at("spec", "suspend") is not True


def configuration(manifest: Manifest) -> Configuration:
    """Collect the objects as written, without those that never run.

    A workload with `replicas: 0` or `suspend: true` never runs.
    """
    resources = tuple(
        Resource(item.kind, item.name, item.fields, item.start + 1)
        for item in manifest.items
        if runs(item)
    )
    return Configuration(resources, tuple(references.links(resources)))
