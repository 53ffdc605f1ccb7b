"""Task families for provisioned alerting."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity, references
from inframind.categories.grafana.families.base import family

HEAD = "apiVersion: 1\n"
PERIODS = ("1m", "2m", "3m")


def rule(uid: str, title: str, expression: str, limit: int, source: str, more: str) -> str:
    """An alert rule: a query and a threshold on it."""
    return (
        f"      - uid: {uid}\n        title: {title}\n        condition: B\n{more}        data:\n"
        f"          - refId: A\n            datasourceUid: {source}\n            relativeTimeRange:\n              from: 600\n              to: 0\n"
        f"            model:\n              expr: {expression}\n              instant: true\n"
        "          - refId: B\n            datasourceUid: __expr__\n            model:\n              type: threshold\n              expression: A\n"
        f"              conditions:\n                - evaluator:\n                    type: gt\n                    params: [{limit}]\n"
    )


@family("contact-point", difficulty=1)
def contact_point(draw: Draw) -> Draft:
    name, uid, user, domain = draw.name(), draw.name(), draw.word(), draw.domain()
    receiver = f"      - uid: {uid}\n        type: email\n        settings:\n          addresses: {user}@{domain}\n"
    answer = f"{HEAD}contactPoints:\n  - name: {name}\n    receivers:\n{receiver}"
    return Draft(
        wordings=(
            f"Provision the Grafana contact point {name}: e-mail to {user}@{domain}, receiver uid {uid}.",
            f"grafana contact point {name}, uid {uid}, email {user}@{domain}",
            f"Alerts go to {user}@{domain}. Write the provisioning file for the contact point {name} with the email receiver {uid}.",
        ),
        answer=answer,
        reasoning=(f"contact point {name}", f"email receiver {uid}: {user}@{domain}"),
        checks=(
            identity("contact-point", name),
            contains(
                "contact-point",
                name,
                "receivers",
                {"uid": uid, "type": "email", "settings": {"addresses": f"{user}@{domain}"}},
            ),
        ),
        variant=answer.replace(f"  - name: {name}\n", f"  - orgId: 1\n    name: {name}\n"),
        habits=(("contactPoints:", "contact_points:"), ("type: email", "type: mail")),
    )


@family("mute-timing", difficulty=2, held_out=True)
def mute_timing(draw: Draw) -> Draft:
    name, start, end = (
        draw.name(),
        draw.choice(("20:00", "21:30", "22:00")),
        draw.choice(("23:00", "23:30", "24:00")),
    )
    days = draw.choice(("saturday", "sunday", "monday:friday"))
    interval = f'      - times:\n          - start_time: "{start}"\n            end_time: "{end}"\n        weekdays: ["{days}"]\n'
    answer = f"{HEAD}muteTimes:\n  - name: {name}\n    time_intervals:\n{interval}"
    return Draft(
        wordings=(
            f"Provision the Grafana mute timing {name}: from {start} to {end}, weekdays {days}.",
            f"grafana mute timing {name} {start}-{end} {days}",
            f"No notifications from {start} to {end} on {days}: write the provisioning file for the mute timing {name}.",
        ),
        answer=answer,
        reasoning=(f"mute timing {name}", f"{start} to {end}, {days}"),
        checks=(
            identity("mute-timing", name),
            contains(
                "mute-timing",
                name,
                "time_intervals[].times[]",
                {"start_time": start, "end_time": end},
            ),
            contains("mute-timing", name, "time_intervals[].weekdays[]", days),
        ),
        variant=answer.replace(f'["{days}"]', f"\n          - {days!r}"),
        habits=(("muteTimes:", "mute_timings:"), ("start_time:", "from:")),
    )


@family("alert-rule", difficulty=4)
def alert_rule(draw: Draw) -> Draft:
    uid, title, group, folder, metric = (
        draw.name(),
        draw.name(),
        draw.name(),
        draw.name(),
        draw.identifier(),
    )
    limit, wait, severity = (
        draw.number(21, 990),
        draw.choice(PERIODS),
        draw.choice(("critical", "warning")),
    )
    expression = f"sum(rate({metric}_total[6m]))"
    more = f"        for: {wait}\n        noDataState: OK\n        execErrState: Error\n        labels:\n          severity: {severity}\n"
    answer = (
        f"{HEAD}groups:\n  - orgId: 1\n    name: {group}\n    folder: {folder}\n    interval: 1m\n    rules:\n"
        f"{rule(uid, title, expression, limit, 'prom', more)}"
    )
    return Draft(
        wordings=(
            f"Provision the Grafana alert rule {title} (uid {uid}) in the group {group}, folder {folder}, evaluated every 1m: it fires when {expression} of the "
            f"data source prom is above {limit} for {wait}. severity={severity}; no data is OK, an execution error is Error.",
            f"grafana alert {title}, uid {uid}, group {group}, folder {folder}, interval 1m: {expression} (prom) > {limit} for {wait}, severity {severity}, "
            "noDataState OK, execErrState Error",
            f"Write a Grafana alert as a provisioning file.\n---\nrule: {title}, uid {uid}\ngroup: {group} in {folder}, every 1m\nquery A (prom): {expression}\n"
            f"condition B: threshold, A above {limit}\nfor: {wait}\nlabel: severity {severity}\nno data: OK, error: Error",
        ),
        answer=answer,
        reasoning=(
            f"group {group} in {folder}",
            f"rule {title}: query A, threshold B above {limit}",
            f"for {wait}, severity {severity}",
        ),
        checks=(
            identity("alert-rule", title),
            equals("alert-rule", title, "uid", uid),
            equals("alert-rule", title, "group", group),
            equals("alert-rule", title, "folder", folder),
            equals("alert-rule", title, "interval", "1m"),
            equals("alert-rule", title, "for", wait),
            equals("alert-rule", title, "labels.severity", severity),
            equals("alert-rule", title, "noDataState", "OK"),
            equals("alert-rule", title, "execErrState", "Error"),
            contains("alert-rule", title, "data[?datasourceUid == 'prom'].model.expr", expression),
            contains(
                "alert-rule",
                title,
                "data[].model.conditions[].evaluator",
                {"type": "gt", "params": [limit]},
            ),
        ),
        variant=answer.replace("refId: B", "refId: limit").replace(
            "condition: B", "condition: limit"
        ),
        habits=(("condition: B", "condition: C"), ("        for: ", "        forDuration: ")),
    )


@family("routing", difficulty=4)
def routing(draw: Draw) -> Draft:
    team, page, uid, channel, team_label, wait = (
        draw.name(),
        draw.name(),
        draw.name(),
        draw.name(),
        draw.word(),
        draw.choice(PERIODS),
    )
    points = (
        f"contactPoints:\n  - name: {team}\n    receivers:\n      - uid: {uid}\n        type: slack\n        settings:\n"
        f'          recipient: "#{channel}"\n          url: $SLACK_URL\n'
        f"  - name: {page}\n    receivers:\n      - uid: {uid}-page\n        type: pagerduty\n        settings:\n          integrationKey: $PAGERDUTY_KEY\n"
    )
    policies = (
        f"policies:\n  - receiver: {team}\n    group_by: [alertname, team]\n    group_wait: {wait}\n    routes:\n"
        f'      - receiver: {page}\n        object_matchers:\n          - [team, "=", {team_label}]\n'
    )
    return Draft(
        wordings=(
            f"Provision Grafana's notifications: the contact point {team} (Slack, uid {uid}, #{channel}, url $SLACK_URL) and {page} (PagerDuty, uid {uid}-page, "
            f"integrationKey $PAGERDUTY_KEY). By default everything goes to {team}, grouped by alertname and team after {wait}; team={team_label} goes to {page}.",
            f"grafana: contact points {team} (slack {uid} #{channel} $SLACK_URL), {page} (pagerduty {uid}-page $PAGERDUTY_KEY); policy: receiver {team}, group_by "
            f"alertname, team, group_wait {wait}; route team={team_label} -> {page}",
            f"Route alerts in Grafana.\n---\n{team}: slack, uid {uid}, recipient #{channel}, url $SLACK_URL\n{page}: pagerduty, uid {uid}-page, key $PAGERDUTY_KEY\n"
            f"default: {team}, grouped by alertname and team, group_wait {wait}\nteam = {team_label}: {page}",
        ),
        answer=HEAD + points + policies,
        reasoning=(
            f"contact points {team} and {page}",
            f"root policy: {team}",
            f"route team = {team_label}: {page}",
        ),
        checks=(
            identity("policy", team),
            contains(
                "contact-point",
                team,
                "receivers",
                {"uid": uid, "type": "slack", "settings": {"recipient": f"#{channel}"}},
            ),
            contains(
                "contact-point", page, "receivers", {"uid": f"{uid}-page", "type": "pagerduty"}
            ),
            equals("policy", team, "group_by", ["alertname", "team"]),
            equals("policy", team, "group_wait", wait),
            contains("policy", page, "object_matchers", ["team", "=", team_label]),
            references("policy", team, "receiver", "contact-point", team),
            references("policy", page, "receiver", "contact-point", page),
        ),
        variant=HEAD + policies + points,
        habits=(
            ("object_matchers:", "matcher:"),
            (f"      - receiver: {page}\n", f"      - receiver: {page}-point\n"),
        ),
    )


@family("monitoring-stack", difficulty=5)
def monitoring_stack(draw: Draw) -> Draft:
    source, host, uid, title, group, folder = (
        draw.name(),
        draw.domain(),
        draw.name(),
        draw.name(),
        draw.name(),
        draw.name(),
    )
    point, metric, limit, user, domain = (
        draw.name(),
        draw.identifier(),
        draw.number(21, 990),
        draw.word(),
        draw.domain(),
    )
    parts = (
        f"datasources:\n  - name: {source}\n    type: prometheus\n    uid: prom-main\n    url: https://{host}\n    isDefault: true\n",
        f"groups:\n  - name: {group}\n    folder: {folder}\n    interval: 1m\n    rules:\n"
        + rule(uid, title, f"max({metric})", limit, "prom-main", "        for: 2m\n"),
        f"contactPoints:\n  - name: {point}\n    receivers:\n      - uid: {uid}-mail\n        type: email\n        settings:\n          addresses: {user}@{domain}\n",
        f"policies:\n  - receiver: {point}\n    group_by: [alertname]\n",
    )
    return Draft(
        wordings=(
            f"One provisioning file for Grafana: the default Prometheus {source} at https://{host} with the uid prom-main; the rule {title} (uid {uid}, group {group}, "
            f"folder {folder}, every 1m) that fires when max({metric}) is above {limit} for 2m; the contact point {point} with the email receiver {uid}-mail "
            f"to {user}@{domain}; a policy that sends everything to it, grouped by alertname.",
            f"grafana provisioning: datasource {source} prometheus https://{host} uid prom-main default; alert {title} uid {uid} in {folder}/{group} 1m: max({metric}) > {limit} "
            f"for 2m; contact point {point} email {uid}-mail {user}@{domain}; policy receiver {point} group_by alertname",
            f"Set up monitoring in one file.\n---\nsource: {source}, prometheus, https://{host}, uid prom-main, default\nrule: {title}, uid {uid}, group {group}, folder {folder}, "
            f"interval 1m, max({metric}) above {limit}, for 2m\ncontact point: {point}, email, uid {uid}-mail, {user}@{domain}\npolicy: to {point}, by alertname",
        ),
        answer=HEAD + "".join(parts),
        reasoning=(
            f"data source {source}",
            f"rule {title}: max({metric}) above {limit}",
            f"contact point {point}",
            f"policy to {point}",
        ),
        checks=(
            identity("alert-rule", title),
            equals("alert-rule", title, "group", group),
            equals("alert-rule", title, "folder", folder),
            equals("alert-rule", title, "uid", uid),
            equals("alert-rule", title, "for", "2m"),
            contains("alert-rule", title, "data[].model.expr", f"max({metric})"),
            contains("alert-rule", title, "data[].model.conditions[].evaluator.params", [limit]),
            references("alert-rule", title, "data.datasourceUid", "datasource", source),
            equals("datasource", source, "url", f"https://{host}"),
            equals("datasource", source, "isDefault", True),
            contains("contact-point", point, "receivers[].settings.addresses", f"{user}@{domain}"),
            equals("policy", point, "group_by", ["alertname"]),
            references("policy", point, "receiver", "contact-point", point),
        ),
        variant=HEAD + "".join(reversed(parts)),
        habits=(
            ("datasourceUid: prom-main", "datasource: prom-main"),
            ("apiVersion: 1\n", "apiVersion: v1\n"),
        ),
    )
