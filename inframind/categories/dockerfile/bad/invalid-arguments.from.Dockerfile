FROM python:3.12-slim as
USER 10001
