FROM python:3.12-slim
WORKDIR /app
RUN curl -fsSL https://example.com/install.sh | sh
USER 10001
CMD ["python", "-m", "app"]
