class GitHubActions:
    languages = ("yaml",)
