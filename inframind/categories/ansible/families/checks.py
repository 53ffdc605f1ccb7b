"""The families of Ansible, and how their answers and checks are written."""

from textwrap import indent

from inframind.bench.family import contains
from inframind.types import Check, Json

PACKAGES = (
    "nginx",
    "haproxy",
    "redis-server",
    "chrony",
    "memcached",
    "rsyslog",
    "fail2ban",
    "keepalived",
)
SUDO = ("become: true", "sudo: true")
"""The keyword that `become` replaced in Ansible 1.9."""


def play(
    hosts: str,
    tasks: str,
    *,
    extra: str = "  become: true\n",
    handlers: str = "",
    name: str = "Playbook",
) -> str:
    """A play with its tasks and handlers, each given without indentation."""
    end = f"  handlers:\n{indent(handlers, '    ')}" if handlers else ""
    return f"- name: {name}\n  hosts: {hosts}\n{extra}  tasks:\n{indent(tasks, '    ')}{end}"


def call(title: str, module: str, /, **args: Json) -> str:
    """One task with its module and arguments."""
    full = module if "." in module else f"ansible.builtin.{module}"
    return f"- name: {title}\n  {full}:\n" + "".join(
        f"    {key}: {value}\n" for key, value in args.items()
    )


def asked(
    module: str, key: dict[str, Json], /, *, kind: str = "task", gate: bool = False, **args: Json
) -> tuple[Check, ...]:
    """There is a call of the module with the `key` arguments, and the same call has each of `args`."""
    full = module if "." in module else f"ansible.builtin.{module}"
    where: dict[str, Json] = {"module": full} | {
        f"args.{name}": value for name, value in key.items()
    }
    there = Check(op="exists", kind=kind, where=where, gate=gate, id=module)
    more = (
        Check(
            op="equals",
            kind=kind,
            where=where,
            path=f"args.{name}",
            value=value,
            id=f"{module} {name}",
        )
        for name, value in args.items()
    )
    return (there, *more)


def on(hosts: str, *, become: bool = True) -> tuple[Check, ...]:
    """The play is for these hosts; every task runs as root."""
    root = (
        (Check(op="equals", kind="task", path="become", value=True, every=True, id="become"),)
        if become
        else ()
    )
    return (contains("play", None, "hosts", hosts), *root)
