# The bot. Its databases are services of compose.yaml, or any that SHORT_TERM_DSN and LONG_TERM_DSN name.
FROM python:3.11-slim-bookworm

# Where to look for packages beside the default index. Without PyTorch's CPU index here the image is many times as large.
ARG PIP_EXTRA_INDEX_URL

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin backscroll

WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore -r requirements.txt

# What may be copied is listed in .dockerignore.
COPY . .
# A new volume takes its owner from the folder that it covers.
RUN install --directory --owner=backscroll --group=backscroll --mode=711 db/storage \
 && install --directory --owner=backscroll --group=backscroll --mode=700 db/backups \
 && install --directory --owner=backscroll --group=backscroll --mode=700 /models

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HOME=/models \
    EMBEDDING_DIR=/models/exported \
    HF_HUB_DISABLE_TELEMETRY=1
USER 10001:10001
VOLUME ["/app/db/storage", "/app/db/backups", "/models"]

# Python heeds SIGINT from its first moment, even as process 1, which the system spares SIGTERM.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=10s --start-period=5m --retries=3 \
    CMD ["python", "-m", "cli.heartbeat", "/tmp/heartbeat", "--at-most", "60"]
CMD ["python", "main_async.py", "--yes", "--heartbeat", "/tmp/heartbeat"]
