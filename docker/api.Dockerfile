# The api, the reconciler, the migrations and the commands. No torch: some hundred megabytes.
# The Python and the locked versions of the tests. A digest pins the base: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE} AS build
WORKDIR /opt/inframind/src
COPY docker/api.lock docker/api.lock
RUN python -m venv /opt/inframind \
 && /opt/inframind/bin/pip install --no-cache-dir --no-deps --require-hashes -r docker/api.lock
COPY pyproject.toml README.md LICENSE ./
COPY inframind inframind
COPY app app
COPY workers workers
COPY migrations migrations
RUN /opt/inframind/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . \
 && /opt/inframind/bin/pip check

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/inframind /opt/inframind
# A new volume takes the owner of the folder that it covers.
RUN groupadd --system --gid 10001 inframind \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data inframind \
 && install --directory --owner=10001 --group=10001 /data /weights
ENV PATH=/opt/inframind/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    INFRAMIND_DATA_DIR=/data \
    INFRAMIND_HOST=0.0.0.0 \
    INFRAMIND_LOG_FORMAT=json
WORKDIR /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["python", "-m", "workers.api"]
