class Dockerfile:
    languages = ("dockerfile",)
