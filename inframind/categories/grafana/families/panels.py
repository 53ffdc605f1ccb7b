"""Task families for dashboards of one panel."""

from inframind.bench.draw import Draw
from inframind.bench.family import Draft, contains, equals, identity
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

UNITS = ("reqps", "s", "bytes", "percent", "short", "ops")
WINDOWS = ("1m", "2m", "3m", "6m")
SOURCE = "the Prometheus data source prom"


@family("time-series", difficulty=1)
def time_series(draw: Draw) -> Draft:
    title, name, metric, window = draw.name(), draw.name(), draw.identifier(), draw.choice(WINDOWS)
    expression = f"rate({metric}_total[{window}])"
    data = board(title, panel("timeseries", name, query(expression)))
    return Draft(
        wordings=(
            f"Write the JSON of a Grafana dashboard {title} with one time series panel {name}: {expression} from {SOURCE}.",
            f"grafana dashboard {title}: timeseries {name}, prometheus uid prom, {expression}",
            f"We want to see {expression} over time. Dashboard {title}, panel {name} (timeseries), {SOURCE}.",
        ),
        answer=pretty(data),
        reasoning=(f"dashboard {title}", f"timeseries {name}: {expression}"),
        checks=(
            identity("timeseries", name),
            equals("dashboard", title, "title", title),
            contains("timeseries", name, "targets[].expr", expression),
            equals("timeseries", name, "datasource.uid", "prom"),
        ),
        variant=other(data),
        habits=(('"type": "timeseries"', '"type": "graph"'), ('"expr"', '"query"')),
    )


@family("stat", difficulty=1)
def stat(draw: Draw) -> Draft:
    title, name, job, unit = draw.name(), draw.name(), draw.name(), draw.choice(UNITS)
    expression = f'count(up{{job="{job}"}} == 1)'
    data = board(title, panel("stat", name, query(expression, instant=True), **defaults(unit=unit)))
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with a stat panel {name} that counts the healthy targets of the job {job}: {expression}, "
            f"an instant query of {SOURCE}, unit {unit}.",
            f"dashboard {title}: stat {name}, {expression}, instant, unit {unit}, prometheus prom ({job})",
            f"One number on the dashboard {title}: the stat {name} shows {expression} for {job} (instant, unit {unit}, {SOURCE}).",
        ),
        answer=pretty(data),
        reasoning=(f"dashboard {title}", f"stat {name} with unit {unit}, instant"),
        checks=(
            identity("stat", name),
            equals("dashboard", title, "title", title),
            contains("stat", name, "targets", {"expr": expression, "instant": True}),
            equals("stat", name, "fieldConfig.defaults.unit", unit),
        ),
        variant=other(data),
        habits=(('"type": "stat"', '"type": "singlestat"'), ('"unit"', '"format"')),
    )


@family("gauge-thresholds", difficulty=2)
def gauge_thresholds(draw: Draw) -> Draft:
    title, name, metric = draw.name(), draw.name(), draw.identifier()
    warn, bad = draw.choice((60, 65, 70)), draw.choice((85, 90, 95))
    steps = [
        {"color": "green", "value": None},
        {"color": "orange", "value": warn},
        {"color": "red", "value": bad},
    ]
    options = defaults(
        unit="percent", min=0, max=100, thresholds={"mode": "absolute", "steps": steps}
    )
    data = board(title, panel("gauge", name, query(metric), **options))
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with a gauge {name} of {metric} in percent, 0 to 100: green, orange from {warn}, red from {bad}. "
            f"It reads {SOURCE}.",
            f"dashboard {title}: gauge {name}, {metric} (prometheus prom), percent 0..100, thresholds green/orange {warn}/red {bad}",
            f"The gauge {name} on {title} shows {metric} from {SOURCE}: percent from 0 to 100, orange at {warn}, red at {bad}, else green.",
        ),
        answer=pretty(data),
        reasoning=(f"gauge {name} of {metric}", f"thresholds green, orange {warn}, red {bad}"),
        checks=(
            identity("gauge", name),
            equals("dashboard", title, "title", title),
            contains("gauge", name, "targets[].expr", metric),
            equals("gauge", name, "fieldConfig.defaults.unit", "percent"),
            equals("gauge", name, "fieldConfig.defaults.max", 100),
            equals("gauge", name, "fieldConfig.defaults.thresholds.steps", steps),
        ),
        variant=other(data),
        habits=(('"steps"', '"values"'), ('"unit": "percent"', '"unit": "%"')),
    )


@family("bar-gauge", difficulty=2, held_out=True)
def bar_gauge(draw: Draw) -> Draft:
    title, name, metric, count = draw.name(), draw.name(), draw.identifier(), draw.integer(3, 9)
    expression = f"topk({count}, sum by (instance) ({metric}))"
    data = board(
        title, panel("bargauge", name, query(expression), options={"orientation": "horizontal"})
    )
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with a horizontal bar gauge {name} of {expression} from {SOURCE}.",
            f"dashboard {title}: bargauge {name}, {expression}, horizontal, prometheus prom",
            f"The {count} largest instances as horizontal bars: bar gauge {name} on {title}, query {expression}, {SOURCE}.",
        ),
        answer=pretty(data),
        reasoning=(f"bargauge {name}, horizontal", f"query {expression}"),
        checks=(
            identity("bargauge", name),
            equals("dashboard", title, "title", title),
            contains("bargauge", name, "targets[].expr", expression),
            equals("bargauge", name, "options.orientation", "horizontal"),
        ),
        variant=other(data),
        habits=(('"type": "bargauge"', '"type": "bar-gauge"'), ('"orientation"', '"direction"')),
    )


@family("table", difficulty=2)
def table(draw: Draw) -> Draft:
    title, name, metric = draw.name(), draw.name(), draw.identifier()
    data = board(
        title, panel("table", name, query(metric, instant=True, format="table"), at=(0, 0, 24, 10))
    )
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with the table {name} over the whole width (24), 10 high: {metric} as an instant query in "
            f"table format from {SOURCE}.",
            f"dashboard {title}: table {name}, w 24 h 10, {metric} instant, format table, prometheus prom",
            f"Show {metric} as the table {name} on the dashboard {title}; it is 24 wide and 10 high, and its query ({SOURCE}) is instant with format table.",
        ),
        answer=pretty(data),
        reasoning=(f"table {name}, 24 x 10", f"{metric}: instant, format table"),
        checks=(
            identity("table", name),
            equals("dashboard", title, "title", title),
            contains(
                "table", name, "targets", {"expr": metric, "instant": True, "format": "table"}
            ),
            equals("table", name, "gridPos.w", 24),
            equals("table", name, "gridPos.h", 10),
        ),
        variant=other(data),
        habits=(('"type": "table"', '"type": "table-old"'), ('"w": 24', '"w": 26')),
    )


@family("logs", difficulty=1)
def logs(draw: Draw) -> Draft:
    title, name, app, word = draw.name(), draw.name(), draw.name(), draw.word()
    expression = f'{{app="{app}"}} |= "{word}"'
    one = panel("logs", name) | {
        "datasource": {"type": "loki", "uid": "loki"},
        "targets": [query(expression)],
    }
    return Draft(
        wordings=(
            f'Write a Grafana dashboard {title} (JSON) with a logs panel {name} that shows the lines of the app {app} with "{word}" in them, from the '
            "Loki data source loki.",
            f'dashboard {title}: logs {name}, loki uid loki, {{app="{app}"}} |= "{word}"',
            f'Dashboard {title}: the logs panel {name} reads {{app="{app}"}} from Loki (uid loki) and keeps the lines that contain "{word}".',
        ),
        answer=pretty(board(title, one)),
        reasoning=(f"logs panel {name}, Loki", f"query for {app} with {word}"),
        checks=(
            identity("logs", name),
            equals("dashboard", title, "title", title),
            equals("logs", name, "datasource.type", "loki"),
            equals("logs", name, "datasource.uid", "loki"),
            contains("logs", name, "targets[].expr", expression),
        ),
        variant=other(board(title, one)),
        habits=(('"type": "logs"', '"type": "log"'), ('"expr"', '"query"')),
    )


@family("text", difficulty=1)
def text(draw: Draw) -> Draft:
    title, name, domain = draw.name(), draw.name(), draw.domain()
    content = f"Runbook: https://{domain}/"
    data = board(title, panel("text", name, options={"mode": "markdown", "content": content}))
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with a Markdown text panel {name} that says `{content}`.",
            f"dashboard {title}: text panel {name}, markdown, content {content}",
            f"Put a note on the dashboard {title}: text panel {name} in Markdown with exactly {content}",
        ),
        answer=pretty(data),
        reasoning=(f"text panel {name}", f"markdown: {content}"),
        checks=(
            identity("text", name),
            equals("dashboard", title, "title", title),
            equals("text", name, "options.mode", "markdown"),
            equals("text", name, "options.content", content),
        ),
        variant=other(data),
        habits=(('"content"', '"text"'), ('"type": "text"', '"type": "markdown"')),
    )


@family("heatmap", difficulty=2)
def heatmap(draw: Draw) -> Draft:
    title, name, metric, window = draw.name(), draw.name(), draw.identifier(), draw.choice(WINDOWS)
    expression = f"sum by (le) (rate({metric}_bucket[{window}]))"
    one = panel("heatmap", name, query(expression, format="heatmap", legendFormat="{{le}}"))
    return Draft(
        wordings=(
            f"Write a Grafana dashboard {title} (JSON) with the heatmap {name} of {expression} (format heatmap, legend {{{{le}}}}) from {SOURCE}.",
            f"dashboard {title}: heatmap {name}, {expression}, format heatmap, legend {{{{le}}}}, prometheus prom",
            f"Latencies as a heatmap: panel {name} on {title}, {SOURCE}, query {expression} with the format heatmap and the legend {{{{le}}}}.",
        ),
        answer=pretty(board(title, one)),
        reasoning=(f"heatmap {name}", f"buckets of {metric} over {window}"),
        checks=(
            identity("heatmap", name),
            equals("dashboard", title, "title", title),
            contains(
                "heatmap",
                name,
                "targets",
                {"expr": expression, "format": "heatmap", "legendFormat": "{{le}}"},
            ),
            equals("heatmap", name, "datasource", PROMETHEUS),
        ),
        variant=other(board(title, one)),
        habits=(
            ("sum by (le) (rate(", "sum by le (rate("),
            ('"format": "heatmap"', '"format": "time_series"'),
        ),
    )
