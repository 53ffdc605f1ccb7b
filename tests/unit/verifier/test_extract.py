"""From answers to files, as docs/contracts/verdict.md and the seed guide's <think> format have
it."""

import pytest

from inframind.verifier.extract import extract

YAML = ("yaml", "yml")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("```yaml\na: 1\n```", "a: 1\n"),
        ("Here it is:\n\n```yaml\na: 1\n```\nDone.", "a: 1\n"),
        ("```\na: 1\n```", "a: 1\n"),
        ("~~~ YML\na: 1\n~~~\n", "a: 1\n"),
        ("````yaml\n```\n````", "```\n"),
        ("```yaml title=x\na: 1\n```", "a: 1\n"),
        ("```yaml\r\na: 1\r\n```\r\n", "a: 1\r\n"),
        ("```yaml\n```", ""),
        ("<think>\nfirst\n</think>\n```yaml\na: 1\n```", "a: 1\n"),
        ("<think>\n```yaml\ndraft: 1\n```\n</think>\n```yaml\na: 1\n```", "a: 1\n"),
        ("the prompt held the opening tag\n</think>\n```yaml\na: 1\n```", "a: 1\n"),
        ("```yaml\nprompt: <think>x</think>\n```", "prompt: <think>x</think>\n"),
        ("  ```\n```yaml\na: 1\n```", "a: 1\n"),
    ],
)
def test_the_one_block_is_the_file(answer: str, text: str) -> None:
    extracted = extract(answer, YAML, "answer")
    assert extracted.rule is None
    assert extracted.text == text


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ("a: 1", "no-fence"),
        ("", "no-fence"),
        ("  ```yaml\n  a: 1\n  ```", "no-fence"),
        ("```yaml\na: 1", "fence-unclosed"),
        ("```yaml\na: 1\n~~~", "fence-unclosed"),
        ("````yaml\na: 1\n```", "fence-unclosed"),
        ("```yaml\na: 1\n```\n```yaml\na: 2\n```", "several-fences"),
        ("```yaml\na: 1\n```\n```sh\nls\n```", "several-fences"),
        ("```hcl\na = 1\n```", "wrong-language"),
        ("<think>\nforever ```yaml\na: 1\n```", "think-unclosed"),
        ("```yaml\na: 1\n```\n<think>", "think-unclosed"),
        ("<think>a</think>```yaml\na: 1\n```", "fence-unclosed"),
    ],
)
def test_broken_answers_are_refused(answer: str, rule: str) -> None:
    assert extract(answer, YAML, "answer").rule == rule


def test_a_file_is_taken_as_it_is() -> None:
    text = "# ```\n```yaml\n<think>\n"
    assert extract(text, YAML, "file").text == text


def test_auto_tells_answers_from_files() -> None:
    assert extract("a: 1\n", YAML).text == "a: 1\n"
    assert extract("```yaml\na: 1\n```", YAML).text == "a: 1\n"
    assert extract("<think>hm</think> a: 1", YAML).rule == "no-fence"
