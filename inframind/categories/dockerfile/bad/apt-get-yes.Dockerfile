FROM python:3.12-slim
WORKDIR /app
RUN apt-get update && apt-get install curl
USER 10001
CMD ["python", "-m", "app"]
