FROM python:3.12-slim
WORKDIR /app
LABEL maintainer
USER 10001
CMD ["python", "-m", "app"]
