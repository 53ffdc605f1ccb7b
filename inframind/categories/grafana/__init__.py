"""The Grafana category: dashboards, and the files that provision data sources, dashboards and
alerting.
"""
