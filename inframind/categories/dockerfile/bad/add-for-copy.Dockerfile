FROM python:3.12-slim
WORKDIR /app
ADD src/ ./src/
USER 10001
CMD ["python", "-m", "app"]
