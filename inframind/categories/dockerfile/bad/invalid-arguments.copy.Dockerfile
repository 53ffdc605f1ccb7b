FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt
USER 10001
CMD ["python", "-m", "app"]
