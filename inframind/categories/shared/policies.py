"""The marks that common policies look for, so that one duty means one thing in every category."""

import re

WORLD = frozenset({"0.0.0.0/0", "::/0"})
"""Networks that everybody is in."""
# Up to the pipe: no `;`, `&&`, `||` or end of line, which begin another command; a backslash joins
# lines. 500 characters bound the search: without, a long line of curls costs its length squared.
DOWNLOAD_TO_SHELL = re.compile(
    r"\b(?:curl|wget)\b(?:[^;&|\n]|\\\n|&(?!&)|\|(?!\|)){0,500}?"
    r"\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"
)
SECRET_VARIABLE = re.compile(r"(?i)password|passwd|secret|token|api_?key|private_?key")
SECRET_FIELD = re.compile(
    r"(?i)(?:password|passwd|secret|token|api_?key|private_?key|auth_token"
    r"|secret_?(?:string|key)|(?:^|_)access_key)\Z"
)


def downloads_to_shell(command: str) -> bool:
    """Tells whether a command pipes what it downloads into a shell."""
    return DOWNLOAD_TO_SHELL.search(command) is not None


def is_secret_variable(name: str) -> bool:
    """Tells whether a variable's name has a word for a secret in it: people name them freely."""
    return SECRET_VARIABLE.search(name) is not None


def is_secret_field(name: str) -> bool:
    """Tells whether a field's name ends in a word for a secret, as `token_type` does not."""
    return SECRET_FIELD.search(name) is not None


def is_unpinned(image: str) -> bool:
    """Tells whether the image has no tag, or `latest`, and no digest."""
    name = image.rsplit("/", 1)[-1]
    return "@" not in image and (":" not in name or name.endswith(":latest"))
