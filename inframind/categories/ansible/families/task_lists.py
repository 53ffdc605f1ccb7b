"""Families of several tasks, or of one with a loop, conditions or a rescue."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals
from inframind.categories.ansible.families.checks import (
    asked,
    call,
    on,
    play,
)
from inframind.types import Check, Json

FAMILIES = Families("ansible")
family = FAMILIES.family


@family("users-loop", difficulty=3)
def users_loop(draw: Draw) -> Draft:
    hosts, group, first, second = draw.name(), draw.word(), draw.word(), draw.word()
    tasks = call("Group", "group", name=group) + call(
        "Members", "user", name='"{{ item }}"', groups=group, append="true"
    )
    answer = play(hosts, f"{tasks}  loop:\n    - {first}\n    - {second}\n")
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}, as root: create the group {group}, then in a loop the users {first} and {second}, who also join it.",
            f"ansible: {hosts}, become, group {group}, loop users {first}, {second}, groups {group}, append",
            f"The accounts {first} and {second} on {hosts} are added to the new group {group} without losing their other groups. Use become.",
        ),
        answer=answer,
        reasoning=(
            f"group {group} first",
            f"users {first} and {second} in a loop, appended to {group}",
        ),
        checks=(
            *on(hosts),
            *asked("group", {"name": group}, gate=True),
            *(
                check
                for name in (first, second)
                for check in asked("user", {"name": name}, groups=[group], append=True)
            ),
        ),
        variant=play(
            hosts,
            call("Group", "group", name=group)
            + "".join(
                call("User", "user", name=n, groups=f"[{group}]", append="yes")
                for n in (first, second)
            ),
        ),
        habits=(("append: true", "append: false"), ("  loop:\n", "  loops:\n")),
    )


@family("database", difficulty=3)
def database(draw: Draw) -> Draft:
    hosts, name, owner = draw.name(), draw.identifier(), draw.identifier()
    tasks = (
        call(
            "Owner",
            "community.postgresql.postgresql_user",
            **{"name": owner, "password": '"{{ db_password }}"'},
        )
        + "  no_log: true\n"
    )
    tasks += call(
        "Database", "community.postgresql.postgresql_db", name=name, owner=owner, encoding="UTF-8"
    )
    answer = play(hosts, tasks, extra="  become: true\n  become_user: postgres\n")
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts} that runs as postgres: the PostgreSQL user {owner} gets its password from the variable db_password without being logged and owns the database {name} (UTF-8).",
            f"ansible: {hosts}, become postgres, postgresql_user {owner} password db_password no_log, postgresql_db {name} owner {owner} UTF-8",
            f"Create the role {owner} (password in db_password, no_log) and its database {name} with the encoding UTF-8 on {hosts}; community.postgresql, become_user postgres.",
        ),
        answer=answer,
        reasoning=(
            f"user {owner} with the password of db_password, no_log",
            f"database {name} owned by {owner}",
        ),
        checks=(
            *on(hosts),
            Check(
                op="equals",
                kind="task",
                path="become_user",
                value="postgres",
                every=True,
                id="become_user",
            ),
            *asked("community.postgresql.postgresql_user", {"name": owner}),
            Check(
                op="matches",
                kind="task",
                where={"args.name": owner},
                path="args.password",
                value=r"\{\{ *db_password *\}\}",
                id="password",
            ),
            equals("task", None, "no_log", True),
            *asked(
                "community.postgresql.postgresql_db",
                {"name": name},
                gate=True,
                owner=owner,
                encoding="UTF-8",
            ),
        ),
        variant=answer.replace("name: " + name, "db: " + name).replace(
            '"{{ db_password }}"', "'{{db_password}}'"
        ),
        habits=(("become_user:", "sudo_user:"), ("owner: ", "user: ")),
    )


@family("unit", difficulty=3)
def unit(draw: Draw) -> Draft:
    hosts, name, program = draw.name(), draw.name(), draw.path()
    content = f"|\n      [Service]\n      ExecStart={program}\n      [Install]\n      WantedBy=multi-user.target"
    tasks = call(
        "Unit", "copy", dest=f"/etc/systemd/system/{name}.service", mode='"0644"', content=content
    )
    tasks += call(
        "Runs", "systemd_service", name=name, daemon_reload="true", enabled="true", state="started"
    )
    answer = play(hosts, tasks)
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}, as root: write /etc/systemd/system/{name}.service (mode 0644) that starts {program}, then reload systemd, enable and start {name}.",
            f"ansible: {hosts}, become, unit {name}.service in /etc/systemd/system 0644 ExecStart={program}; systemd daemon_reload, enabled, started",
            f"{program} shall run as the systemd service {name} on {hosts}. Copy its unit file to /etc/systemd/system with mode 0644, reload the daemon, enable and start it; become.",
        ),
        answer=answer,
        reasoning=(f"copy {name}.service with ExecStart={program}", f"systemd reloads, enables and starts {name}"),
        checks=(
            *on(hosts),
            *asked("copy", {"dest": f"/etc/systemd/system/{name}.service"}, gate=True, mode="0644"),
            contains("task", None, "args.content", f"ExecStart={program}\n"),
            Check(
                op="any_of", id="systemd",
                checks=tuple(
                    asked(m, {"name": n, "daemon_reload": True, "enabled": True, "state": "started"})[0]
                    for m in ("systemd_service", "systemd") for n in (name, f"{name}.service")
                ),
            ),
        ),
        variant=answer.replace("systemd_service:", "systemd:").replace("enabled: true", "enabled: yes"),
        habits=(("daemon_reload:", "reload_daemon:"), ("state: started", "state: running")),
    )  # fmt: skip


@family("by-distribution", difficulty=3)
def by_distribution(draw: Draw) -> Draft:
    hosts, name = draw.name(), draw.name()
    tasks = (
        call("Debian", "apt", name=name, state="present")
        + "  when: ansible_facts['os_family'] == 'Debian'\n"
    )
    tasks += (
        call("Red Hat", "dnf", name=name, state="present")
        + "  when: ansible_facts['os_family'] == 'RedHat'\n"
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}, as root: install {name} with apt where the os_family is Debian, with dnf where it is RedHat.",
            f"ansible: {hosts}, become, {name}: apt when os_family Debian, dnf when RedHat",
            f"{hosts} has hosts of the families Debian and RedHat (os_family). Install the package {name} with apt or dnf, each on its own; become.",
        ),
        answer=play(hosts, tasks),
        reasoning=(f"apt {name} when Debian", f"dnf {name} when RedHat"),
        checks=(
            *on(hosts),
            *asked("apt", {"name": [name]}, gate=True, state="present"),
            *asked("dnf", {"name": [name]}, state="present"),
            *(
                Check(
                    op="matches",
                    kind="task",
                    where={"module": f"ansible.builtin.{module}"},
                    path="when[0]",
                    value=rf".*os_family.*{system}.*",
                    id=system,
                )
                for module, system in (("apt", "Debian"), ("dnf", "RedHat"))
            ),
        ),
        variant=play(
            hosts,
            tasks.replace("ansible_facts['os_family']", "ansible_os_family").replace(
                "ansible.builtin.", ""
            ),
        ),
        habits=(("'RedHat'", "'CentOS'"), ("ansible_facts['os_family'] == 'Debian'", "false")),
    )


@family("manifest", difficulty=3)
def manifest(draw: Draw) -> Draft:
    space, name, key, value = (
        draw.name(),
        draw.name(),
        draw.choice(("MODE", "REGION", "TIER")),
        draw.word(),
    )
    head = "definition:\n      apiVersion: v1\n"
    first = f"- name: Namespace\n  kubernetes.core.k8s:\n    state: present\n    {head}      kind: Namespace\n      metadata:\n        name: {space}\n"
    second = f"- name: Settings\n  kubernetes.core.k8s:\n    state: present\n    {head}      kind: ConfigMap\n      metadata:\n        name: {name}\n        namespace: {space}\n      data:\n        {key}: {value}\n"
    answer = play("localhost", first + second, extra="  gather_facts: false\n")
    where: dict[str, Json] = {"module": "kubernetes.core.k8s", "args.state": "present"}
    return Draft(
        wordings=(
            f"Write an Ansible playbook for localhost that uses kubernetes.core.k8s: state present for the namespace {space}, then for the ConfigMap {name} in it with {key} set to {value}.",
            f"ansible: localhost, kubernetes.core.k8s present: Namespace {space}; ConfigMap {name} in {space}, {key}={value}",
            f"From localhost apply (state present) two Kubernetes objects with Ansible: the Namespace {space} and there the ConfigMap {name} with the entry {key}: {value}.",
        ),
        answer=answer,
        reasoning=(f"k8s makes the namespace {space}", f"k8s makes the ConfigMap {name} in {space}"),
        checks=(
            contains("play", None, "hosts", "localhost"),
            Check(op="exists", kind="task", gate=True, id="namespace", where=where | {"args.resource_definition.kind": "Namespace", "args.resource_definition.metadata.name": space}),
            Check(
                op="exists", kind="task", id="config",
                where=where | {"args.resource_definition.kind": "ConfigMap", "args.resource_definition.metadata.name": name, "args.resource_definition.metadata.namespace": space, f"args.resource_definition.data.{key}": value},
            ),
        ),
        variant=answer.replace("definition:", "resource_definition:"),
        habits=(("kubernetes.core.k8s", "kubernetes.core.kubectl"), ("definition:", "manifest:")),
    )  # fmt: skip
