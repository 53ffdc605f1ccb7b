FROM python:latest
USER 10001
CMD ["python", "-m", "app"]
