FROM python:3.12-slim
WORKDIR /app
ENV DB_PASSWORD=hunter2
USER 10001
CMD ["python", "-m", "app"]
