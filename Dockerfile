# Bayerboard's images: `web` for site, workers and beat, without torch; `gpu-worker` for the baselines, with it.
# docker-compose.yml says which command each runs.

FROM python:3.11-slim AS build
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/bayerboard
ENV PATH=/opt/bayerboard/bin:$PATH
# The packages come first: this layer is made anew only when the lock changes.
COPY requirements/production.txt requirements/
RUN pip install --require-hashes --no-deps -r requirements/production.txt
COPY pyproject.toml README.md LICENSE ./
COPY platform platform
COPY scoring scoring
COPY workers workers
COPY baselines baselines
RUN pip install --no-deps --no-build-isolation .
# The loops of the metrics, for the processor that builds; on another, a score worker compiles them when it first starts.
RUN python -P -c "from scoring.metrics.native import loops; loops()"

FROM build AS build-gpu
# Gigabytes, and in no lock: torch brings CUDA in versions of its own. What the lock names stays as it is.
RUN pip install --constraint requirements/production.txt ".[baselines]"

FROM python:3.11-slim AS base
RUN useradd --system --uid 10001 --no-create-home --home-dir /data bayerboard \
    && install --directory --owner bayerboard --group bayerboard --mode 0700 /data
ENV PATH=/opt/bayerboard/bin:$PATH \
    DJANGO_SETTINGS_MODULE=bayerboard.settings \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
VOLUME /data

FROM base AS gpu-worker
COPY --from=build-gpu /opt/bayerboard /opt/bayerboard
USER bayerboard
CMD ["celery", "--app", "bayerboard.celery:app", "worker", "--hostname", "baseline@%h", "--queues", "baseline", "--concurrency", "1"]

# The last one is what `docker build .` makes.
FROM base AS web
COPY --from=build /opt/bayerboard /opt/bayerboard
USER bayerboard
EXPOSE 8000
CMD ["gunicorn", "bayerboard.wsgi:application", "--config", "python:bayerboard.operations.gunicorn", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--threads", "8"]
