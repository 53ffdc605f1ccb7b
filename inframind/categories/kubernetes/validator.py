class Kubernetes:
    languages = ("yaml",)
