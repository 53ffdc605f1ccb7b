FROM python:3.12-slim
WORKDIR /app
COPY --owner=10001 . .
USER 10001
CMD ["python", "-m", "app"]
