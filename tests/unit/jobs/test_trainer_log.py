"""The end of a trainer's log: bounded, printable, without secrets, and nobody else's file."""

from pathlib import Path

import pytest

from app.artifacts import Artifacts
from app.errors import NotFoundError
from app.jobs.trainer_log import HIDDEN, LOG, printable, read_end
from app.settings import Settings

SECRETS = [
    f"im_{'0a' * 8}_{'x' * 43}",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "sk-proj-abcdefghijklmnop",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "AKIAABCDEFGHIJKLMNOP",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "user:hunter2",
    "dGhpcyBpcyBhIHRva2Vu",
    "correct-horse",
    "MIIEvQIBADANBgkq",
]
TOLD = """
key {0} and {1}
{2} {3} {4} {5}
GET https://{6}@host/path failed
Authorization: Bearer {7}
{{"password": "{8}", "n": 1}} db_password={8}
-----BEGIN RSA PRIVATE KEY-----
{9}
-----END RSA PRIVATE KEY-----
""".format(*SECRETS)
HARMLESS = """max_tokens: 512, eos_token: <|im_end|>
https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct
step 3/12, token_accuracy 0.5; a secret is hidden
"""


def log_of(folder: Path, content: bytes) -> Artifacts:
    path = folder / "job" / "1" / LOG
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return Artifacts(folder)


def test_no_secret_is_shown() -> None:
    shown = printable(TOLD.encode())
    assert not [secret for secret in SECRETS if secret in shown], shown
    assert "GET https://" in shown and "@host/path failed" in shown and '"n": 1' in shown
    assert printable(HARMLESS.encode()) == HARMLESS


def test_the_services_own_secrets_are_hidden_whatever_they_look_like() -> None:
    configured = Settings(
        database_url="postgresql+psycopg://inframind:tr0ub4dor@db/inframind",  # type: ignore[arg-type]  # as from a variable
        judge_api_key="plain words",  # type: ignore[arg-type]
    )
    told = b"tried tr0ub4dor, then plain words\n"
    assert printable(told, configured.secrets) == f"tried {HIDDEN}, then {HIDDEN}\n"


def test_control_characters_and_bars_are_gone() -> None:
    told = (
        b"  0%|      | 0/12\r 50%|###   | 6/12\r100%|######| 12/12\n"
        b"\x1b[31mred\x1b[0m \x00\x07\x7f\xc2\x85 \xff\r\n"
        b"\xe2\x80\xae turned \xc3\xa9\tend\n"
    )
    assert printable(told) == (
        "100%|######| 12/12\nred \\x00\\x07\\x7f\\x85 \ufffd\n\\u202e turned \xe9\tend\n"
    )


def test_the_last_whole_lines_are_shown(tmp_path: Path) -> None:
    lines = [f"line {number:06d}" for number in range(50_000)]
    artifacts = log_of(tmp_path, "\n".join([*lines, ""]).encode())
    shown = read_end(artifacts, (), "job", 1, 1_000).splitlines()
    assert shown == lines[-len(shown) :] and 900 < len("\n".join(shown)) <= 1_000
    whole = log_of(tmp_path / "b", b"\xc3\xa9" * 5_000)
    assert 1_000 <= len(read_end(whole, (), "job", 1, 2_001).encode()) <= 2_001, "one long line"


def test_a_secret_that_begins_before_what_is_shown_is_hidden(tmp_path: Path) -> None:
    artifacts = log_of(tmp_path, f"{SECRETS[0]} {'x' * 80}\n".encode())
    for most in range(60, 140):
        assert "x" * 43 + " " not in read_end(artifacts, (), "job", 1, most)[:44]


def test_where_the_files_lie_is_not_told(tmp_path: Path) -> None:
    artifacts = log_of(tmp_path, f"cannot read {tmp_path}/job/1/stage-0\n".encode())
    assert read_end(artifacts, (), "job", 1, 999) == "cannot read <artifacts>/job/1/stage-0\n"


def test_a_link_in_the_logs_place_leads_nowhere(tmp_path: Path) -> None:
    artifacts = log_of(tmp_path, b"")
    (tmp_path / "another's").write_text("private")
    log = artifacts.job("job") / "1" / LOG
    log.unlink()
    log.symlink_to(tmp_path / "another's")
    for attempt in (1, 2):
        with pytest.raises(NotFoundError, match=f"no log of attempt {attempt}"):
            read_end(artifacts, (), "job", attempt, 999)
