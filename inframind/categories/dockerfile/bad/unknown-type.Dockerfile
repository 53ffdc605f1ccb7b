FROM python:3.12-slim
WORKDIR /app
COPPY . .
USER 10001
CMD ["python", "-m", "app"]
