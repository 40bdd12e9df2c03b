# The worker's image: docker build -t jamdub . (CPU), or with --build-arg TORCH_INDEX_URL= (CUDA).
# Weights come with the packages of the lock, so nothing is downloaded when it runs.

FROM python:3.11.13-slim-bookworm AS builder
# The CPU build (0.2 GB) has a version of its own, which pip prefers; without this index comes the CUDA build, 3 GB.
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Compilers stay in this stage: a few packages of the lock come as source only. Their versions are Debian's of the day.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/jamdub
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# In the order of the Makefile: torch with its own dependencies, then the lock as it stands (docs/adr/0003).
COPY requirements.lock post_install.py ./
RUN PIP_EXTRA_INDEX_URL="$TORCH_INDEX_URL" pip install \
        "$(grep -o '^torch==[^ ]*' requirements.lock)" \
    && pip install --no-deps -r requirements.lock \
    && python post_install.py
COPY pyproject.toml README.md LICENSE prefect.yaml ./
COPY schemas schemas
COPY media media
COPY storage storage
COPY models models
COPY weights weights
COPY tasks tasks
COPY flows flows
RUN pip install --no-deps --editable . && python -m compileall -q flows tasks models storage media schemas

FROM python:3.11.13-slim-bookworm
RUN useradd --system --uid 10001 --user-group --create-home --home-dir /var/lib/jamdub jamdub
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /opt/jamdub /opt/jamdub
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    JAMDUB_HOME=/var/lib/jamdub \
    JAMDUB_MODELS_DIR=/opt/jamdub/weights \
    PREFECT_HOME=/var/lib/jamdub/prefect \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    PREFECT_LOGGING_SETTINGS_PATH=/opt/jamdub/tasks/logging.yaml \
    HF_HUB_OFFLINE=1 \
    DO_NOT_TRACK=1 \
    OMP_WAIT_POLICY=PASSIVE
USER 10001
WORKDIR /opt/jamdub
VOLUME /var/lib/jamdub
# The worker answers here while it can reach the Prefect server.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["prefect", "worker", "start", "--pool", "cpu", "--type", "process", "--with-healthcheck"]
