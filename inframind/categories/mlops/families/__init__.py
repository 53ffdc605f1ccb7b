"""Task families for MLOps: KServe, Kubeflow, Ray, Argo, MLflow and SageMaker."""

from inframind.categories.mlops.families import (
    projects,
    ray,
    sagemaker,
    serving,
    training,
    workflows,
)
from inframind.categories.mlops.families.base import FAMILIES

__all__ = ["FAMILIES", "projects", "ray", "sagemaker", "serving", "training", "workflows"]
