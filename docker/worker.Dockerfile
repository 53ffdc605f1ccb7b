# The worker of one GPU. The lock brings CUDA along; the host has the driver and NVIDIA's container toolkit.
# The Python and the locked versions of the tests. A digest pins the base: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE}
# Triton compiles the launchers of its kernels.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/inframind/src
COPY docker/worker.lock docker/worker.lock
# torch by version alone: its builds differ from machine to machine. What it needs is in the lock, with hashes.
RUN python -m venv /opt/inframind \
 && /opt/inframind/bin/pip install --no-cache-dir --no-deps torch==2.13.0 \
 && /opt/inframind/bin/pip install --no-cache-dir --no-deps --require-hashes -r docker/worker.lock
COPY pyproject.toml README.md LICENSE ./
COPY inframind inframind
COPY app app
COPY workers workers
COPY migrations migrations
RUN /opt/inframind/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . \
 && /opt/inframind/bin/pip check \
 && groupadd --system --gid 10001 inframind \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data inframind \
 && install --directory --owner=10001 --group=10001 /data /weights
ENV PATH=/opt/inframind/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    INFRAMIND_DATA_DIR=/data \
    INFRAMIND_LOG_FORMAT=json \
    HF_HUB_OFFLINE=1
WORKDIR /data
USER 10001:10001
# A deployment drains: the trainer leaves a checkpoint, the job goes back to the queue.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "workers.celery_app"]
