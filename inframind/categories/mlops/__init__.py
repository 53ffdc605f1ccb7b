"""The MLOps category: KServe, Kubeflow, Ray, Argo, MLflow projects and SageMaker requests."""
