"""Task families of Alertmanager's configuration: difficulty 1 to 4."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, identity, references
from inframind.categories.prometheus.families.checks import matches_label
from inframind.types import Check

FAMILIES = Families("prometheus")
family = FAMILIES.family

WAITS = ("10s", "30s", "1m")
REPEATS = ("1h", "3h", "4h", "12h", "1d")


@family("webhook-receiver", difficulty=1)
def webhook_receiver(draw: Draw) -> Draft:
    receiver, host, hook = draw.name(), draw.domain(), draw.word()
    url = f"https://{host}/{hook}"
    answer = f"route:\n  receiver: {receiver}\n\nreceivers:\n  - name: {receiver}\n    webhook_configs:\n      - url: {url}\n"
    return Draft(
        wordings=(
            f"Write an alertmanager.yml that sends every alert to the receiver {receiver}, a webhook at {url}.",
            f"alertmanager: receiver {receiver}, webhook {url}, default route to it",
            f"All our alerts shall be posted to {url}. Call the Alertmanager receiver {receiver}.",
        ),
        answer=answer,
        reasoning=(f"the root route goes to {receiver}", f"webhook {url}"),
        checks=(
            identity("receiver", receiver),
            identity("route", receiver),
            equals("receiver", receiver, "webhook_configs[0].url", url),
        ),
        variant=f"receivers: [{{name: {receiver}, webhook_configs: [{{url: '{url}', send_resolved: true}}]}}]\nroute: {{receiver: {receiver}}}\n",
        habits=(
            ("webhook_configs:", "webhook_config:"),
            (f"url: {url}", f"url: {host}/{hook}"),
            (f"route:\n  receiver: {receiver}", "route:\n  receiver: default"),
        ),
    )


@family("grouping", difficulty=1)
def grouping(draw: Draw) -> Draft:
    receiver, label, wait, repeat = (
        draw.name(),
        draw.identifier(),
        draw.choice(WAITS),
        draw.choice(REPEATS),
    )
    host = draw.domain()
    answer = (
        f"route:\n  receiver: {receiver}\n  group_by: [alertname, {label}]\n  group_wait: {wait}\n  repeat_interval: {repeat}\n\n"
        f"receivers:\n  - name: {receiver}\n    webhook_configs:\n      - url: https://{host}/\n"
    )
    return Draft(
        wordings=(
            f"Write an alertmanager.yml: group alerts by alertname and {label}, wait {wait} for more of a group, repeat after {repeat}; the receiver {receiver} is the webhook https://{host}/.",
            f"alertmanager: group_by alertname, {label}; group_wait {wait}; repeat_interval {repeat}; receiver {receiver} -> https://{host}/ (webhook)",
            f"The webhook https://{host}/ (receiver {receiver}) gets alerts in groups of the same alertname and {label}. A new group waits {wait}, and what stays open is sent again after {repeat}.",
        ),
        answer=answer,
        reasoning=(
            f"group_by alertname and {label}",
            f"wait {wait}, repeat {repeat}, receiver {receiver}",
        ),
        checks=(
            identity("route", receiver),
            equals("route", receiver, "sort(group_by)", sorted(["alertname", label])),
            equals("route", receiver, "group_wait", wait),
            equals("route", receiver, "repeat_interval", repeat),
            equals("receiver", receiver, "webhook_configs[0].url", f"https://{host}/"),
        ),
        variant=answer.replace(
            f"[alertname, {label}]", f"\n    - {label}\n    - alertname"
        ).replace(f"https://{host}/", f'"https://{host}/"'),
        habits=(
            ("  group_by:", "  groupBy:"),
            ("repeat_interval:", "repeat_every:"),
            (f"[alertname, {label}]", f"alertname, {label}"),
        ),
    )


@family("chat-receiver", difficulty=2)
def chat_receiver(draw: Draw) -> Draft:
    receiver, channel, file = draw.name(), draw.name(), draw.path()
    answer = (
        f"route:\n  receiver: {receiver}\n\nreceivers:\n  - name: {receiver}\n    slack_configs:\n      - api_url_file: {file}\n"
        f'        channel: "#{channel}"\n        send_resolved: true\n'
    )
    return Draft(
        wordings=(
            f"Write an alertmanager.yml with the receiver {receiver}: Slack channel #{channel}, webhook address from the file {file}, resolved alerts too.",
            f"alertmanager slack: receiver {receiver}, channel #{channel}, api_url_file {file}, send_resolved",
            f"Alerts belong into #{channel} on Slack, also when they are over. The address of the hook is in {file}; the receiver is called {receiver}.",
        ),
        answer=answer,
        reasoning=(f"receiver {receiver}, Slack #{channel}", f"api_url_file {file}, send_resolved"),
        checks=(
            identity("receiver", receiver),
            identity("route", receiver),
            Check(
                op="matches",
                id="channel",
                kind="receiver",
                name=receiver,
                path="slack_configs[0].channel",
                value=f"#?{channel}",
            ),
            equals("receiver", receiver, "slack_configs[0].api_url_file", file),
            equals("receiver", receiver, "slack_configs[0].send_resolved", True),
        ),
        variant=answer.replace(f'"#{channel}"', f"'#{channel}'").replace(
            f"        channel: '#{channel}'\n        send_resolved: true\n",
            f"        send_resolved: true\n        channel: '#{channel}'\n",
        ),
        habits=(
            (f'"#{channel}"', f"#{channel}"),
            ("        send_resolved: true\n", ""),
            ("slack_configs:", "slack:"),
        ),
    )


@family("mail-receiver", difficulty=2)
def mail_receiver(draw: Draw) -> Draft:
    receiver, host, user, file, team = (
        draw.name(),
        draw.domain(),
        draw.word(),
        draw.path(),
        draw.word(),
    )
    answer = (
        f"global:\n  smtp_smarthost: {host}:587\n  smtp_from: {user}@{host}\n  smtp_auth_username: {user}\n  smtp_auth_password_file: {file}\n\n"
        f"route:\n  receiver: {receiver}\n\nreceivers:\n  - name: {receiver}\n    email_configs:\n      - to: {team}@{host}\n"
    )
    return Draft(
        wordings=(
            f"Write an alertmanager.yml that mails alerts to {team}@{host} (receiver {receiver}) through {host}:587, from {user}@{host}, logged in as {user} with the password in {file}. Keep the mail settings global.",
            f"alertmanager mail: receiver {receiver} to {team}@{host}; global smtp {host}:587, from {user}@{host}, auth {user}, password file {file}",
            f"{team}@{host} wants alerts by mail.\n---\nreceiver: {receiver}\nsmarthost: {host}:587 (global)\nfrom: {user}@{host}\nlogin: {user}, password in {file}",
        ),
        answer=answer,
        reasoning=(f"global SMTP {host}:587 as {user}", f"receiver {receiver} mails {team}@{host}"),
        checks=(
            identity("receiver", receiver),
            identity("route", receiver),
            equals("alertmanager", None, "global.smtp_smarthost", f"{host}:587"),
            equals("alertmanager", None, "global.smtp_from", f"{user}@{host}"),
            equals("alertmanager", None, "global.smtp_auth_username", user),
            equals("alertmanager", None, "global.smtp_auth_password_file", file),
            equals("receiver", receiver, "email_configs[0].to", f"{team}@{host}"),
        ),
        variant=answer.replace(
            f"smtp_smarthost: {host}:587", f"smtp_smarthost: '{host}:587'"
        ).replace(
            "    email_configs:\n      - to: ",
            "    email_configs:\n      - send_resolved: true\n        to: ",
        ),
        habits=(
            (f"  smtp_smarthost: {host}:587\n", ""),
            ("password_file:", "password:"),
            (f"{host}:587", f"{host}:25"),
        ),
    )


@family("severity-routing", difficulty=3)
def severity_routing(draw: Draw) -> Draft:
    default, pager, file, host, label = (
        draw.name(),
        draw.name(),
        draw.path(),
        draw.domain(),
        draw.choice(("page", "critical")),
    )
    repeat = draw.choice(REPEATS)
    answer = (
        f'route:\n  receiver: {default}\n  repeat_interval: {repeat}\n  routes:\n    - matchers: [severity="{label}"]\n      receiver: {pager}\n\n'
        f"receivers:\n  - name: {default}\n    webhook_configs:\n      - url: https://{host}/alerts\n  - name: {pager}\n    pagerduty_configs:\n"
        f"      - routing_key_file: {file}\n"
    )
    return Draft(
        wordings=(
            f"Write an alertmanager.yml: alerts go to {default} (webhook https://{host}/alerts), but those with severity {label} to {pager}, PagerDuty with the routing key in {file}. Repeat every {repeat}.",
            f'alertmanager: default {default} -> webhook https://{host}/alerts, repeat {repeat}; severity="{label}" -> {pager} (pagerduty, routing_key_file {file})',
            f"Severity {label} must wake somebody: {pager} is PagerDuty, its key lies in {file}. Everything else is for {default}, a webhook at https://{host}/alerts. repeat_interval {repeat}.",
        ),
        answer=answer,
        reasoning=(f"default {default}, repeat {repeat}", f"severity {label} to {pager}"),
        checks=(
            identity("receiver", default),
            identity("receiver", pager),
            equals("route", default, "depth", 0),
            equals("route", default, "repeat_interval", repeat),
            matches_label(pager, "severity", label),
            equals("receiver", pager, "pagerduty_configs[0].routing_key_file", file),
            equals("receiver", default, "webhook_configs[0].url", f"https://{host}/alerts"),
        ),
        variant=answer.replace(
            f'matchers: [severity="{label}"]', f"match:\n        severity: {label}"
        ),
        habits=(
            (f'severity="{label}"', f'severity!="{label}"'),
            ("    - matchers:", "    - match:"),
            ("routing_key_file:", "routing_key_path:"),
        ),
    )


@family("quiet-nights", difficulty=3)
def quiet_nights(draw: Draw) -> Draft:
    receiver, name, host, team, label = (
        draw.name(),
        draw.name(),
        draw.domain(),
        draw.word(),
        draw.identifier(),
    )
    start, end = draw.choice(
        (("20:00", "24:00"), ("22:00", "24:00"), ("00:00", "06:00"), ("00:00", "08:00"))
    )
    answer = (
        f'route:\n  receiver: {receiver}\n  routes:\n    - matchers:\n        - {label}="{team}"\n      receiver: {receiver}\n      mute_time_intervals: [{name}]\n\n'
        f"receivers:\n  - name: {receiver}\n    webhook_configs:\n      - url: https://{host}/\n\ntime_intervals:\n  - name: {name}\n    time_intervals:\n"
        f'      - times:\n          - start_time: "{start}"\n            end_time: "{end}"\n        weekdays: ["monday:friday"]\n'
    )
    return Draft(
        wordings=(
            f'Write an alertmanager.yml with the webhook receiver {receiver} (https://{host}/). Alerts with {label}="{team}" are muted in the time interval {name}: {start} to {end}, monday to friday.',
            f'alertmanager: receiver {receiver} webhook https://{host}/; route {label}="{team}" muted during {name} = {start}-{end} monday:friday',
            f'Do not disturb {team}: what has {label}="{team}" is silent from {start} to {end} on weekdays (monday:friday, time interval {name}). One receiver, {receiver}, the webhook https://{host}/.',
        ),
        answer=answer,
        reasoning=(f"interval {name}: {start} to {end}", f"route {label}={team} muted by it"),
        checks=(
            identity("receiver", receiver),
            identity("time_interval", name),
            matches_label(receiver, label, team),
            references("route", receiver, "mute_time_intervals", "time_interval", name),
            equals(
                "time_interval",
                name,
                "time_intervals[0].times",
                [{"start_time": start, "end_time": end}],
            ),
            equals("time_interval", name, "time_intervals[0].weekdays", ["monday:friday"]),
            equals("receiver", receiver, "webhook_configs[0].url", f"https://{host}/"),
        ),
        variant=answer.replace(
            f'matchers:\n        - {label}="{team}"', f"matchers: ['{label} = {team}']"
        ).replace("\ntime_intervals:\n  - name", "\nmute_time_intervals:\n  - name"),
        habits=(
            ("mute_time_intervals: [", "active_time_intervals: ["),
            ("monday:friday", "mon-fri"),
            (f'"{start}"', f'"{start}:00"'),
        ),
    )


@family("inhibition", difficulty=3, held_out=True)
def inhibition(draw: Draw) -> Draft:
    receiver, host, source, label = draw.name(), draw.domain(), draw.word(), draw.identifier()
    answer = (
        f"route:\n  receiver: {receiver}\n\nreceivers:\n  - name: {receiver}\n    webhook_configs:\n      - url: https://{host}/\n\n"
        f'inhibit_rules:\n  - source_matchers: [alertname="{source}"]\n    target_matchers: [severity="warning"]\n    equal: [{label}]\n'
    )
    return Draft(
        wordings=(
            f"Write an alertmanager.yml with the webhook receiver {receiver} (https://{host}/): while the alert {source} fires, alerts of severity warning with the same {label} are inhibited.",
            f'alertmanager: receiver {receiver} -> webhook https://{host}/; inhibit severity="warning" by alertname="{source}", equal {label}',
            f"If {source} is up, nobody needs the warnings (severity) of the same {label}: inhibit them. Alerts go to {receiver}, a webhook at https://{host}/.",
        ),
        answer=answer,
        reasoning=(f"{source} inhibits warnings of the same {label}", f"receiver {receiver}"),
        checks=(
            identity("receiver", receiver),
            identity("inhibit_rule"),
            contains(
                "inhibit_rule",
                None,
                "source_matchers",
                {"label": "alertname", "op": "=", "value": source},
            ),
            contains(
                "inhibit_rule",
                None,
                "target_matchers",
                {"label": "severity", "op": "=", "value": "warning"},
            ),
            equals("inhibit_rule", None, "equal", [label]),
            equals("receiver", receiver, "webhook_configs[0].url", f"https://{host}/"),
        ),
        variant=answer.replace(
            f'source_matchers: [alertname="{source}"]', f"source_match: {{alertname: {source}}}"
        ).replace('target_matchers: [severity="warning"]', "target_match: {severity: warning}"),
        habits=(
            (f"    equal: [{label}]\n", ""),
            ("source_matchers:", "source:"),
            ("inhibit_rules:", "inhibitions:"),
        ),
    )
