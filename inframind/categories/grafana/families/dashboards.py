"""Task families for dashboards with variables, rows and several panels."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, absent, contains, equals, exists, identity, references
from inframind.categories.grafana.families.base import (
    PROMETHEUS,
    board,
    defaults,
    family,
    other,
    panel,
    pretty,
    query,
)

SOURCE = "the Prometheus data source prom"
PERIODS = ("now-1h", "now-3h", "now-6h", "now-2d")
REFRESH = ("10s", "30s", "1m", "5m")


def variable(name: str, expression: str, **more: object) -> dict[str, object]:
    """A variable that asks Prometheus."""
    return {
        "name": name,
        "type": "query",
        "datasource": PROMETHEUS,
        "query": expression,
        "refresh": 1,
    } | more


@family("settings", difficulty=1)
def settings(draw: Draw) -> Draft:
    title, uid, tag, start, refresh = (
        draw.name(),
        draw.name(),
        draw.word(),
        draw.choice(PERIODS),
        draw.choice(REFRESH),
    )
    data = board(title, uid=uid, tags=[tag], time={"from": start, "to": "now"}, refresh=refresh)
    return Draft(
        wordings=(
            f"Write an empty Grafana dashboard (JSON) {title} with the uid {uid}, the tag {tag}, the time range {start} to now and a refresh of {refresh}.",
            f"grafana dashboard {title}, uid {uid}, tag {tag}, {start}..now, refresh {refresh}, no panels",
            f"Start a dashboard for us: title {title}, uid {uid}, tagged {tag}; it shows {start} to now and refreshes every {refresh}. No panels yet.",
        ),
        answer=pretty(data),
        reasoning=(f"dashboard {title}, uid {uid}", f"{start} to now, refresh {refresh}"),
        checks=(
            identity("dashboard", title),
            equals("dashboard", title, "uid", uid),
            equals("dashboard", title, "tags", [tag]),
            equals("dashboard", title, "time", {"from": start, "to": "now"}),
            equals("dashboard", title, "refresh", refresh),
            absent("dashboard", title, "panels"),
        ),
        variant=other(data),
        habits=(
            ('"from": "now-', '"from": "-'),
            ('"refresh"', '"auto_refresh"'),
            (
                '"panels": []',
                '"panels": [{"id": 1, "type": "text", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 4}}]',
            ),
        ),
    )


@family("query-variable", difficulty=3)
def query_variable(draw: Draw) -> Draft:
    title, name, metric, label, graph = (
        draw.name(),
        draw.identifier(),
        draw.identifier(),
        draw.choice(("job", "instance", "pod")),
        draw.name(),
    )
    expression = f'{metric}{{{label}=~"${name}"}}'
    listed = variable(name, f"label_values({metric}, {label})", multi=True, includeAll=True)
    data = board(
        title, panel("timeseries", graph, query(expression)), templating={"list": [listed]}
    )
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with the variable {name}: label_values({metric}, {label}) from {SOURCE}, several values and All. "
            f"The time series panel {graph} shows {expression}.",
            f"dashboard {title}: query variable {name} = label_values({metric}, {label}), multi, includeAll; timeseries {graph}: {expression}; prometheus prom",
            f"On {title} one chooses {label}s in the variable {name} (label_values({metric}, {label}), multi and All); the time series {graph} then shows "
            f"{expression}. Everything reads {SOURCE}.",
        ),
        answer=pretty(data),
        reasoning=(f"variable {name}: label_values", f"timeseries {graph} uses ${name}"),
        checks=(
            identity("variable", name),
            equals("dashboard", title, "title", title),
            equals("variable", name, "query", f"label_values({metric}, {label})"),
            equals("variable", name, "multi", True),
            equals("variable", name, "includeAll", True),
            contains("timeseries", graph, "targets[].expr", expression),
            references("timeseries", graph, "targets", "variable", name),
        ),
        variant=other(data),
        habits=(('"templating"', '"variables"'), ('"includeAll": true', '"includeAll": "yes"')),
    )


@family("source-variable", difficulty=3)
def source_variable(draw: Draw) -> Draft:
    title, name, graph, metric = draw.name(), draw.identifier(), draw.name(), draw.identifier()
    one = panel("timeseries", graph, query(metric)) | {
        "datasource": {"type": "prometheus", "uid": f"${{{name}}}"}
    }
    data = board(
        title,
        one,
        templating={"list": [{"name": name, "type": "datasource", "query": "prometheus"}]},
    )
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) where the variable {name} chooses the Prometheus data source; the time series panel {graph} shows "
            f"{metric} from the chosen one.",
            f"dashboard {title}: datasource variable {name} (prometheus); timeseries {graph}: {metric} from ${{{name}}}",
            f"The dashboard {title} must work with any Prometheus: a datasource variable {name}, and the time series {graph} reads {metric} from it.",
        ),
        answer=pretty(data),
        reasoning=(f"variable {name} of type datasource", f"timeseries {graph} reads ${{{name}}}"),
        checks=(
            identity("variable", name, type="datasource"),
            equals("dashboard", title, "title", title),
            equals("variable", name, "query", "prometheus"),
            contains("timeseries", graph, "targets[].expr", metric),
            references("timeseries", graph, "datasource", "variable", name),
        ),
        variant=other(data),
        habits=(('"type": "datasource"', '"type": "data_source"'), (f"${{{name}}}", "prom")),
    )


@family("interval-variable", difficulty=2, held_out=True)
def interval_variable(draw: Draw) -> Draft:
    title, name, metric, steps = (
        draw.name(),
        draw.identifier(),
        draw.identifier(),
        draw.choice(("1m,5m,15m", "1m,10m,1h", "5m,30m,2h")),
    )
    expression = f"rate({metric}_total[${name}])"
    data = board(
        title,
        panel("barchart", "Rate", query(expression)),
        templating={"list": [{"name": name, "type": "interval", "query": steps}]},
    )
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with the interval variable {name} ({steps}) and the bar chart Rate of {expression} from {SOURCE}.",
            f"dashboard {title}: interval variable {name} {steps}; barchart Rate: {expression}; prometheus prom",
            f"The window of the bar chart Rate ({expression}, {SOURCE}) on {title} is chosen by {name}, an interval variable with {steps}.",
        ),
        answer=pretty(data),
        reasoning=(f"interval variable {name}: {steps}", f"barchart Rate: {expression}"),
        checks=(
            identity("barchart", "Rate"),
            equals("dashboard", title, "title", title),
            equals("variable", name, "type", "interval"),
            equals("variable", name, "query", steps),
            contains("barchart", "Rate", "targets[].expr", expression),
        ),
        variant=other(data),
        habits=(('"type": "interval"', '"type": "duration"'), (f"[${name}]", "[5m]")),
    )


@family("rows", difficulty=4)
def rows(draw: Draw) -> Draft:
    title, first, second, graph, chart = (
        draw.name(),
        draw.name(),
        draw.name(),
        draw.name(),
        draw.name(),
    )
    metric, pie = draw.identifier(), draw.identifier()
    grid = {"w": 24, "h": 1, "x": 0}
    data = board(
        title,
        {
            "type": "row",
            "title": first,
            "collapsed": False,
            "gridPos": grid | {"y": 0},
            "panels": [],
        },
        panel("state-timeline", graph, query(metric), at=(0, 1, 24, 8)),
        {
            "type": "row",
            "title": second,
            "collapsed": False,
            "gridPos": grid | {"y": 9},
            "panels": [],
        },
        panel("piechart", chart, query(pie), at=(0, 10, 12, 8)),
    )
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with two open rows. Below {first}: the state timeline {graph} of {metric}. Below {second}: the pie "
            f"chart {chart} of {pie}. Both read {SOURCE}.",
            f"dashboard {title}: row {first}: state-timeline {graph} ({metric}); row {second}: piechart {chart} ({pie}); prometheus prom",
            f"Lay out the dashboard {title} ({SOURCE}).\n---\nrow {first}: state timeline {graph}, query {metric}\nrow {second}: pie chart {chart}, query {pie}",
        ),
        answer=pretty(data),
        reasoning=(f"row {first}: state-timeline {graph}", f"row {second}: piechart {chart}"),
        checks=(
            identity("state-timeline", graph),
            equals("dashboard", title, "title", title),
            exists("row", first),
            exists("row", second),
            equals("state-timeline", graph, "row", first),
            equals("piechart", chart, "row", second),
            contains("state-timeline", graph, "targets[].expr", metric),
            contains("piechart", chart, "targets[].expr", pie),
        ),
        variant=other(data),
        habits=(('"type": "piechart"', '"type": "pie"'), ('"type": "row"', '"type": "section"')),
    )


@family("repeated-panel", difficulty=3)
def repeated_panel(draw: Draw) -> Draft:
    title, name, metric, most = (
        draw.name(),
        draw.identifier(),
        draw.identifier(),
        draw.choice((2, 3, 4)),
    )
    expression = f'{metric}{{region="${name}"}}'
    one = panel(
        "candlestick",
        f"Region ${name}",
        query(expression),
        repeat=name,
        repeatDirection="h",
        maxPerRow=most,
    )
    data = board(
        title,
        one,
        templating={"list": [variable(name, f"label_values({metric}, region)", multi=True)]},
    )
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON): the candlestick panel `Region ${name}` shows {expression} and is repeated horizontally, {most} a row, "
            f"for each value of the variable {name} (label_values({metric}, region), several values). All from {SOURCE}.",
            f"dashboard {title}: variable {name} = label_values({metric}, region), multi; candlestick `Region ${name}`: {expression}, repeat h, maxPerRow {most}; "
            "prometheus prom",
            f"{title} repeats one candlestick panel, `Region ${name}` ({expression}), side by side with at most {most} in a row, over {name}, a multi-value "
            f"query variable: label_values({metric}, region) of {SOURCE}.",
        ),
        answer=pretty(data),
        reasoning=(f"variable {name}, multi", f"panel repeats over {name}, {most} a row"),
        checks=(
            identity("candlestick", f"Region ${name}"),
            equals("dashboard", title, "title", title),
            equals("candlestick", f"Region ${name}", "repeatDirection", "h"),
            equals("candlestick", f"Region ${name}", "maxPerRow", most),
            contains("candlestick", f"Region ${name}", "targets[].expr", expression),
            equals("variable", name, "multi", True),
            equals("variable", name, "query", f"label_values({metric}, region)"),
            references("candlestick", f"Region ${name}", "repeat", "variable", name),
        ),
        variant=other(data),
        habits=(
            ('"repeat":', '"repeatBy":'),
            ('"repeatDirection": "h"', '"repeatDirection": "horizontal"'),
        ),
    )


@family("annotations", difficulty=2)
def annotations(draw: Draw) -> Draft:
    title, name, metric, color = (
        draw.name(),
        draw.name(),
        draw.identifier(),
        draw.choice(("red", "blue", "orange", "purple")),
    )
    note = {
        "name": name,
        "enable": True,
        "iconColor": color,
        "datasource": PROMETHEUS,
        "expr": f"changes({metric}[6m]) > 0",
    }
    data = board(title, annotations={"list": [note]})
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) without panels that marks changes: the enabled annotation {name} in {color}, "
            f"changes({metric}[6m]) > 0 from {SOURCE}.",
            f"dashboard {title}: annotation {name}, {color}, changes({metric}[6m]) > 0, prometheus prom, enabled",
            f"Mark deployments on {title}: an annotation query {name}, iconColor {color}, enabled, with changes({metric}[6m]) > 0 of {SOURCE}.",
        ),
        answer=pretty(data),
        reasoning=(f"annotation {name} in {color}", f"changes({metric}[6m]) > 0"),
        checks=(
            identity("annotation", name),
            equals("dashboard", title, "title", title),
            equals("annotation", name, "iconColor", color),
            equals("annotation", name, "expr", f"changes({metric}[6m]) > 0"),
            equals("annotation", name, "datasource.uid", "prom"),
        ),
        variant=other(data),
        habits=(('"enable": true', '"enable": false'), ('"iconColor"', '"color"')),
    )


@family("service-overview", difficulty=5)
def service_overview(draw: Draw) -> Draft:
    title, uid, job, window = (
        draw.name(),
        draw.name(),
        draw.identifier(),
        draw.choice(("1m", "2m", "6m")),
    )
    requests, errors, late = draw.identifier(), draw.identifier(), draw.identifier()
    limit, refresh = draw.choice((1, 2, 3)), draw.choice(REFRESH)
    where = f'job="${job}"'
    rate = f"sum by (code) (rate({requests}_total{{{where}}}[{window}]))"
    share = f"sum(rate({errors}_total{{{where}}}[{window}]))"
    slow = f"histogram_quantile(0.95, sum by (le) (rate({late}_bucket{{{where}}}[{window}])))"
    steps = [{"color": "green", "value": None}, {"color": "red", "value": limit}]
    data = board(
        title,
        panel(
            "timeseries",
            "Requests",
            query(rate, legendFormat="{{code}}"),
            at=(0, 0, 12, 8),
            **defaults(unit="reqps"),
        ),
        panel(
            "stat",
            "Errors",
            query(share),
            at=(12, 0, 12, 8),
            **defaults(thresholds={"mode": "absolute", "steps": steps}),
        ),
        panel("timeseries", "Latency", query(slow), at=(0, 8, 24, 8), **defaults(unit="s")),
        uid=uid,
        refresh=refresh,
        templating={"list": [variable(job, "label_values(up, job)")]},
    )
    return Draft(
        wordings=(
            f"Write the Grafana dashboard {title} (JSON, uid {uid}, refresh {refresh}) over {SOURCE}. The variable {job} is label_values(up, job). Three panels: "
            f"the time series Requests, {rate}, legend {{{{code}}}}, unit reqps; the stat Errors, {share}, green and red from {limit}; the time series "
            f"Latency over the whole width, {slow}, unit s.",
            f"dashboard {title} uid {uid} refresh {refresh}, prometheus prom, variable {job}=label_values(up, job); timeseries Requests: {rate} ({{{{code}}}}, reqps); "
            f"stat Errors: {share}, red at {limit}; timeseries Latency (w 24): {slow} (s)",
            f"Build a service overview.\n---\ntitle: {title}\nuid: {uid}\nrefresh: {refresh}\nsource: {SOURCE}\nvariable {job}: label_values(up, job)\n"
            f"Requests (timeseries, reqps, legend {{{{code}}}}): {rate}\nErrors (stat, green, red from {limit}): {share}\nLatency (timeseries, s, width 24): {slow}",
        ),
        answer=pretty(data),
        reasoning=(
            f"variable {job}",
            "Requests and Latency over time",
            f"Errors red from {limit}",
            "no panels overlap",
        ),
        checks=(
            identity("dashboard", title),
            equals("dashboard", title, "uid", uid),
            equals("dashboard", title, "refresh", refresh),
            equals("variable", job, "query", "label_values(up, job)"),
            contains(
                "timeseries", "Requests", "targets", {"expr": rate, "legendFormat": "{{code}}"}
            ),
            equals("timeseries", "Requests", "fieldConfig.defaults.unit", "reqps"),
            contains("stat", "Errors", "targets[].expr", share),
            equals("stat", "Errors", "fieldConfig.defaults.thresholds.steps", steps),
            contains("timeseries", "Latency", "targets[].expr", slow),
            equals("timeseries", "Latency", "gridPos.w", 24),
            equals("timeseries", "Latency", "fieldConfig.defaults.unit", "s"),
            references("timeseries", "Requests", "targets", "variable", job),
        ),
        variant=other(data),
        habits=(
            ("histogram_quantile(0.95, ", "histogram_quantile(95, "),
            (f'"name": "{job}"', '"name": "job"'),
        ),
    )
