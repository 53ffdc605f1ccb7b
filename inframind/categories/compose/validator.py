class Compose:
    languages = ("yaml",)
