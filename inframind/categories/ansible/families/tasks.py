"""Families of one or a few tasks."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, references
from inframind.categories.ansible.families.checks import (
    PACKAGES,
    SUDO,
    asked,
    call,
    on,
    play,
)
from inframind.types import Check

FAMILIES = Families("ansible")
family = FAMILIES.family


@family("package", difficulty=1)
def package(draw: Draw) -> Draft:
    hosts, name = draw.name(), draw.choice(PACKAGES)
    answer = play(
        hosts, call(f"Install {name}", "apt", name=name, state="present", update_cache="true")
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook that installs {name} with apt on the group {hosts} as root and refreshes the package cache.",
            f"ansible: {hosts}, become, apt {name} present, update_cache",
            f"All hosts of {hosts} need the package {name}. Use the apt module with an updated cache and privilege escalation.",
        ),
        answer=answer,
        reasoning=(f"play for {hosts} with become", f"apt installs {name} and updates the cache"),
        checks=(
            *on(hosts),
            *asked("apt", {"name": [name]}, gate=True, state="present", update_cache=True),
        ),
        variant=f"- hosts: {hosts}\n  tasks:\n    - apt: name={name} update_cache=yes state=present\n      become: yes\n",
        habits=(SUDO, ("state: present", "state: installed")),
    )


@family("service", difficulty=1)
def service(draw: Draw) -> Draft:
    hosts, name = draw.name(), draw.name()
    answer = play(
        hosts, call("Service runs", "service", name=name, state="started", enabled="true")
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for the group {hosts}: the service {name} is started and enabled at boot, as root.",
            f"ansible: {hosts}, become, service {name} started + enabled",
            f"Make sure that {name} runs now and after every boot on {hosts}; use ansible.builtin.service and become.",
        ),
        answer=answer,
        reasoning=(f"play for {hosts} with become", f"service {name} started and enabled"),
        checks=(
            *on(hosts),
            *asked("service", {"name": name}, gate=True, state="started", enabled=True),
        ),
        variant=f"- hosts: [{hosts}]\n  become: yes\n  tasks:\n    - service: name={name} enabled=yes state=started\n",
        habits=(SUDO, ("state: started", "state: running")),
    )


@family("directory", difficulty=1)
def directory(draw: Draw) -> Draft:
    hosts, path, owner, mode = (
        draw.name(),
        draw.path(),
        draw.word(),
        draw.choice(("0750", "0755", "0700")),
    )
    answer = play(
        hosts,
        call("Directory", "file", path=path, state="directory", owner=owner, mode=f'"{mode}"'),
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook that creates the directory {path} on {hosts}, owned by {owner}, mode {mode}, as root.",
            f"ansible: {hosts}, become, directory {path} owner {owner} mode {mode}",
            f"{owner} needs the folder {path} with the permissions {mode} on every host of {hosts}. Ansible, with become.",
        ),
        answer=answer,
        reasoning=(
            f"play for {hosts} with become",
            f"file {path} is a directory of {owner} with mode {mode}",
        ),
        checks=(
            *on(hosts),
            *asked("file", {"path": path}, gate=True, state="directory", owner=owner, mode=mode),
        ),
        variant=f"- hosts: {hosts}\n  become: true\n  tasks:\n    - file:\n        dest: {path}\n        state: directory\n        mode: '{mode}'\n        owner: {owner}\n",
        habits=(SUDO, ("state: directory", "state: dir")),
    )


@family("user", difficulty=1)
def user(draw: Draw) -> Draft:
    hosts, name, uid, shell = (
        draw.name(),
        draw.word(),
        draw.number(1100, 9800),
        draw.choice(("/bin/bash", "/bin/sh", "/usr/sbin/nologin")),
    )
    answer = play(
        hosts, call("Account", "user", name=name, uid=uid, shell=shell, create_home="true")
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts} that creates the user {name} with uid {uid}, the shell {shell} and a home directory, as root.",
            f"ansible: {hosts}, become, user {name} uid {uid} shell {shell}, create_home",
            f"Create the account {name} (uid {uid}, {shell}, with a home) on the hosts of {hosts}; escalate privileges.",
        ),
        answer=answer,
        reasoning=(f"play for {hosts} with become", f"user {name} with uid {uid} and {shell}"),
        checks=(
            *on(hosts),
            *asked("user", {"name": name}, gate=True, uid=uid, shell=shell, create_home=True),
        ),
        variant=answer.replace("create_home:", "createhome:").replace(
            f"uid: {uid}", f'uid: "{uid}"'
        ),
        habits=(SUDO, ("create_home:", "home_dir:")),
    )


@family("file-content", difficulty=1, held_out=True)
def file_content(draw: Draw) -> Draft:
    hosts, folder, key, value = (
        draw.name(),
        draw.path(),
        draw.choice(("region", "tier", "owner")),
        draw.word(),
    )
    answer = play(
        hosts,
        call(
            "Settings", "copy", dest=f"{folder}/app.conf", content=f'"{key}={value}"', mode='"0644"'
        ),
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}: the file {folder}/app.conf has the content {key}={value} and mode 0644, as root.",
            f"ansible: {hosts}, become, copy content {key}={value} to {folder}/app.conf, 0644",
            f"Put the line {key}={value} into {folder}/app.conf (mode 0644) on all of {hosts} with the copy module and become.",
        ),
        answer=answer,
        reasoning=(
            f"play for {hosts} with become",
            f"copy writes {key}={value} to {folder}/app.conf",
        ),
        checks=(
            *on(hosts),
            *asked("copy", {"dest": f"{folder}/app.conf"}, gate=True, mode="0644"),
            Check(
                op="matches",
                kind="task",
                path="args.content",
                value=rf"{key}={value}\s*",
                id="content",
            ),
        ),
        variant=f"- hosts: {hosts}\n  become: true\n  tasks:\n    - copy:\n        content: |\n          {key}={value}\n        dest: {folder}/app.conf\n        mode: '0644'\n",
        habits=(SUDO, ("content:", "text:")),
    )


@family("cron", difficulty=2)
def cron(draw: Draw) -> Draft:
    hosts, name, script, minute, hour = (
        draw.name(),
        draw.name(),
        draw.path(),
        draw.integer(1, 59),
        draw.integer(1, 6),
    )
    answer = play(
        hosts,
        call(
            "Cron job",
            "cron",
            name=name,
            minute=f'"{minute}"',
            hour=f'"{hour}"',
            job=script,
            user="root",
        ),
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}: the cron job {name} of root runs {script} every day at minute {minute} of hour {hour}.",
            f"ansible: {hosts}, become, cron {name}: {minute} {hour} * * * {script}, user root",
            f"Schedule {script} daily ({hour}h {minute}m) on {hosts} as root's cron job {name}, with the cron module and become.",
        ),
        answer=answer,
        reasoning=(
            f"play for {hosts} with become",
            f"cron {name} at minute {minute}, hour {hour} runs {script}",
        ),
        checks=(
            *on(hosts),
            *asked(
                "cron",
                {"name": name},
                gate=True,
                job=script,
                minute=str(minute),
                hour=str(hour),
                user="root",
            ),
        ),
        variant=answer.replace(f'"{minute}"', str(minute)).replace("ansible.builtin.cron", "cron"),
        habits=(("minute:", "minutes:"), ("job:", "command:")),
    )


@family("checkout", difficulty=2)
def checkout(draw: Draw) -> Draft:
    hosts, team, project, folder = draw.name(), draw.word(), draw.name(), draw.path()
    version = f"v{draw.integer(1, 9)}.{draw.integer(0, 9)}"
    repo = f"https://git.example.com/{team}/{project}.git"
    answer = play(
        hosts, call("Source", "git", repo=repo, dest=folder, version=version, depth=1), extra=""
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook that checks out {version} of {repo} to {folder} on {hosts}, with a depth of 1.",
            f"ansible: {hosts}, git {repo} {version} -> {folder}, depth 1",
            f"Clone {repo} shallowly (depth 1) at {version} into {folder} on the hosts {hosts} with ansible.builtin.git.",
        ),
        answer=answer,
        reasoning=(f"play for {hosts}", f"git clones {repo} at {version} to {folder}"),
        checks=(
            *on(hosts, become=False),
            *asked("git", {"dest": folder}, gate=True, repo=repo, version=version, depth=1),
        ),
        variant=f"- hosts: {hosts}\n  tasks:\n    - name: Get it\n      git: repo={repo} dest={folder} version={version} depth=1\n",
        habits=(("version:", "branch:"), ("repo:", "url:")),
    )


@family("configuration", difficulty=2)
def configuration(draw: Draw) -> Draft:
    hosts, name, folder = draw.name(), draw.name(), draw.path()
    tasks = call(
        "Configuration",
        "template",
        src=f"{name}.conf.j2",
        dest=f"{folder}/{name}.conf",
        mode='"0640"',
    )
    handler = call(f"Restart {name}", "service", name=name, state="restarted")
    answer = play(hosts, f"{tasks}  notify: Restart {name}\n", handlers=handler)
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}: the template {name}.conf.j2 becomes {folder}/{name}.conf (mode 0640), as root; a change restarts the service {name} through a handler.",
            f"ansible: {hosts}, become, template {name}.conf.j2 -> {folder}/{name}.conf 0640, handler restarts {name}",
            f"When {folder}/{name}.conf, made from {name}.conf.j2 with mode 0640, changes on {hosts}, the service {name} restarts. Use a handler and become.",
        ),
        answer=answer,
        reasoning=(
            f"play for {hosts} with become",
            f"template to {folder}/{name}.conf notifies",
            f"handler restarts {name}",
        ),
        checks=(
            *on(hosts),
            *asked(
                "template",
                {"dest": f"{folder}/{name}.conf"},
                gate=True,
                src=f"{name}.conf.j2",
                mode="0640",
            ),
            *asked("service", {"name": name}, kind="handler", state="restarted"),
            references("task", None, "notify", "handler"),
        ),
        variant=answer.replace(f"notify: Restart {name}", "notify: changed").replace(
            f"- name: Restart {name}\n", "- name: Start it again\n      listen: changed\n"
        ),
        habits=(
            (f"  notify: Restart {name}\n", ""),
            (f"notify: Restart {name}", f"notify: restart {name}"),
        ),
    )


@family("container", difficulty=2)
def container(draw: Draw) -> Draft:
    hosts, name, port = draw.name(), draw.name(), draw.port()
    image, inner = draw.choice((("nginx:1.27", 80), ("httpd:2.4", 80), ("caddy:2.8", 80)))
    module = "community.docker.docker_container"
    answer = play(
        hosts,
        call(
            "Container",
            module,
            name=name,
            image=image,
            restart_policy="unless-stopped",
            ports=f'["{port}:{inner}"]',
        ),
        extra="",
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts} that runs the Docker container {name} of {image}; host port {port} goes to {inner}, and it restarts unless stopped.",
            f"ansible: {hosts}, docker_container {name}, {image}, {port}:{inner}, unless-stopped",
            f"With community.docker on {hosts}: {image} as {name}, published as {port}:{inner}, restart policy unless-stopped.",
        ),
        answer=answer,
        reasoning=(f"play for {hosts}", f"container {name} of {image}, port {port}:{inner}"),
        checks=(
            *on(hosts, become=False),
            *asked(
                module,
                {"name": name},
                gate=True,
                image=image,
                restart_policy="unless-stopped",
                published_ports=[f"{port}:{inner}"],
            ),
        ),
        variant=answer.replace(
            f'ports: ["{port}:{inner}"]', f'published_ports:\n          - "{port}:{inner}"'
        ),
        habits=(("docker_container", "docker"), ("restart_policy:", "restart_always:")),
    )


@family("firewall", difficulty=2)
def firewall(draw: Draw) -> Draft:
    hosts, port, source = draw.name(), draw.port(), draw.cidr()
    answer = play(
        hosts,
        call(
            "Rule",
            "community.general.ufw",
            rule="allow",
            port=f'"{port}"',
            proto="tcp",
            from_ip=source,
        ),
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts}: ufw allows tcp port {port} from {source}, as root.",
            f"ansible: {hosts}, become, community.general.ufw allow {port}/tcp from {source}",
            f"Open port {port} (tcp) to the network {source} on the hosts of {hosts}, with the ufw module of community.general and become.",
        ),
        answer=answer,
        reasoning=(f"play for {hosts} with become", f"ufw allows {port}/tcp from {source}"),
        checks=(
            *on(hosts),
            *asked(
                "community.general.ufw",
                {"to_port": str(port)},
                gate=True,
                rule="allow",
                proto="tcp",
                from_ip=source,
            ),
        ),
        variant=answer.replace("from_ip:", "src:").replace(f'port: "{port}"', f"port: {port}"),
        habits=(("rule:", "action:"), ("community.general.ufw", "ansible.builtin.ufw_rule")),
    )


@family("bucket", difficulty=2)
def bucket(draw: Draw) -> Draft:
    name, owner, region = (
        draw.name(),
        draw.word(),
        draw.choice(("eu-central-1", "us-east-1", "eu-west-1")),
    )
    module = "amazon.aws.s3_bucket"
    tasks = (
        call("Bucket", module, name=name, region=region, versioning="true")
        + f"    tags:\n      owner: {owner}\n"
    )
    answer = play("localhost", tasks, extra="  gather_facts: false\n")
    return Draft(
        wordings=(
            f"Write an Ansible playbook for localhost, without gathering facts: the S3 bucket {name} in {region} has versioning and the tag owner={owner}.",
            f"ansible: localhost, no facts, amazon.aws.s3_bucket {name}, {region}, versioning, tag owner={owner}",
            f"From localhost create the versioned bucket {name} ({region}) with amazon.aws; tag it owner={owner}. No facts are needed.",
        ),
        answer=answer,
        reasoning=(
            "play for localhost without facts",
            f"bucket {name} in {region}, versioned, owner {owner}",
        ),
        checks=(
            contains("play", None, "hosts", "localhost"),
            equals("play", None, "gather_facts", False),
            *asked(
                module,
                {"name": name},
                gate=True,
                region=region,
                versioning=True,
                tags={"owner": owner},
            ),
        ),
        variant=answer.replace("gather_facts: false", "gather_facts: no").replace(
            "versioning: true", "versioning: yes"
        ),
        habits=((module, "amazon.aws.s3"), ("versioning:", "versioned:")),
    )


@family("mount", difficulty=2, held_out=True)
def mount(draw: Draw) -> Draft:
    hosts, folder, server, export = draw.name(), draw.path(), draw.domain(), draw.name()
    answer = play(
        hosts,
        call(
            "Mount",
            "ansible.posix.mount",
            path=folder,
            src=f"{server}:/{export}",
            fstype="nfs",
            opts="ro",
            state="mounted",
        ),
    )
    return Draft(
        wordings=(
            f"Write an Ansible playbook for {hosts} that mounts the NFS export {server}:/{export} read-only at {folder}, now and at boot, as root.",
            f"ansible: {hosts}, become, ansible.posix.mount {server}:/{export} nfs at {folder}, opts ro, mounted",
            f"{folder} on the hosts of {hosts} is the NFS share {server}:/{export} (option ro, state mounted). Use ansible.posix and become.",
        ),
        answer=answer,
        reasoning=(
            f"play for {hosts} with become",
            f"mount {server}:/{export} at {folder}, nfs, ro",
        ),
        checks=(
            *on(hosts),
            *asked(
                "ansible.posix.mount",
                {"path": folder},
                gate=True,
                src=f"{server}:/{export}",
                fstype="nfs",
                opts="ro",
                state="mounted",
            ),
        ),
        variant=answer.replace("path:", "name:"),
        habits=(("fstype:", "type:"), ("src:", "device:")),
    )
