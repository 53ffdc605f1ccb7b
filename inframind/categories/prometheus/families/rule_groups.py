"""Task families of recording and alerting rules: difficulty 1 to 3."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, Families, contains, equals, exists, identity, references
from inframind.categories.prometheus.families.checks import expression, in_group, severity, waits
from inframind.types import Check

FAMILIES = Families("prometheus")
family = FAMILIES.family

SEVERITIES = ("info", "warning", "critical", "page")


def title(name: str) -> str:
    """`invoice-api` as the name of an alert: `InvoiceApi`."""
    return "".join(part.capitalize() for part in name.replace("_", "-").split("-"))


@family("target-down", difficulty=1)
def target_down(draw: Draw) -> Draft:
    group, job, level, minutes = (
        draw.name(),
        draw.name(),
        draw.choice(SEVERITIES),
        draw.choice((1, 2, 3, 5, 10, 15)),
    )
    answer = (
        f'groups:\n  - name: {group}\n    rules:\n      - alert: TargetDown\n        expr: up{{job="{job}"}} == 0\n        for: {minutes}m\n'
        f"        labels:\n          severity: {level}\n        annotations:\n          summary: '{{{{ $labels.instance }}}} is down'\n"
    )
    return Draft(
        wordings=(
            f"Write a Prometheus rule file with the group {group}: the alert TargetDown fires with severity {level} when a target of the job {job} is down for {minutes} minutes, and has a summary.",
            f'prometheus alert TargetDown, group {group}: up{{job="{job}"}} == 0 for {minutes}m, severity {level}, with summary',
            f"Tell us ({level}) with an alert TargetDown if anything of {job} cannot be scraped for {minutes} minutes. Rule group {group}; say in the summary which instance.",
        ),
        answer=answer,
        reasoning=(
            f"group {group}, alert TargetDown",
            f"up of {job} is 0 for {minutes}m, severity {level}",
        ),
        checks=(
            identity("alert", "TargetDown"),
            in_group("alert", "TargetDown", group),
            expression("alert", "TargetDown", f'up{{job="{job}"}} == 0'),
            waits("TargetDown", f"{minutes}m"),
            severity("TargetDown", level),
            exists("alert", "TargetDown", "annotations.summary"),
        ),
        variant=(
            f"groups:\n- name: {group}\n  rules:\n  - alert: TargetDown\n    annotations: {{summary: A target is down}}\n    labels: {{severity: {level}}}\n"
            f"    for: {minutes}m\n    expr: |\n      up{{job='{job}'}}\n        == 0\n"
        ),
        habits=(
            ("alert:", "name:"),
            (f"for: {minutes}m", f"for: {minutes} minutes"),
            (f'{{job="{job}"}}', ""),
        ),
    )


@family("record-rate", difficulty=1)
def record_rate(draw: Draw) -> Draft:
    group, metric, window = (
        draw.name(),
        f"{draw.identifier()}_total",
        draw.choice(("1m", "5m", "10m", "30m")),
    )
    name = f"job:{metric.removesuffix('_total')}:rate{window}"
    answer = f"groups:\n  - name: {group}\n    rules:\n      - record: {name}\n        expr: sum by (job) (rate({metric}[{window}]))\n"
    return Draft(
        wordings=(
            f"Write a Prometheus rule group {group} that records {name}: the per-job sum of the {window} rate of {metric}.",
            f"prometheus group {group}: record {name} = sum by (job) of rate({metric}[{window}])",
            f"We query the {window} rate of {metric} by job all the time; precompute it as {name} in the group {group}.",
        ),
        answer=answer,
        reasoning=(f"group {group} records {name}", f"sum by job of the {window} rate"),
        checks=(
            identity("record", name),
            in_group("record", name, group),
            expression("record", name, f"sum by (job) (rate({metric}[{window}]))"),
        ),
        variant=f'groups: [{{name: {group}, rules: [{{record: "{name}", expr: "sum(rate({metric}[{window}])) by (job)"}}]}}]\n',
        habits=(
            (f"rate({metric}[{window}])", f"rate({metric})"),
            ("record:", "name:"),
            (f"[{window}]", "[2h]"),
        ),
    )


@family("disk-filling", difficulty=2)
def disk_filling(draw: Draw) -> Draft:
    group, mount, percent, level = (
        draw.name(),
        draw.path(),
        draw.choice((5, 10, 15, 20)),
        draw.choice(SEVERITIES),
    )
    expr = f'node_filesystem_avail_bytes{{mountpoint="{mount}"}} / node_filesystem_size_bytes{{mountpoint="{mount}"}} * 100 < {percent}'
    answer = (
        f"groups:\n  - name: {group}\n    rules:\n      - alert: DiskFillingUp\n        expr: {expr}\n        for: 10m\n        labels:\n"
        f"          severity: {level}\n        annotations:\n          summary: {mount} has less than {percent} % left\n"
    )
    return Draft(
        wordings=(
            f"Write a Prometheus alert DiskFillingUp (group {group}, severity {level}): the file system at {mount} has less than {percent} % available for 10 minutes. Divide node_filesystem_avail_bytes by node_filesystem_size_bytes, times 100. Mention {mount} in the summary.",
            f"prometheus group {group}, alert DiskFillingUp: node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < {percent} at mountpoint {mount}, for 10m, severity {level}, summary names {mount}",
            f"When less than {percent} % of {mount} stays free for 10 minutes we need DiskFillingUp with {level} (avail bytes by size bytes of the node exporter, times 100). Group {group}; {mount} belongs in the summary.",
        ),
        answer=answer,
        reasoning=(
            f"avail / size of {mount} below {percent} %",
            f"for 10m, severity {level}, group {group}",
        ),
        checks=(
            identity("alert", "DiskFillingUp"),
            in_group("alert", "DiskFillingUp", group),
            Check(
                op="equals",
                id="threshold",
                kind="alert",
                name="DiskFillingUp",
                path="comparison",
                value={"op": "<", "value": percent},
            ),
            contains("alert", "DiskFillingUp", "expr", f'mountpoint="{mount}"'),
            expression("alert", "DiskFillingUp", expr),
            waits("DiskFillingUp", "10m"),
            severity("DiskFillingUp", level),
            contains("alert", "DiskFillingUp", "annotations.summary", mount),
        ),
        variant=answer.replace(f"expr: {expr}", f"expr: |\n          {expr}").replace(
            "for: 10m", "for: '10m'"
        ),
        habits=((f"< {percent}", f"> {percent}"), ("        for: 10m\n", ""), (" * 100", "")),
    )


@family("latency-quantile", difficulty=2)
def latency_quantile(draw: Draw) -> Draft:
    group, job, quantile, seconds = (
        draw.name(),
        draw.name(),
        draw.choice((0.9, 0.95, 0.99)),
        draw.choice((0.2, 0.3, 0.5, 0.8, 1.5)),
    )
    expr = f'histogram_quantile({quantile}, sum by (le) (rate(http_request_duration_seconds_bucket{{job="{job}"}}[5m]))) > {seconds}'
    answer = f"groups:\n  - name: {group}\n    rules:\n      - alert: SlowRequests\n        expr: {expr}\n        for: 10m\n        labels:\n          severity: warning\n"
    return Draft(
        wordings=(
            f"Write a rule group {group} with the alert SlowRequests, severity warning: the {quantile} quantile of http_request_duration_seconds of the job {job} over 5m, summed by le, is above {seconds} for 10m.",
            f"prometheus {group}/SlowRequests: histogram_quantile({quantile}) of http_request_duration_seconds_bucket job {job}, rate 5m, sum by le, > {seconds}, for 10m, warning",
            f"SlowRequests (warning) in the group {group}: over ten minutes (for 10m) the {quantile} quantile of {job} exceeds {seconds} s, from the 5m rate of http_request_duration_seconds_bucket by le.",
        ),
        answer=answer,
        reasoning=(
            f"quantile {quantile} of {job} by le",
            f"above {seconds} for 10m, group {group}",
        ),
        checks=(
            identity("alert", "SlowRequests"),
            in_group("alert", "SlowRequests", group),
            expression("alert", "SlowRequests", expr),
            waits("SlowRequests", "10m"),
            severity("SlowRequests", "warning"),
        ),
        variant=answer.replace("sum by (le) (rate(", "sum (rate(").replace(
            "[5m])))", "[5m])) by (le))"
        ),
        habits=(
            ("sum by (le) (", "sum("),
            ("_bucket", ""),
            (f"histogram_quantile({quantile}, ", f"quantile({quantile}, "),
        ),
    )


@family("error-ratio", difficulty=3)
def error_ratio(draw: Draw) -> Draft:
    group, job, percent, level = (
        draw.name(),
        draw.name(),
        draw.choice((1, 2, 5, 10)),
        draw.choice(SEVERITIES),
    )
    minutes = draw.choice((2, 5, 10))
    total = f'sum by (job) (rate(http_requests_total{{job="{job}"}}[5m]))'
    errors = f'sum by (job) (rate(http_requests_total{{job="{job}",code=~"5.."}}[5m]))'
    answer = (
        f"groups:\n  - name: {group}\n    rules:\n      - record: job:http_errors:ratio_rate5m\n        expr: |\n          {errors}\n            / {total}\n"
        f"      - alert: HighErrorRatio\n        expr: job:http_errors:ratio_rate5m > {percent / 100}\n        for: {minutes}m\n        labels:\n"
        f"          severity: {level}\n        annotations:\n          summary: '{{{{ $labels.job }}}} fails for {{{{ $value | humanizePercentage }}}} of requests'\n"
    )
    return Draft(
        wordings=(
            f'Write a rule group {group}: record job:http_errors:ratio_rate5m, the 5m rate of http_requests_total of the job {job} with code=~"5.." divided by that of all codes, both summed by job; and alert HighErrorRatio ({level}) with a summary when it is above {percent / 100} for {minutes}m. The alert uses the recorded metric.',
            f'prometheus group {group}, job {job}: record job:http_errors:ratio_rate5m = 5xx (code=~"5..") / all of http_requests_total, rate 5m, sum by (job); alert HighErrorRatio on it > {percent / 100}, for {minutes}m, severity {level}, summary',
            f'First record the share of 5xx (code=~"5..") in http_requests_total of {job} as job:http_errors:ratio_rate5m (5m rates, sum by job), then let HighErrorRatio, severity {level}, fire on the record above {percent / 100} for {minutes}m, with a summary. Group {group}.',
        ),
        answer=answer,
        reasoning=(
            f"record the 5xx ratio of {job}",
            f"alert above {percent / 100} for {minutes}m, severity {level}",
        ),
        checks=(
            identity("record", "job:http_errors:ratio_rate5m"),
            identity("alert", "HighErrorRatio"),
            in_group("record", "job:http_errors:ratio_rate5m", group),
            in_group("alert", "HighErrorRatio", group),
            expression("record", "job:http_errors:ratio_rate5m", f"{errors} / {total}"),
            references("alert", "HighErrorRatio", "expr", "record", "job:http_errors:ratio_rate5m"),
            equals("alert", "HighErrorRatio", "comparison", {"op": ">", "value": percent / 100}),
            waits("HighErrorRatio", f"{minutes}m"),
            severity("HighErrorRatio", level),
            exists("alert", "HighErrorRatio", "annotations.summary"),
        ),
        variant=answer.replace(
            errors, f'sum(rate(http_requests_total{{job="{job}",code=~"5.."}}[5m])) by (job)'
        ).replace(f"> {percent / 100}\n", f"> {percent} / 100\n"),
        habits=(
            ('code=~"5.."', 'code="5.."'),
            (f"> {percent / 100}", f"> {percent}"),
            (f"            / {total}\n", ""),
        ),
    )


@family("absent-metric", difficulty=1, held_out=True)
def absent_metric(draw: Draw) -> Draft:
    group, metric, minutes = draw.name(), draw.identifier(), draw.choice((5, 10, 30))
    answer = (
        f"groups:\n  - name: {group}\n    rules:\n      - alert: MetricMissing\n        expr: absent({metric})\n        for: {minutes}m\n"
        f"        labels:\n          severity: critical\n"
    )
    return Draft(
        wordings=(
            f"Write a rule group {group} whose alert MetricMissing (critical) fires when {metric} has been absent for {minutes} minutes.",
            f"prometheus {group}: alert MetricMissing, absent({metric}) for {minutes}m, severity critical",
            f"If {metric} is not there at all for {minutes} minutes, raise MetricMissing as critical. The group is called {group}.",
        ),
        answer=answer,
        reasoning=(f"alert on absent({metric})", f"for {minutes}m, critical, group {group}"),
        checks=(
            identity("alert", "MetricMissing"),
            in_group("alert", "MetricMissing", group),
            expression("alert", "MetricMissing", f"absent({metric})"),
            waits("MetricMissing", f"{minutes}m"),
            severity("MetricMissing", "critical"),
        ),
        variant=f"groups:\n- name: {group}\n  rules:\n  - alert: MetricMissing\n    for: {minutes}m\n    expr: absent( {metric} )\n    labels: {{severity: critical}}\n",
        habits=(
            (f"absent({metric})", f"{metric} == 0"),
            (f"absent({metric})", f"missing({metric})"),
        ),
    )


@family("prediction", difficulty=2)
def prediction(draw: Draw) -> Draft:
    group, metric, hours, team = (
        draw.name(),
        f"{draw.identifier()}_bytes",
        draw.choice((2, 4, 6, 12, 24)),
        draw.word(),
    )
    expr = f"predict_linear({metric}[1h], {hours} * 3600) < 0"
    answer = (
        f"groups:\n  - name: {group}\n    interval: 1m\n    rules:\n      - alert: RunsOut\n        expr: {expr}\n        for: 30m\n        labels:\n"
        f"          severity: warning\n          team: {team}\n"
    )
    return Draft(
        wordings=(
            f"Write a rule group {group}, evaluated every 1m, with the alert RunsOut (severity warning, team {team}): by the trend of the last 1h {metric} falls below 0 within {hours} * 3600 seconds; for 30m.",
            f"prometheus group {group} interval 1m: alert RunsOut, predict_linear({metric}[1h], {hours} * 3600) < 0, for 30m, severity warning, team {team}",
            f"Warn team {team} (label team, severity warning) with RunsOut when {metric} will be used up in {hours} * 3600 seconds, predicted from 1h, and this has held for 30m. Group {group}, interval 1m.",
        ),
        answer=answer,
        reasoning=(
            f"predict_linear of {metric} over 1h",
            f"{hours} hours ahead below 0, for 30m, team {team}",
        ),
        checks=(
            identity("alert", "RunsOut"),
            in_group("alert", "RunsOut", group),
            equals("group", group, "interval", "1m"),
            expression("alert", "RunsOut", expr),
            waits("RunsOut", "30m"),
            severity("RunsOut", "warning"),
            equals("alert", "RunsOut", "labels.team", team),
        ),
        variant=answer.replace("        for: 30m\n", "").replace(
            "      - alert: RunsOut\n", "      - alert: RunsOut\n        for: 30m\n"
        ),
        habits=(
            (f"{metric}[1h]", metric),
            ("    interval: 1m\n", ""),
            ("predict_linear(", "predict("),
        ),
    )


@family("record-chain", difficulty=3)
def record_chain(draw: Draw) -> Draft:
    group, source, label = (
        draw.name(),
        draw.identifier(),
        draw.choice(("cluster", "region", "zone")),
    )
    first, second = f"instance:{source}:rate5m", f"{label}:{source}:rate5m"
    answer = (
        f"groups:\n  - name: {group}\n    rules:\n      - record: {first}\n        expr: rate({source}_total[5m])\n"
        f"      - record: {second}\n        expr: sum by ({label}) ({first})\n"
    )
    return Draft(
        wordings=(
            f"Write a rule group {group} that records {first}, the 5m rate of {source}_total, and from it {second}, summed by {label}.",
            f"prometheus {group}: record {first} = rate({source}_total[5m]); record {second} = sum by ({label}) of the first",
            f"Two steps in the group {group}: {first} holds the 5m rate of {source}_total, {second} sums that record by {label}.",
        ),
        answer=answer,
        reasoning=(f"{first} from {source}_total", f"{second} from {first}"),
        checks=(
            identity("record", first),
            identity("record", second),
            in_group("record", first, group),
            in_group("record", second, group),
            expression("record", first, f"rate({source}_total[5m])"),
            expression("record", second, f"sum by ({label}) ({first})"),
            references("record", second, "expr", "record", first),
        ),
        variant=answer.replace(f"sum by ({label}) ({first})", f"sum({first}) by ({label})"),
        habits=(
            (f"({first})", f"({source}_total)"),
            (f"rate({source}_total[5m])", f"rate({source}_total)"),
            ("      - record:", "      - alert:"),
        ),
    )
