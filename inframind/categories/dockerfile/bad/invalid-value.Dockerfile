FROM python:3.12-slim
WORKDIR /app
STOPSIGNAL TERMINATE
USER 10001
CMD ["python", "-m", "app"]
