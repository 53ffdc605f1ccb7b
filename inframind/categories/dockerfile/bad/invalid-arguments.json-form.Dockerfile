FROM python:3.12-slim
WORKDIR /app
CMD ['python', 'app.py']
