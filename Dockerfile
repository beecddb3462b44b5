# One image for code location, webserver, daemon and runs. Nothing in it is secret: settings come from the environment.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock setup.cfg pyproject.toml README.md LICENSE ./
COPY nba_props nba_props
RUN pip install --no-cache-dir --prefix=/install --constraint requirements.lock ".[gcp,deploy]"

FROM python:3.12-slim-bookworm
# OpenMP, for XGBoost and CatBoost
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=build /install /usr/local
ENV PYTHONUNBUFFERED=1 DAGSTER_HOME=/opt/dagster NBA_PROPS_HOME=/var/lib/nba_props PATH=/opt/nba_props/bin:$PATH
RUN useradd --system --uid 10001 --create-home nba_props && mkdir -p "$DAGSTER_HOME" "$NBA_PROPS_HOME"
COPY deploy/dagster.yaml deploy/workspace.yaml /opt/dagster/
COPY --chmod=755 deploy/dagster-webserver /opt/nba_props/bin/
RUN chown -R nba_props "$DAGSTER_HOME" "$NBA_PROPS_HOME"
# revision of the code, shown on every run, row and page
ARG NBA_PROPS_REVISION=""
ENV NBA_PROPS_REVISION=$NBA_PROPS_REVISION
USER 10001
# smoke test: an image whose definitions do not load is not built
RUN env -u DAGSTER_HOME NBA_PROPS_HOME=/tmp/smoke dagster definitions validate -m nba_props.definitions
EXPOSE 3000 4000
CMD ["dagster", "code-server", "start", "-h", "0.0.0.0", "-p", "4000", "-m", "nba_props.definitions"]
