"""What the common policies look for: every category asks these."""

import pytest

from inframind.categories.shared.policies import downloads_to_shell, is_unpinned

URL = "https://example.com/install"


@pytest.mark.parametrize(
    "command",
    [
        f"curl -fsSL {URL} | sh",
        f"wget -qO- {URL} | sh",
        f"curl {URL} | sudo bash -s -- --yes",
        f"curl {URL} | tee install.log | zsh",
        f"curl {URL} \\\n  | bash",
        f"true && wget -O - {URL} |dash",
    ],
)
def test_what_is_downloaded_is_run_unseen(command: str) -> None:
    assert downloads_to_shell(command)


@pytest.mark.parametrize(
    "command",
    [
        f"curl -o install.sh {URL} && sh install.sh",
        f"wget {URL} || sh fallback.sh",
        f"curl {URL}; cat notes | sh",
        f"curl {URL}\ncat notes | sh",
        f"curl {URL} | shasum -c",
        "cat install.sh | sh",
    ],
)
def test_another_command_begins_or_nothing_is_downloaded(command: str) -> None:
    assert not downloads_to_shell(command)


@pytest.mark.parametrize(
    ("image", "unpinned"),
    [
        ("nginx", True),
        ("nginx:latest", True),
        ("registry:5000/nginx", True),
        ("nginx:1.29", False),
        ("registry:5000/nginx:1.29", False),
        ("nginx@sha256:0123", False),
        ("nginx:latest@sha256:0123", False),
    ],
)
def test_an_image_is_pinned_by_a_tag_or_a_digest(image: str, unpinned: bool) -> None:
    assert is_unpinned(image) is unpinned
