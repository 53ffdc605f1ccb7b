FROM python:3.12-slim
WORKDIR /app
MAINTAINER jane@example.com
USER 10001
CMD ["python", "-m", "app"]
