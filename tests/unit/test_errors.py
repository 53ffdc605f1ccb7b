"""The kinds of errors that OpenAI's clients know."""

import pytest

from app.errors import kind_of_code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("verifier_unavailable", "server_error"),
        ("quota_exceeded", "rate_limit_error"),
        ("unauthorized", "authentication_error"),
        ("model_not_found", "invalid_request_error"),
        ("invalid_data", "invalid_request_error"),
    ],
)
def test_a_codes_kind_is_that_of_its_status(code: str, kind: str) -> None:
    assert kind_of_code(code) == kind


def test_a_code_that_no_error_has_is_no_kind() -> None:
    with pytest.raises(KeyError):
        kind_of_code("surprise")
