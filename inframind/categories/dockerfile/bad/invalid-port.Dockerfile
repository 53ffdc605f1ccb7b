FROM python:3.12-slim
WORKDIR /app
EXPOSE http
USER 10001
CMD ["python", "-m", "app"]
