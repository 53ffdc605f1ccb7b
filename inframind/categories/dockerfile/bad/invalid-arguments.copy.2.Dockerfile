FROM python:3.12-slim
WORKDIR /app
COPY a.txt b.txt dest
USER 10001
CMD ["python", "-m", "app"]
