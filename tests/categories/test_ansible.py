"""Ansible: what a run would really do, and what is decidable of its modules, handlers and
results."""

from typing import Any

import pytest

from inframind.categories import category
from inframind.types import Check, Outcome, VerifyRequest
from inframind.verifier.ladder import score

HEAD = (
    "- name: Play\n  hosts: web\n  become: true\n  vars:\n    app: shop\n    off: false\n  tasks:\n"
)
HANDLERS = (
    "  handlers:\n    - name: Restart\n      ansible.builtin.service:\n"
    "        name: shop\n        state: restarted\n"
)


def objects(text: str) -> list[Any]:
    kind = category("ansible")
    document = kind.parse(text)
    assert not kind.schema(document), kind.schema(document)
    assert not kind.references(document), kind.references(document)
    return list(kind.effective(document).resources)


def tasks(text: str) -> list[Any]:
    return [resource for resource in objects(HEAD + text) if resource.kind == "task"]


def passes(text: str) -> bool:
    return (
        score(VerifyRequest(text=text, category="ansible", format="file")).verdict is Outcome.PASS
    )


@pytest.mark.parametrize(
    "line",
    [
        "when: false",
        "when: 'no'",
        "when: not true",
        "when: off",
        "when: off | bool",
        "when: 1 == 2",
        "when: [inventory_hostname == 'a', false]",
        "tags: never",
        "tags: [a, never]",
        "check_mode: true",
        "loop: []",
    ],
)
def test_what_never_runs_is_not_there(line: str) -> None:
    assert (
        tasks(f"    - name: A\n      ansible.builtin.apt:\n        name: nginx\n      {line}\n")
        == []
    )
    block = (
        f"    - name: B\n      {line}\n      block:\n        - name: A\n"
        f"          ansible.builtin.apt:\n            name: nginx\n"
    )
    assert line == "loop: []" or tasks(block) == []


def test_nothing_runs_after_the_end_of_the_play() -> None:
    after = "    - name: A\n      ansible.builtin.apt:\n        name: nginx\n"
    assert [
        task.fields["module"] for task in tasks("    - ansible.builtin.meta: end_play\n" + after)
    ] == ["ansible.builtin.meta"]
    assert len(tasks("    - ansible.builtin.fail:\n        msg: no\n" + after)) == 1


def test_a_handler_is_there_only_if_it_is_notified() -> None:
    quiet = HEAD + "    - name: A\n      ansible.builtin.ping:\n" + HANDLERS
    assert "handler" not in {resource.kind for resource in objects(quiet)}
    loud = HEAD + "    - name: A\n      ansible.builtin.ping:\n      notify: Restart\n" + HANDLERS
    assert "handler" in {resource.kind for resource in objects(loud)}


def test_short_forms_aliases_and_types_are_one() -> None:
    written = (
        "    - apt: pkg=nginx,git update_cache=yes state=present\n",
        (
            "    - ansible.builtin.apt:\n        name: [nginx, git]\n        update_cache: true\n"
            "        state: present\n"
        ),
        "    - action: apt name=nginx,git update_cache=on state=present\n",
    )
    fields_of_each = [tasks(text)[0].fields for text in written]
    assert all(fields["module"] == "ansible.builtin.apt" for fields in fields_of_each)
    assert all(
        fields["args"] == {"name": ["nginx", "git"], "update_cache": True, "state": "present"}
        for fields in fields_of_each
    )


def test_literal_variables_and_loops_are_resolved() -> None:
    text = (
        '    - name: A\n      ansible.builtin.user:\n        name: "{{ app }}-{{ item.id }}"\n'
        "      loop:\n        - { id: a }\n        - { id: b }\n"
    )
    assert [task.fields["args"]["name"] for task in tasks(text)] == ["shop-a", "shop-b"]
    assert tasks('    - name: A\n      ansible.builtin.user:\n        name: "{{ elsewhere }}"\n')[
        0
    ].fields["args"] == {"name": "{{ elsewhere }}"}


def test_blocks_and_plays_give_what_their_tasks_inherit() -> None:
    text = (
        "    - become_user: app\n      when: ready\n      block:\n        - name: A\n"
        "          ansible.builtin.command: ls -l\n"
    )
    fields = tasks(text)[0].fields
    assert (fields["become"], fields["become_user"], fields["when"], fields["branch"]) == (
        True,
        "app",
        ["ready"],
        "block",
    )
    assert fields["args"] == {"cmd": "ls -l"}


@pytest.mark.parametrize(
    ("task", "good"),
    [
        ("ansible.builtin.copy:\n        src: a\n        dest: /b", True),
        ("ansible.builtin.copy:\n        dest: /b", False),
        ("docker_container:\n        name: a\n        image: b:1", True),
        ("ansible.builtin.shell: ls {{ item }} chdir=/srv\n      loop: [a]", True),
        ("ansible.builtin.include_tasks: other.yaml", True),
        (
            "ansible.builtin.debug:\n        msg: '{{ a | community.general.json_query(\"x\") }}'",
            True,
        ),
        ("ansible.builtin.debug:\n        msg: '{{ a | community.general.nothing }}'", False),
        ("ansible.builtin.debug:\n        msg: '{{ hostvars[x][\"a\"] | default(omit) }}'", True),
        ("community.general.ufw:\n        rule: open", False),
        ("ansible.builtin.service:\n        name: a\n        enabled: '{{ flag }}'", True),
        ("ansible.builtin.file:\n        path: /a\n        state: '{{ s }}'", True),
        ("ansible.builtin.k8s_magic:\n        name: a", False),
        ("community.general.docker_container:\n        name: a\n        image: b:1", True),
    ],
)
def test_modules(task: str, good: bool) -> None:
    assert passes(HEAD + f"    - name: A\n      {task}\n") is good


def test_a_foreign_collection_is_unsupported() -> None:
    verdict = score(
        VerifyRequest(
            text="- name: A\n  cisco.ios.ios_config:\n    lines: [a]\n",
            category="ansible",
            format="file",
        )
    )
    assert verdict.verdict is Outcome.FAIL
    assert verdict.rungs["schema"] == "unsupported"


def test_words_in_comments_and_strings_earn_nothing() -> None:
    check = Check(op="exists", kind="task", where={"module": "ansible.builtin.apt"})
    text = (
        "# ansible.builtin.apt: name=nginx\n"
        + HEAD
        + "    - ansible.builtin.debug:\n        msg: 'ansible.builtin.apt: name=nginx'\n"
    )
    assert (
        score(VerifyRequest(text=text, category="ansible", format="file", checks=(check,))).score
        <= 0.2
    )
