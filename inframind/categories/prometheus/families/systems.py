"""Task families of whole monitoring files: difficulty 4 and 5."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity, references
from inframind.categories.prometheus.families.checks import (
    expression,
    in_group,
    matches_label,
    scrapes,
    severity,
    waits,
)
from inframind.types import Check

FAMILIES = Families("prometheus")
family = FAMILIES.family


@family("host-group", difficulty=4)
def host_group(draw: Draw) -> Draft:
    group, job, level, load = (
        draw.name(),
        draw.name(),
        draw.choice(("warning", "critical")),
        draw.choice((0.8, 0.85, 0.9, 0.95)),
    )
    record = f"instance:{job.replace('-', '_')}_cpu:rate5m"
    idle = f'1 - avg by (instance) (rate(node_cpu_seconds_total{{job="{job}",mode="idle"}}[5m]))'
    down, memory = (
        f'up{{job="{job}"}} == 0',
        f'node_memory_MemAvailable_bytes{{job="{job}"}} / node_memory_MemTotal_bytes{{job="{job}"}} < 0.1',
    )
    answer = (
        f"groups:\n  - name: {group}\n    interval: 30s\n    rules:\n      - record: {record}\n        expr: {idle}\n      - alert: HostDown\n"
        f"        expr: {down}\n        for: 5m\n        labels:\n          severity: critical\n      - alert: HostBusy\n        expr: {record} > {load}\n"
        f"        for: 15m\n        labels:\n          severity: {level}\n        annotations:\n          summary: '{{{{ $labels.instance }}}} is busy'\n"
        f"      - alert: HostMemoryLow\n        expr: {memory}\n        for: 10m\n        labels:\n          severity: {level}\n"
    )
    return Draft(
        wordings=(
            f"Write the rule group {group}, every 30s, for the hosts of the job {job}: record {record} = {idle}; alert HostDown (critical) when up is 0 for 5m; HostBusy ({level}) when the record is above {load} for 15m, with a summary; HostMemoryLow ({level}) when node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes of the job is below 0.1 for 10m.",
            f"prometheus group {group}, interval 30s, job {job}\n---\nrecord {record}: {idle}\nHostDown: up == 0, 5m, critical\nHostBusy: the record > {load}, 15m, {level}, summary\nHostMemoryLow: node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1, 10m, {level}",
            f"Hosts of {job}: rules in {group}, evaluated each 30s. First {record}, which is {idle}. Then three alerts: HostDown, critical, up of the job at 0 for 5m; HostBusy, {level}, that record over {load} for 15m and a summary; HostMemoryLow, {level}, available by total memory (node_memory_MemAvailable_bytes, node_memory_MemTotal_bytes, same job) under 0.1 for 10m.",
        ),
        answer=answer,
        reasoning=(
            f"group {group} every 30s, record {record}",
            "HostDown for 5m",
            f"HostBusy above {load} for 15m",
            "HostMemoryLow below 0.1",
        ),
        checks=(
            identity("record", record),
            identity("alert", "HostDown"),
            identity("alert", "HostBusy"),
            identity("alert", "HostMemoryLow"),
            equals("group", group, "interval", "30s"),
            expression("record", record, idle),
            expression("alert", "HostDown", down),
            waits("HostDown", "5m"),
            severity("HostDown", "critical"),
            references("alert", "HostBusy", "expr", "record", record),
            expression("alert", "HostBusy", f"{record} > {load}"),
            waits("HostBusy", "15m"),
            severity("HostBusy", level),
            exists("alert", "HostBusy", "annotations.summary"),
            expression("alert", "HostMemoryLow", memory),
            waits("HostMemoryLow", "10m"),
            severity("HostMemoryLow", level),
        ),
        variant=answer.replace("avg by (instance) (", "avg(")
        .replace("[5m]))\n", "[5m])) by (instance)\n")
        .replace("interval: 30s", "interval: '30s'"),
        habits=(
            (f"expr: {record} > {load}", f"expr: node_load1 > {load}"),
            ("    interval: 30s\n", ""),
            (',mode="idle"', ""),
        ),
    )


@family("error-budget", difficulty=4)
def error_budget(draw: Draw) -> Draft:
    group, service, objective = draw.name(), draw.name(), draw.choice((99.5, 99.9, 99.95))
    budget = f"{round(1 - objective / 100, 6):g}"
    short, long = (
        f"{draw.identifier()}:errors:ratio_rate5m",
        f"{draw.identifier()}:errors:ratio_rate1h",
    )

    def ratio(window: str) -> str:
        errors = f'sum(rate(requests_total{{service="{service}",status="error"}}[{window}]))'
        return f'{errors} / sum(rate(requests_total{{service="{service}"}}[{window}]))'

    burn = f"{short} > 14.4 * {budget} and {long} > 14.4 * {budget}"
    slow = f"{long} > 6 * {budget}"
    answer = (
        f"groups:\n  - name: {group}\n    rules:\n      - record: {short}\n        expr: {ratio('5m')}\n      - record: {long}\n        expr: {ratio('1h')}\n"
        f"      - alert: ErrorBudgetBurn\n        expr: {burn}\n        for: 2m\n        labels:\n          severity: page\n          service: {service}\n"
        f"      - alert: ErrorBudgetLeak\n        expr: {slow}\n        for: 1h\n        labels:\n          severity: ticket\n          service: {service}\n"
    )
    return Draft(
        wordings=(
            f'Write the rule group {group} for an objective of {objective} % (budget {budget}) of the service {service}: record {short} and {long}, the ratio of requests_total with status="error" to all, as sums of the 5m and 1h rates. ErrorBudgetBurn (severity page, label service) fires after 2m when both are above 14.4 * {budget}, the short one first; ErrorBudgetLeak (severity ticket, label service) after 1h when the long one is above 6 * {budget}.',
            f'prometheus SLO {objective} % of {service}, group {group}\n---\nrecord {short}: sum of error rate / sum of rate of requests_total, 5m (service, status="error")\nrecord {long}: the same over 1h\nErrorBudgetBurn: short > 14.4 * {budget} and long > 14.4 * {budget}, for 2m, severity page, service {service}\nErrorBudgetLeak: long > 6 * {budget}, for 1h, severity ticket, service {service}',
            f'{service} promises {objective} %, so its budget is {budget}. In the group {group}, record the error ratio of requests_total (status="error" to all, sums of rates) over 5m as {short} and over 1h as {long}. Page (severity page) with ErrorBudgetBurn when for 2m {short} > 14.4 * {budget} and {long} > 14.4 * {budget}; open a ticket (severity ticket) with ErrorBudgetLeak when for 1h {long} > 6 * {budget}. Both alerts carry the label service.',
        ),
        answer=answer,
        reasoning=(
            f"ratios {short} and {long}",
            f"burn: both above 14.4 * {budget} for 2m",
            f"leak: 1h above 6 * {budget}",
        ),
        checks=(
            identity("record", short),
            identity("record", long),
            identity("alert", "ErrorBudgetBurn"),
            identity("alert", "ErrorBudgetLeak"),
            in_group("alert", "ErrorBudgetBurn", group),
            in_group("record", short, group),
            expression("record", short, ratio("5m")),
            expression("record", long, ratio("1h")),
            references("alert", "ErrorBudgetBurn", "expr", "record", short),
            references("alert", "ErrorBudgetBurn", "expr", "record", long),
            expression("alert", "ErrorBudgetBurn", burn),
            waits("ErrorBudgetBurn", "2m"),
            severity("ErrorBudgetBurn", "page"),
            equals("alert", "ErrorBudgetBurn", "labels.service", service),
            expression("alert", "ErrorBudgetLeak", slow),
            waits("ErrorBudgetLeak", "1h"),
            severity("ErrorBudgetLeak", "ticket"),
            equals("alert", "ErrorBudgetLeak", "labels.service", service),
        ),
        variant=answer.replace(
            f"expr: {burn}",
            f"expr: |\n          {short} > 14.4 * {budget}\n          and\n          {long} > 14.4 * {budget}",
        ).replace("for: 2m", "for: '2m'"),
        habits=((" and ", " or "), (f"> 6 * {budget}", f"> 6 + {budget}"), ("[1h]", "[5m]")),
    )


@family("team-routing", difficulty=4, held_out=True)
def team_routing(draw: Draw) -> Draft:
    default, one, two, label, a, b = (
        draw.name(),
        draw.name(),
        draw.name(),
        draw.identifier(),
        draw.word(),
        draw.word(),
    )
    host, channel, file = draw.domain(), draw.name(), draw.path()
    answer = (
        f'route:\n  receiver: {default}\n  group_by: [alertname]\n  routes:\n    - matchers: [{label}="{a}"]\n      receiver: {one}\n      continue: true\n'
        f'    - matchers: [{label}="{b}"]\n      receiver: {two}\n      group_wait: 10s\n\nreceivers:\n  - name: {default}\n    webhook_configs:\n'
        f"      - url: https://{host}/default\n  - name: {one}\n    webhook_configs:\n      - url: https://{host}/{one}\n  - name: {two}\n    slack_configs:\n"
        f'      - api_url_file: {file}\n        channel: "#{channel}"\n'
    )
    return Draft(
        wordings=(
            f'Write an alertmanager.yml grouped by alertname: {default} (webhook https://{host}/default) by default; {label}="{a}" goes to {one} (webhook https://{host}/{one}) and continues; {label}="{b}" goes to {two} (Slack #{channel}, api_url_file {file}) with a group_wait of 10s.',
            f'alertmanager, group_by alertname\n---\ndefault: {default}, webhook https://{host}/default\n{label}="{a}": {one}, webhook https://{host}/{one}, continue\n{label}="{b}": {two}, slack #{channel}, api_url_file {file}, group_wait 10s',
            f"Route by {label}: {a} to {one}, a webhook at https://{host}/{one}, and go on matching; {b} to {two}, the Slack channel #{channel} with its address in {file}, group_wait 10s. The rest is for {default} at https://{host}/default. Group everything by alertname.",
        ),
        answer=answer,
        reasoning=(
            f"default {default}",
            f"{label}={a} to {one}, continue",
            f"{label}={b} to {two}",
        ),
        checks=(
            identity("receiver", default),
            identity("receiver", one),
            identity("receiver", two),
            equals("route", default, "depth", 0),
            equals("route", default, "group_by", ["alertname"]),
            matches_label(one, label, a),
            equals("route", one, '"continue"', True),
            matches_label(two, label, b),
            equals("route", two, "group_wait", "10s"),
            equals("receiver", default, "webhook_configs[0].url", f"https://{host}/default"),
            equals("receiver", one, "webhook_configs[0].url", f"https://{host}/{one}"),
            equals("receiver", two, "slack_configs[0].api_url_file", file),
            Check(
                op="matches",
                id="channel",
                kind="receiver",
                name=two,
                path="slack_configs[0].channel",
                value=f"#?{channel}",
            ),
        ),
        variant=answer.replace(f'matchers: [{label}="{b}"]', f"match: {{{label}: {b}}}").replace(
            "group_by: [alertname]", "group_by:\n    - alertname"
        ),
        habits=(
            ("      continue: true\n", ""),
            (f'[{label}="{b}"]', f'{label}="{b}"'),
            ("  routes:\n    - matchers", "  routes:\n    - matcher"),
        ),
    )


@family("whole-server", difficulty=5)
def whole_server(draw: Draw) -> Draft:
    cluster, node, web, probe = draw.name(), draw.name(), draw.name(), draw.name()
    host, port, site, glob, store = (
        draw.domain(),
        draw.port(),
        draw.domain(),
        draw.path(),
        draw.domain(),
    )
    file = draw.path()
    answer = (
        f"global:\n  scrape_interval: 30s\n  evaluation_interval: 30s\n  external_labels:\n    cluster: {cluster}\n\nrule_files:\n  - {glob}/*.yml\n\n"
        f'alerting:\n  alertmanagers:\n    - static_configs:\n        - targets: ["{host}:9093"]\n\nscrape_configs:\n  - job_name: {node}\n'
        f"    file_sd_configs:\n      - files: [{glob}/nodes/*.json]\n\n  - job_name: {web}\n    scheme: https\n    metrics_path: /internal/metrics\n"
        f'    scrape_interval: 15s\n    static_configs:\n      - targets: ["{site}:{port}"]\n        labels:\n          tier: web\n\n'
        f'  - job_name: {probe}\n    metrics_path: /probe\n    params:\n      module: [http_2xx]\n    static_configs:\n      - targets: ["https://{site}/"]\n'
        f"    relabel_configs:\n      - source_labels: [__address__]\n        target_label: __param_target\n      - source_labels: [__param_target]\n"
        f"        target_label: instance\n      - target_label: __address__\n        replacement: {host}:9115\n\n"
        f"remote_write:\n  - url: https://{store}/api/v1/push\n    bearer_token_file: {file}\n"
    )
    probe_steps = (
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"source_labels": ["__param_target"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": f"{host}:9115"},
    )
    return Draft(
        wordings=(
            f"Write the prometheus.yml of the cluster {cluster} (external label cluster), scraping and evaluating every 30s, rules from {glob}/*.yml, Alertmanager {host}:9093. Jobs: {node} finds targets in {glob}/nodes/*.json; {web} scrapes {site}:{port} over https at /internal/metrics every 15s with tier=web; {probe} probes https://{site}/ through the blackbox exporter {host}:9115 (module http_2xx, path /probe, the target becomes the instance). Write everything to https://{store}/api/v1/push with the bearer token in {file}.",
            f"prometheus.yml\n---\ncluster: {cluster} (external label cluster)\nscrape and evaluate: 30s\nrules: {glob}/*.yml\nalertmanager: {host}:9093\njob {node}: files {glob}/nodes/*.json\njob {web}: https {site}:{port}/internal/metrics, 15s, label tier=web\njob {probe}: blackbox exporter {host}:9115, /probe, module http_2xx, target https://{site}/, instance = target\nremote write: https://{store}/api/v1/push, bearer_token_file {file}",
            f"Our Prometheus of {cluster} needs one file: 30s for scraping and evaluation, an external label cluster, rule files {glob}/*.yml, alerts to {host}:9093, remote write to https://{store}/api/v1/push with the token from {file} (bearer_token_file). It has three jobs. {node} reads {glob}/nodes/*.json. {web} takes /internal/metrics of {site}:{port} by https each 15s and labels it tier: web. {probe} asks the blackbox exporter at {host}:9115 (/probe, module http_2xx) about https://{site}/ and keeps that as instance.",
        ),
        answer=answer,
        reasoning=(
            f"global 30s, cluster {cluster}, rules in {glob}",
            f"jobs {node} (files), {web} (https), {probe} (blackbox)",
            f"Alertmanager {host}:9093, remote write to {store}",
        ),
        checks=(
            identity("config"),
            identity("scrape_config", node),
            identity("scrape_config", web),
            identity("scrape_config", probe),
            equals("config", None, "global.scrape_interval", "30s"),
            equals("config", None, "global.evaluation_interval", "30s"),
            equals("config", None, "global.external_labels.cluster", cluster),
            contains("config", None, "rule_files", f"{glob}/*.yml"),
            contains("alertmanager", None, "targets", f"{host}:9093"),
            contains("scrape_config", node, "file_sd_configs[].files[]", f"{glob}/nodes/*.json"),
            equals("scrape_config", web, "scheme", "https"),
            equals("scrape_config", web, "metrics_path", "/internal/metrics"),
            equals("scrape_config", web, "scrape_interval", "15s"),
            scrapes(web, f"{site}:{port}"),
            equals("scrape_config", web, "static_configs[0].labels.tier", "web"),
            equals("scrape_config", probe, "metrics_path", "/probe"),
            equals("scrape_config", probe, "params.module", ["http_2xx"]),
            scrapes(probe, f"https://{site}/"),
            *(
                contains("scrape_config", probe, "relabel_configs", dict(step))
                for step in probe_steps
            ),
            equals("remote_write", None, "url", f"https://{store}/api/v1/push"),
            Check(
                op="any_of",
                id="token",
                checks=(
                    equals("remote_write", None, "bearer_token_file", file),
                    equals("remote_write", None, "authorization.credentials_file", file),
                ),
            ),
        ),
        variant=answer.replace(
            f"    bearer_token_file: {file}\n",
            f"    authorization:\n      credentials_file: {file}\n",
        ).replace(f"[{glob}/nodes/*.json]", f"\n          - '{glob}/nodes/*.json'"),
        habits=(
            ("        target_label: __param_target\n", "        target_label: __param_url\n"),
            ("    scheme: https\n", ""),
            ("rule_files:", "rules:"),
        ),
    )


def inhibits(path: str, label: str, value: str) -> Check:
    """An inhibition that has the matcher."""
    return contains("inhibit_rule", None, path, {"label": label, "op": "=", "value": value})


@family("on-call", difficulty=5)
def on_call(draw: Draw) -> Draft:
    inbox, pager, chat, quiet = draw.name(), draw.name(), draw.name(), draw.name()
    host, user, password, key, hook = (
        draw.domain(),
        draw.word(),
        draw.path(),
        draw.path(),
        draw.path(),
    )
    team, channel = draw.word(), draw.name()
    answer = (
        f"global:\n  resolve_timeout: 10m\n  smtp_smarthost: {host}:587\n  smtp_from: {user}@{host}\n  smtp_auth_username: {user}\n"
        f"  smtp_auth_password_file: {password}\n\nroute:\n  receiver: {inbox}\n  group_by: [alertname, cluster]\n  group_wait: 30s\n  group_interval: 5m\n"
        f'  repeat_interval: 4h\n  routes:\n    - matchers: [alertname="Watchdog"]\n      receiver: "null"\n    - matchers: [severity="page"]\n'
        f'      receiver: {pager}\n      repeat_interval: 30m\n      continue: true\n    - matchers: [team="{team}"]\n      receiver: {chat}\n'
        f"      mute_time_intervals: [{quiet}]\n\nreceivers:\n  - name: {inbox}\n    email_configs:\n      - to: operations@{host}\n  - name: {pager}\n"
        f'    pagerduty_configs:\n      - routing_key_file: {key}\n  - name: {chat}\n    slack_configs:\n      - api_url_file: {hook}\n        channel: "#{channel}"\n'
        f'        send_resolved: true\n  - name: "null"\n\ninhibit_rules:\n  - source_matchers: [severity="page"]\n    target_matchers: [severity="warning"]\n'
        f"    equal: [alertname, cluster]\n\ntime_intervals:\n  - name: {quiet}\n    time_intervals:\n      - weekdays: [saturday, sunday]\n"
    )
    return Draft(
        wordings=(
            f'Write an alertmanager.yml for on-call work. Resolve after 10m; mail through {host}:587 from {user}@{host}, login {user}, password in {password}. Group by alertname and cluster, group_wait 30s, group_interval 5m, repeat every 4h to {inbox} (mail to operations@{host}). Watchdog goes to the receiver "null". severity="page" goes to {pager} (PagerDuty, routing key in {key}), repeated every 30m, and continues. team="{team}" goes to {chat} (Slack #{channel}, address in {hook}, resolved too) but is muted in {quiet}: saturday and sunday. Pages inhibit warnings of the same alertname and cluster.',
            f'alertmanager on call\n---\nresolve_timeout 10m\nmail: {host}:587, from {user}@{host}, login {user}, password file {password} (global)\ndefault {inbox}: mail operations@{host}; group_by alertname, cluster; wait 30s, interval 5m, repeat 4h\nalertname="Watchdog" -> null\nseverity="page" -> {pager}: pagerduty routing_key_file {key}, repeat 30m, continue\nteam="{team}" -> {chat}: slack #{channel}, api_url_file {hook}, send_resolved, muted during {quiet}\n{quiet}: saturday, sunday\ninhibit: severity page over warning, equal alertname and cluster',
            f'Set up Alertmanager: everything reaches {inbox}, a mail to operations@{host} (global SMTP {host}:587, sender {user}@{host}, user {user}, password from {password}), grouped by alertname and cluster, after 30s, at intervals of 5m, repeated after 4h; alerts resolve after 10m. Three exceptions in this order: Watchdog is sent to "null", a receiver without integrations; severity page calls {pager} through PagerDuty ({key} holds the routing key), again every 30m, and matching continues; team {team} writes to #{channel} by Slack as {chat} (address in {hook}, also when resolved), except in {quiet}, that is on saturday and sunday. A page silences warnings with equal alertname and cluster.',
        ),
        answer=answer,
        reasoning=(
            f"default {inbox} by mail, grouped by alertname and cluster",
            f"Watchdog to null, pages to {pager}, {team} to {chat}",
            f"{quiet} mutes the weekend, pages inhibit warnings",
        ),
        checks=(
            *(identity("receiver", name) for name in (inbox, pager, chat, "null")),
            equals("alertmanager", None, "global.resolve_timeout", "10m"),
            equals("alertmanager", None, "global.smtp_smarthost", f"{host}:587"),
            equals("alertmanager", None, "global.smtp_from", f"{user}@{host}"),
            equals("alertmanager", None, "global.smtp_auth_username", user),
            equals("alertmanager", None, "global.smtp_auth_password_file", password),
            equals("route", inbox, "sort(group_by)", ["alertname", "cluster"]),
            equals(
                "route", inbox, "[group_wait, group_interval, repeat_interval]", ["30s", "5m", "4h"]
            ),
            equals("receiver", inbox, "email_configs[0].to", f"operations@{host}"),
            matches_label("null", "alertname", "Watchdog"),
            matches_label(pager, "severity", "page"),
            equals("route", pager, "repeat_interval", "30m"),
            equals("route", pager, '"continue"', True),
            equals("receiver", pager, "pagerduty_configs[0].routing_key_file", key),
            matches_label(chat, "team", team),
            references("route", chat, "mute_time_intervals", "time_interval", quiet),
            equals("receiver", chat, "slack_configs[0].api_url_file", hook),
            equals("receiver", chat, "slack_configs[0].send_resolved", True),
            Check(
                op="matches",
                id="channel",
                kind="receiver",
                name=chat,
                path="slack_configs[0].channel",
                value=f"#?{channel}",
            ),
            equals(
                "time_interval", quiet, "sort(time_intervals[].weekdays[])", ["saturday", "sunday"]
            ),
            inhibits("source_matchers", "severity", "page"),
            inhibits("target_matchers", "severity", "warning"),
            equals("inhibit_rule", None, "sort(equal)", ["alertname", "cluster"]),
        ),
        variant=answer.replace(f'[team="{team}"]', f"\n        - team = {team}")
        .replace("equal: [alertname, cluster]", "equal: [cluster, alertname]")
        .replace("'", '"'),
        habits=(
            ("      continue: true\n", ""),
            ('  - name: "null"\n', ""),
            ("[saturday, sunday]", "[weekend]"),
            ("    equal: [alertname, cluster]\n", ""),
        ),
    )
