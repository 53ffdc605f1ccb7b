"""Families of several tasks, handlers and plays."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, references
from inframind.categories.ansible.families.checks import asked, call, on, play
from inframind.types import Check

FAMILIES = Families("ansible")
family = FAMILIES.family


@family("roles", difficulty=2, held_out=True)
def roles(draw: Draw) -> Draft:
    hosts, first, second, port = draw.name(), draw.identifier(), draw.identifier(), draw.port()
    answer = f"- name: Roles\n  hosts: {hosts}\n  become: true\n  roles:\n    - {first}\n    - role: {second}\n      vars:\n        listen_port: {port}\n"
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}, as root, with the roles {first} and {second}; {second} gets the variable listen_port={port}.",
            f"ansible: {hosts}, become, roles {first}, {second} (vars listen_port {port})",
            f"Apply the role {first}, then {second} with listen_port set to {port}, to the hosts of {hosts}. Escalate privileges.",
        ),
        answer=answer,
        reasoning=(
            f"play for {hosts} with become",
            f"roles {first} and {second} with listen_port {port}",
        ),
        checks=(
            Check(op="exists", kind="role", name=second, gate=True, id="role"),
            contains("play", None, "hosts", hosts),
            equals("play", None, "become", True),
            equals("play", None, "roles[0].role", first),
            equals("role", second, "vars.listen_port", port),
        ),
        variant=answer.replace(f"- {first}", f"- role: {first}").replace(
            "become: true", "become: yes"
        ),
        habits=(("become: true", "sudo: yes"), ("    - role: ", "    - import: ")),
    )


@family("rollback", difficulty=4)
def rollback(draw: Draw) -> Draft:
    hosts, name, folder, backup = draw.name(), draw.name(), draw.path(), draw.path()
    block = call("New release", "unarchive", src=f"{name}.tar.gz", dest=folder) + call(
        "Restart", "service", name=name, state="restarted"
    )
    rescue = call("Old release", "copy", src=f"{backup}/", dest=folder, remote_src="true") + call(
        "Failed", "fail", msg=f"{name} was rolled back"
    )
    inner = "".join(f"    {line}\n" for line in block.splitlines())
    saved = "".join(f"    {line}\n" for line in rescue.splitlines())
    answer = play(hosts, f"- name: Release\n  block:\n{inner}  rescue:\n{saved}")
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}, as root, with a block: unpack {name}.tar.gz to {folder} and restart the service {name}. If that fails, rescue: copy {backup}/ on the host (remote_src) back to {folder} and fail with a message.",
            f"ansible: {hosts}, become, block: unarchive {name}.tar.gz -> {folder}, service {name} restarted; rescue: copy {backup}/ -> {folder} remote_src, fail",
            f"Deploy {name}.tar.gz into {folder} on {hosts} and restart {name}; when something goes wrong restore {folder} from {backup}/, which is on the host itself, then let the play fail. Use block and rescue, and become.",
        ),
        answer=answer,
        reasoning=(
            f"block: unarchive to {folder}, restart {name}",
            f"rescue: copy {backup}/ back to {folder} with remote_src",
            "fail at the end of the rescue",
        ),
        checks=(
            *on(hosts),
            *asked("unarchive", {"dest": folder}, gate=True, src=f"{name}.tar.gz"),
            *asked("service", {"name": name}, state="restarted"),
            *asked("copy", {"dest": folder}, src=f"{backup}/", remote_src=True),
            equals("task", None, "branch", "rescue"),
            *asked("fail", {}),
        ),
        variant=answer.replace("- name: Release\n      block:", "- block:").replace(
            "remote_src: true", "remote_src: yes"
        ),
        habits=(("rescue:", "except:"), ("remote_src: true", "remote_src: false")),
    )


@family("rolling-update", difficulty=4)
def rolling_update(draw: Draw) -> Draft:
    hosts, name, version, port = draw.name(), draw.name(), draw.integer(2, 9), draw.port()
    image = f"registry.example.com/{name}:{version}.0"
    module = "community.docker.docker_container"
    health = call("Healthy", "uri", url=f"http://localhost:{port}/health", status_code=200) + (
        "  register: health\n  until: health.status == 200\n  retries: 10\n  delay: 3\n"
    )
    tasks = call(
        "Container",
        module,
        name=name,
        image=image,
        ports=f'["{port}:{port}"]',
        restart_policy="always",
    )
    answer = play(hosts, tasks + health, extra="  serial: 1\n  max_fail_percentage: 0\n")
    return Draft(
        wordings=(
            f"Write an Ansible playbook for a rolling update of {hosts}, one host at a time and with no failure allowed (max_fail_percentage 0): the container {name} runs {image} with port {port}:{port} and restarts always; then uri asks http://localhost:{port}/health up to 10 times every 3 seconds until the status is 200.",
            f"ansible: {hosts}, serial 1, max_fail_percentage 0; docker_container {name} {image} {port}:{port} restart always; uri http://localhost:{port}/health until 200, retries 10, delay 3",
            f"Update {name} on {hosts} host by host (serial 1, max_fail_percentage 0) to {image}, published {port}:{port}, restart policy always. Go on only when http://localhost:{port}/health answers 200: 10 retries, 3 seconds apart.",
        ),
        answer=answer,
        reasoning=(
            "serial 1, no failures",
            f"container {name} of {image} on {port}",
            "uri until 200, 10 retries, delay 3",
        ),
        checks=(
            *on(hosts, become=False),
            equals("play", None, "serial", 1),
            equals("play", None, "max_fail_percentage", 0),
            *asked(
                module,
                {"name": name},
                gate=True,
                image=image,
                published_ports=[f"{port}:{port}"],
                restart_policy="always",
            ),
            *asked("uri", {"url": f"http://localhost:{port}/health"}),
            equals("task", None, "retries", 10),
            equals("task", None, "delay", 3),
            Check(
                op="matches",
                kind="task",
                path="until[0]",
                value=r".*status *(==|in) *\[?200.*",
                id="until",
            ),
        ),
        variant=answer.replace("register: health", "register: answer").replace(
            "until: health.status", "until: answer.status"
        ),
        habits=(("  register: health\n", ""), ("serial: 1", "forks: 1")),
    )


@family("web-and-data", difficulty=4, held_out=True)
def web_and_data(draw: Draw) -> Draft:
    web, data, site, port = draw.name(), draw.name(), draw.name(), draw.port()
    first = play(
        web,
        call("Packages", "apt", name="nginx", state="present")
        + call("Site", "template", src=f"{site}.j2", dest=f"/etc/nginx/conf.d/{site}.conf")
        + "  notify: Reload\n",
        handlers=call("Reload", "service", name="nginx", state="reloaded"),
        name="Web",
    )
    second = play(
        data,
        call("Packages", "apt", name="redis-server", state="present")
        + call(
            "Port", "lineinfile", path="/etc/redis/redis.conf", regexp="^port", line=f"port {port}"
        ),
        name="Data",
    )
    return Draft(
        wordings=(
            f"Write one Ansible playbook with two plays, both as root. On {web}: install nginx with apt, make /etc/nginx/conf.d/{site}.conf from {site}.j2, and reload nginx by a handler when it changes. On {data}: install redis-server with apt and set the line port {port} in /etc/redis/redis.conf.",
            f"ansible, two plays, become: {web}: apt nginx, template {site}.j2 -> /etc/nginx/conf.d/{site}.conf, handler reloads nginx; {data}: apt redis-server, lineinfile /etc/redis/redis.conf port {port}",
            f"The group {web} serves {site} with nginx (its configuration comes from {site}.j2 into /etc/nginx/conf.d/{site}.conf and nginx is reloaded by a handler), the group {data} has redis-server whose /etc/redis/redis.conf says port {port}. One playbook, apt, become.",
        ),
        answer=first + second,
        reasoning=(
            f"first play for {web}: nginx, template, handler",
            f"second play for {data}: redis-server, line port {port}",
        ),
        checks=(
            *on(web),
            contains("play", None, "hosts", data),
            *asked(
                "template", {"dest": f"/etc/nginx/conf.d/{site}.conf"}, gate=True, src=f"{site}.j2"
            ),
            *asked("service", {"name": "nginx"}, kind="handler", state="reloaded"),
            references("task", None, "notify", "handler"),
            *asked("lineinfile", {"path": "/etc/redis/redis.conf"}, line=f"port {port}"),
            *asked("apt", {"name": ["nginx"]}),
            *asked("apt", {"name": ["redis-server"]}),
        ),
        variant=second + first.replace("ansible.builtin.", ""),
        habits=(("  notify: Reload\n", ""), ("lineinfile:", "line_in_file:")),
    )


@family("hardening", difficulty=4)
def hardening(draw: Draw) -> Draft:
    hosts, port, group, limit = draw.name(), draw.port(), draw.word(), draw.integer(2, 6)
    lines = (
        ("Port", port),
        ("PermitRootLogin", "no"),
        ("AllowGroups", group),
        ("MaxAuthTries", limit),
    )
    tasks = "".join(
        call(
            f"sshd {key}",
            "lineinfile",
            path="/etc/ssh/sshd_config",
            regexp=f"'^#?{key} '",
            line=f"{key} {value}",
        )
        + "  notify: Restart sshd\n"
        for key, value in lines
    )
    answer = play(
        hosts, tasks, handlers=call("Restart sshd", "service", name="sshd", state="restarted")
    )
    loop = "".join(f"        - {key} {value}\n" for key, value in lines)
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}, as root, that sets four lines of /etc/ssh/sshd_config with lineinfile: Port {port}, PermitRootLogin no, AllowGroups {group} and MaxAuthTries {limit}. A handler restarts the service sshd.",
            f"ansible: {hosts}, become, lineinfile /etc/ssh/sshd_config: Port {port}; PermitRootLogin no; AllowGroups {group}; MaxAuthTries {limit}; handler restarts sshd",
            f"Harden ssh on {hosts}: /etc/ssh/sshd_config has Port {port}, PermitRootLogin no, AllowGroups {group}, MaxAuthTries {limit} (lineinfile), and sshd is restarted by a handler once something changed. become.",
        ),
        answer=answer,
        reasoning=(
            f"lineinfile for Port {port}, PermitRootLogin, AllowGroups {group}, MaxAuthTries {limit}",
            "handler restarts sshd",
        ),
        checks=(
            *on(hosts),
            *(
                check
                for key, value in lines
                for check in asked(
                    "lineinfile",
                    {"line": f"{key} {value}"},
                    gate=key == "Port",
                    path="/etc/ssh/sshd_config",
                )
            ),
            *asked("service", {"name": "sshd"}, kind="handler", state="restarted"),
            references("task", None, "notify", "handler"),
        ),
        variant=(
            f"- hosts: {hosts}\n  become: true\n  tasks:\n    - lineinfile:\n        path: /etc/ssh/sshd_config\n"
            '        regexp: "^#?{{ item.split()[0] }} "\n        line: "{{ item }}"\n'
            f"      loop:\n{loop}      notify: Restart sshd\n"
            "  handlers:\n    - name: Restart sshd\n      service: name=sshd state=restarted\n"
        ),
        habits=(
            ("      notify: Restart sshd\n", ""),
            ("PermitRootLogin no", "PermitRootLogin yes"),
        ),
    )


def application_tasks(name: str, account: str, folder: str, port: str | int, repo: str) -> str:
    """Packages, account, source, libraries, environment and unit of a Python application."""
    return (
        call("Packages", "apt", name="[git, python3-venv]", state="present", update_cache="true")
        + call("Account", "user", name=account, system="true", home=folder)
        + call("Source", "git", repo=repo, dest=f"{folder}/src", version="main")
        + f"  become_user: {account}\n  notify: Restart\n"
        + call(
            "Libraries",
            "pip",
            requirements=f"{folder}/src/requirements.txt",
            virtualenv=f"{folder}/venv",
        )
        + f"  become_user: {account}\n"
        + call(
            "Environment",
            "copy",
            dest=f"{folder}/env",
            content=f'"PORT={port}"',
            owner=account,
            mode='"0600"',
        )
        + "  notify: Restart\n"
        + call(
            "Unit",
            "template",
            src=f"{name}.service.j2",
            dest=f"/etc/systemd/system/{name}.service",
            mode='"0644"',
        )
        + "  notify: Restart\n"
        + call(
            "Runs",
            "systemd_service",
            name=name,
            enabled="true",
            state="started",
            daemon_reload="true",
        )
    )


@family("application", difficulty=5)
def application(draw: Draw) -> Draft:
    hosts, name, account, folder, port = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.path(),
        draw.port(),
    )
    repo = f"https://git.example.com/{name}.git"
    tasks = application_tasks(name, account, folder, port, repo)
    answer = play(
        hosts, tasks, handlers=call("Restart", "systemd_service", name=name, state="restarted")
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook that deploys a Python application on {hosts}, as root: apt installs git and python3-venv; the system user {account} has the home {folder}; as {account}, {repo} (main) is cloned to {folder}/src and its requirements.txt goes into the virtualenv {folder}/venv; {folder}/env holds PORT={port}, belongs to {account} and has mode 0600; the unit /etc/systemd/system/{name}.service comes from {name}.service.j2 (0644); {name} is enabled and started after a daemon reload, and a handler restarts it when source, environment or unit change.",
            f"ansible: {hosts}, become; apt git python3-venv; system user {account} home {folder}; as {account}: git {repo} main -> {folder}/src, pip requirements {folder}/src/requirements.txt in virtualenv {folder}/venv; copy PORT={port} to {folder}/env owner {account} 0600; template {name}.service.j2 -> /etc/systemd/system/{name}.service 0644; systemd {name} enabled started daemon_reload; handler restarts {name}",
            f"Deploy {name} to {hosts} with Ansible.\n---\n- become; packages git, python3-venv (apt)\n- system user {account}, home {folder}\n- {repo}, branch main, to {folder}/src, as {account}\n- pip: {folder}/src/requirements.txt into the virtualenv {folder}/venv, as {account}\n- {folder}/env: PORT={port}, owner {account}, 0600\n- {name}.service.j2 to /etc/systemd/system/{name}.service, 0644\n- systemd: {name} enabled and started, daemon reload\n- a handler restarts {name}",
        ),
        answer=answer,
        reasoning=(
            f"packages, then the account {account} with home {folder}",
            f"git to {folder}/src and pip into {folder}/venv as {account}",
            f"{folder}/env with PORT={port}, the unit {name}.service",
            f"systemd starts {name}; a handler restarts it",
        ),
        checks=(
            *on(hosts),
            Check(op="contains", kind="task", where={"module": "ansible.builtin.apt"}, path="args.name", value="python3-venv", id="apt"),
            *asked("user", {"name": account}, system=True, home=folder),
            *asked("git", {"dest": f"{folder}/src"}, repo=repo, version="main"),
            *asked("pip", {"virtualenv": f"{folder}/venv"}, requirements=f"{folder}/src/requirements.txt"),
            Check(
                op="equals", kind="task", where={"module": "ansible.builtin.git"}, path="become_user", value=account, id="become_user"
            ),
            *asked("copy", {"dest": f"{folder}/env"}, owner=account, mode="0600"),
            contains("task", None, "args.content", f"PORT={port}"),
            *asked("template", {"dest": f"/etc/systemd/system/{name}.service"}, gate=True, src=f"{name}.service.j2", mode="0644"),
            equals("handler", None, "args.state", "restarted"),
            references("task", None, "notify", "handler"),
            Check(
                op="exists", kind="task", id="runs",
                where={"args.name": name, "args.enabled": True, "args.state": "started", "args.daemon_reload": True},
            ),
        ),
        variant=answer.replace("systemd_service", "systemd").replace("[git, python3-venv]", "python3-venv,git"),
        habits=(("notify: Restart", "notify: restart"), ("virtualenv:", "venv:")),
    )  # fmt: skip


@family("backup-system", difficulty=5)
def backup_system(draw: Draw) -> Draft:
    hosts, store, account, source, target = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.path(),
        draw.path(),
    )
    hour = draw.integer(1, 5)
    script = f"/usr/local/bin/{store}-backup"
    body = f"|\n      #!/bin/sh\n      tar -czf {target}/backup.tar.gz {source}"
    first = play(
        store,
        call("Account", "user", **{"name": account, "shell": "/bin/bash"})
        + call("Store", "file", path=target, state="directory", owner=account, mode='"0750"'),
        name="Store",
    )
    second = play(
        hosts,
        call("Mount point", "file", path=target, state="directory", mode='"0755"')
        + call(
            "Mount",
            "ansible.posix.mount",
            path=target,
            src=f"{store}:{target}",
            fstype="nfs",
            state="mounted",
        )
        + call("Script", "copy", dest=script, mode='"0755"', content=body)
        + call(
            "Every night",
            "cron",
            name=f"{store}-backup",
            hour=f'"{hour}"',
            minute='"0"',
            job=script,
        ),
        name="Clients",
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook with two plays, as root. On {store}: the user {account} with /bin/bash, and the directory {target} of {account} with mode 0750. On {hosts}: the directory {target}, where {store}:{target} is mounted by NFS; the script {script} (0755) that runs tar -czf {target}/backup.tar.gz {source}; and the cron job {store}-backup that runs it at minute 0 of hour {hour}.",
            f"ansible, two plays, become: {store}: user {account} /bin/bash, directory {target} owner {account} 0750; {hosts}: directory {target}, mount nfs {store}:{target} there, copy {script} 0755 with tar -czf {target}/backup.tar.gz {source}, cron {store}-backup {hour}:00",
            f"Nightly backups with Ansible, two plays with become.\n---\n{store}:\n- user {account}, shell /bin/bash\n- directory {target}, owner {account}, 0750\n\n{hosts}:\n- directory {target}, on it the NFS mount {store}:{target}\n- {script}, 0755: tar -czf {target}/backup.tar.gz {source}\n- cron {store}-backup at {hour}:00",
        ),
        answer=first + second,
        reasoning=(
            f"play for {store}: user {account}, directory {target}",
            f"play for {hosts}: mount {store}:{target}, script, cron at {hour}:00",
        ),
        checks=(
            *on(hosts),
            contains("play", None, "hosts", store),
            *asked("user", {"name": account, "shell": "/bin/bash"}),
            *asked("file", {"path": target, "owner": account}, state="directory", mode="0750"),
            *asked(
                "ansible.posix.mount",
                {"path": target},
                gate=True,
                src=f"{store}:{target}",
                fstype="nfs",
                state="mounted",
            ),
            *asked("copy", {"dest": script}, mode="0755"),
            contains("task", None, "args.content", f"tar -czf {target}/backup.tar.gz {source}\n"),
            *asked("cron", {"name": f"{store}-backup"}, job=script, hour=str(hour), minute="0"),
        ),
        variant=first.replace("become: true", "become: yes")
        + second.replace("ansible.builtin.", ""),
        habits=(
            ("ansible.posix.mount", "ansible.builtin.mount_nfs"),
            ("    - name: Every night", "    - name: Every night\n      when: false"),
        ),
    )
