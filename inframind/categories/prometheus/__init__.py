"""The Prometheus category: rule files, the server's configuration and Alertmanager's."""
