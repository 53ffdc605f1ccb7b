FROM python:3.12-slim
WORKDIR /app
HEALTHCHECK --interval=30 CMD curl -f http://localhost/
USER 10001
CMD ["python", "-m", "app"]
