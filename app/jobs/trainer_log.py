"""Keeps the end of a trainer's log where every host reaches it, and reads it for the job's owner.

What a library prints, nobody foresees: on the way out secrets and control characters are taken
out, and what a progress bar has written over itself.
"""

import errno
import os
import re
from collections.abc import Collection
from pathlib import Path

from app.artifacts import Artifacts
from app.errors import NotFoundError
from app.logs import CONTROLS

LOG = "trainer.log"
"""What the trainer writes, in its attempt's folder on its worker's host."""
LOG_END = "trainer-log-end.txt"
"""The copy in the store: of a log's end, as much as anybody may ask for."""
MAX_BYTES = 262_144
HEAD_BYTES = 16_384
"""Read before what is shown: a secret that is cut in two would not be known by its form."""
HIDDEN = "[hidden]"
SECRETS = re.compile(
    r"""
      \bim_[0-9a-f]{16}_[\w-]{20,}                                # our own keys
    | \bhf_[A-Za-z0-9]{16,}                                       # the hub's
    | \b(?:sk|rk|pk)-[\w-]{16,}                                   # OpenAI's and Stripe's
    | \bgh[opsur]_\w{20,} | \bgithub_pat_\w{20,} | \bglpat-[\w-]{16,}
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b                               # ids of AWS keys
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                           # RFC 7519's tokens
    | (?<=://)[^\s/@:]*:[^\s/@]+(?=@)                             # RFC 3986's userinfo
    | (?<=bearer\s)\S{8,} | (?<=basic\s)[A-Za-z0-9+/=]{8,}        # RFC 6750, RFC 7617
    | -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
NAMED_SECRET = re.compile(
    r"((?:password|passwd|secret|credential|api_?key|access_?key|auth_?token|access_?token)\w*"
    r"[\"']?\s*[=:]\s*[\"']?)[^\s\"',;}]{4,}",
    re.IGNORECASE,
)
# CSI sequences (ECMA-48, 5.4), by which bars and colours are drawn.
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
SHORTEST_SECRET = 6
"""A shorter value would be hidden in the middle of ordinary words."""


def read_end(
    artifacts: Artifacts, secrets: Collection[str], job_id: str, attempt: int, most_bytes: int
) -> str:
    """Gives the last whole lines of an attempt's log. Raises NotFoundError, StoreError, OSError."""
    folder = artifacts.job(job_id) / str(attempt)
    log, copy = folder / LOG, folder / LOG_END
    if not log.exists():
        artifacts.pull(copy)
        log = copy
    try:
        ending = _last(log, most_bytes + HEAD_BYTES)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            raise
        raise NotFoundError(
            f"there is no log of attempt {attempt}: it has not begun to run, its worker is on"
            " another host and still has it, or it was pruned",
            param="attempt",
        ) from None
    text = printable(ending, [*secrets]).replace(str(artifacts.folder), "<artifacts>")
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text
    # From the next line's beginning; of one line that is longer than all, its end.
    shown = encoded[-most_bytes:].decode(errors="ignore")
    return shown.partition("\n")[2] or shown


def keep_end(artifacts: Artifacts, folder: Path) -> None:
    """Copies the end of an attempt's log to the store, if there is one.

    Raises StoreError, OSError.
    """
    if artifacts.has_store and (folder / LOG).is_file():
        copy = folder / LOG_END
        copy.write_bytes(_last(folder / LOG, MAX_BYTES + HEAD_BYTES))
        artifacts.push(copy)


def printable(log: bytes, secrets: Collection[str] = ()) -> str:
    """Gives a log's text without secrets, control characters and overwritten parts of lines."""
    text = ANSI.sub("", log.decode(errors="replace"))
    # A bar writes itself anew behind each carriage return: a terminal shows the last one.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    text = "\n".join(lines)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    text = NAMED_SECRET.sub(rf"\1{HIDDEN}", SECRETS.sub(HIDDEN, text))
    return text.translate(CONTROLS)


def _last(path: Path, count: int) -> bytes:
    # The trainer may put anything in its folder, and a link there would lead the api elsewhere.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - count))
        return file.read(count)
