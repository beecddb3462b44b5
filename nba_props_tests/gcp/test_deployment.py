"""What is deployed: settings by environment, the image's files, and the instance on a real PostgreSQL."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner

from nba_props import deployment
from nba_props.assets.monitoring import REPORT_PAGE
from nba_props.assets.site import GATHERED_PAGES, SLATE_PAGE
from nba_props.automation import planning, pruning, runner
from nba_props.automation.instance import open_instance
from nba_props.automation.webserver import HOSTS
from nba_props.cli import main
from nba_props.definitions import build_defs
from nba_props.deployment import deployed, load_settings
from nba_props.settings import Gcp, SettingsError
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests import league
from nba_props_tests.conftest import DAY, make_settings, open_platform
from nba_props_tests.gcp.emulators import free_port

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PRODUCTION = {
    "NBA_PROPS_PROFILE": "gcp",
    "NBA_PROPS_GCP_PROJECT": "p",
    "NBA_PROPS_GCP_LOCATION": "US",
    "NBA_PROPS_BUCKET": "b",
    "NBA_PROPS_FIRST_DATE": "2022-10-18",
}


class TestSettings:
    def test_everything_lies_under_one_project_and_one_bucket(self, tmp_path):
        settings = load_settings({**PRODUCTION, "NBA_PROPS_HOME": str(tmp_path)})
        assert settings.gcp == Gcp("p", "US", "b")
        assert settings.landing == "gs://b/landing"
        assert settings.models == "gs://b/models/main"
        assert settings.reports == "gs://b/reports/main"
        assert open_warehouse(settings).place == "BigQuery p.nba_*"

    def test_a_staging_deployment_shares_payloads_and_nothing_else(self, tmp_path):
        own = {"NBA_PROPS_HOME": str(tmp_path), "NBA_PROPS_DATASET_PREFIX": "staging_"}
        settings = load_settings({**PRODUCTION, **own})
        assert settings.landing == "gs://b/landing"
        assert settings.models == "gs://b/models/staging"
        assert open_warehouse(settings).place == "BigQuery p.staging_nba_*"

    @pytest.mark.parametrize("name", ["NBA_PROPS_GCP_PROJECT", "NBA_PROPS_GCP_LOCATION", "NBA_PROPS_BUCKET"])
    def test_a_missing_one_is_named(self, name):
        for absent in ({k: v for k, v in PRODUCTION.items() if k != name}, {**PRODUCTION, name: ""}):
            with pytest.raises(SettingsError, match=f"the profile gcp needs {name}: see docs/production.md"):
                load_settings(absent)

    def test_missing_libraries_are_named(self, monkeypatch):
        monkeypatch.setattr(deployment, "find_spec", lambda name: None if name == "gcsfs" else name)
        with pytest.raises(SettingsError, match=r"pip install 'nba_props\[gcp\]' brings them"):
            load_settings(PRODUCTION)
        assert load_settings({}).gcp is None

    def test_all_missing_ones_are_named_at_once(self):
        with pytest.raises(SettingsError, match="NBA_PROPS_GCP_PROJECT, NBA_PROPS_GCP_LOCATION, NBA_PROPS_BUCKET"):
            load_settings({"NBA_PROPS_PROFILE": "gcp"})

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("NBA_PROPS_BUCKET", "gs://b/x", "not the plain name of a bucket"),
            ("NBA_PROPS_DATASET_PREFIX", "my-staging", "letters, digits and underscores"),
            ("NBA_PROPS_MAX_BYTES_BILLED", "lots", "not a positive whole number"),
            ("NBA_PROPS_PROFILE", "aws", "can be local or gcp"),
        ],
    )
    def test_invalid_values_are_refused(self, name, value, message):
        with pytest.raises(SettingsError, match=message):
            load_settings({**PRODUCTION, name: value})

    def test_a_missing_one_is_named_at_start_before_any_run(self, tmp_path):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PROPS", "DAGSTER"))}
        env |= {**PRODUCTION, "NBA_PROPS_HOME": str(tmp_path), "NBA_PROPS_BUCKET": ""}
        command = [sys.executable, "-m", "nba_props", "run", "2025-11-05"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.strip() == "Error: the profile gcp needs NBA_PROPS_BUCKET: see docs/production.md"
        assert list(tmp_path.iterdir()) == []


def test_assets_show_where_they_are_stored(make_bucket, tmp_path):
    settings = load_settings({**PRODUCTION, "NBA_PROPS_HOME": str(tmp_path), "NBA_PROPS_BUCKET": make_bucket()})
    graph = build_defs(deployed(settings)).resolve_asset_graph()
    keys = [k for k in graph.get_all_asset_keys() if k.path[0] not in ("nba_models", "landing")]
    kinds = {k: graph.get(k).kinds for k in keys}
    for page in (REPORT_PAGE, SLATE_PAGE, GATHERED_PAGES):
        kinds.pop(page)  # files in the bucket, like the models
    assert len(kinds) > 60, "views too"
    assert all("bigquery" in found and not found & {"parquet", "view"} for found in kinds.values())
    local = build_defs(deployed(make_settings(tmp_path))).resolve_asset_graph()
    assert not [k for k in kinds if "bigquery" in local.get(k).kinds]


def test_the_demo_runs_on_the_local_profile_only(tmp_path, monkeypatch):
    for name, value in {**PRODUCTION, "NBA_PROPS_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(main, ["demo"])
    assert shown.exit_code == 1
    assert "unset NBA_PROPS_PROFILE" in shown.output


class TestTheImage:
    def test_copies_files_that_are_there_and_not_ignored(self):
        ignored = (ROOT / ".dockerignore").read_text().splitlines()
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M):
            for source in line.removeprefix("--chmod=755 ").split():
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in ignored, source

    def test_its_extras_and_lock_are_those_of_the_project(self):
        extras = re.search(r"\.\[(.+)\]", DOCKERFILE)[1].split(",")
        declared = (ROOT / "setup.cfg").read_text().split("[options.extras_require]")[1]
        locked = {re.split(r"[=<>\[ ]", line)[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
        for extra in extras:
            block = re.search(rf"^{extra} =\n((?:    .+\n)+)", declared, re.M)[1]
            wanted = [re.split(r"[=<>\[ ]", n.strip())[0] for n in block.splitlines() if not n.strip().startswith("#")]
            assert set(wanted) <= locked, extra
        versions = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["environments"]
        assert versions, "the lock is for the versions that the image may have"

    def test_its_webserver_has_the_guard(self):
        """The chart starts `dagster-webserver` by name."""
        script = ROOT / "deploy/dagster-webserver"
        assert 'exec python -m nba_props.automation.webserver "$@"' in script.read_text()
        assert os.access(script, os.X_OK)
        (place,) = re.findall(r"^COPY --chmod=755 deploy/dagster-webserver (\S+)/$", DOCKERFILE, re.M)
        assert re.search(rf"PATH={place}:\$PATH$", DOCKERFILE, re.M)

    def test_does_not_run_as_root(self):
        assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M) == ["10001"]
        assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("definitions validate") < DOCKERFILE.index("CMD")

    @pytest.mark.slow
    def test_its_smoke_test_passes_on_these_definitions(self, tmp_path):
        (command,) = re.findall(r"^RUN (env .*definitions validate.*)$", DOCKERFILE, re.M)
        command = command.replace("/tmp/smoke", str(tmp_path))  # noqa: S108
        path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        done = subprocess.run(shlex.split(command), env=path, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class TestComposeAndHelm:
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    values = yaml.safe_load((ROOT / "deploy/values.yaml").read_text())

    def test_compose_passes_every_setting_of_a_deployment(self):
        services = self.compose["services"]
        assert set(services) == {"postgres", "code-location", "webserver", "daemon", "login"}
        asked = re.findall(r"\$\{(\w+)", (ROOT / "deploy/compose.yaml").read_text())
        offered = re.findall(r"^(\w+)=", (ROOT / "deploy/example.env").read_text(), re.M)
        assert set(asked) - {"NBA_PROPS_IMAGE"} == set(offered)
        for name in ("code-location", "webserver", "daemon"):
            environment = services[name]["environment"]
            assert environment["NBA_PROPS_PROFILE"] == "gcp"
            assert {"env": "DAGSTER_POSTGRES_HOST"} in _values(
                yaml.safe_load((ROOT / "deploy/dagster.yaml").read_text())
            )
            named = {v["env"] for v in _values(yaml.safe_load((ROOT / "deploy/dagster.yaml").read_text()))}
            assert named <= set(environment)

    def test_compose_publishes_the_login_on_loopback_and_nothing_else(self):
        services = self.compose["services"]
        assert {n: s["ports"] for n, s in services.items() if "ports" in s} == {"login": ["127.0.0.1:3000:3000"]}
        assert not [n for n, s in services.items() if "network_mode" in s]
        site = (ROOT / "deploy/Caddyfile").read_text().split(":3000 {", 1)[1]
        place, rule = re.search(r"^\t(basic_auth) \{\n\t\t(.+)\n", site, re.M).groups()
        assert site.index(place) < site.index("reverse_proxy webserver:3000")
        names = re.findall(r"\{\$(\w+)\}", rule)
        assert names == ["NBA_PROPS_UI_USER", "NBA_PROPS_UI_PASSWORD_HASH"], "the rule has no word of its own"
        assert set(names) == set(services["login"]["environment"])
        assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in services["login"]["volumes"]
        command = services["webserver"]["command"]
        assert command[0] == "dagster-webserver"
        assert command[command.index("-p") + 1] == "3000"

    def test_no_secret_has_a_default(self):
        text = (ROOT / "deploy/compose.yaml").read_text()
        needed = {"DAGSTER_POSTGRES_PASSWORD", "NBA_PROPS_UI_USER", "NBA_PROPS_UI_PASSWORD_HASH"}
        for name in needed:
            assert len(re.findall(rf"\$\{{{name}\b", text)) == len(re.findall(rf"\$\{{{name}:\?[^}}]+\}}", text)) > 0
        secret = re.compile("KEY|PASSWORD|SECRET|WEBHOOK|_USER")
        for name, value in re.findall(r"^ +(\w+): (.*)$", text, re.M):
            if secret.search(name) and name not in ("DAGSTER_POSTGRES_USER", "POSTGRES_USER"):
                assert re.fullmatch(r"\$\{\w+:(\?.+|-)\}", value), f"{name}: {value}"
        for line in (ROOT / "deploy/example.env").read_text().splitlines():
            name, _, value = line.partition("=")
            if not line.startswith("#") and secret.search(name):
                assert value == "", line

    def test_the_chart_has_the_login_beside_the_webserver_and_no_way_past_it(self):
        webserver = self.values["dagsterWebserver"]
        (login,) = webserver["extraContainers"]
        arguments = dict(a.removeprefix("--").split("=", 1) for a in login["args"])
        assert arguments["upstream"] == f"http://127.0.0.1:{webserver['service']['port']}"
        assert not [a for a in arguments if "skip" in a or "secret" in a]
        assert arguments["email-domain"] == "DOMAIN", "who may come in is for the operator to say"
        assert login["envFrom"] == [{"secretRef": {"name": "nba-props-login"}}]
        (port,) = login["ports"]
        assert arguments["http-address"] == f"0.0.0.0:{port['containerPort']}"
        service, policy = yaml.safe_load_all((ROOT / "deploy/login.yaml").read_text())
        chosen = {"component": "dagster-webserver"}
        assert (service["spec"]["selector"], policy["spec"]["podSelector"]["matchLabels"]) == (chosen, chosen)
        assert [p["targetPort"] for p in service["spec"]["ports"]] == [port["name"]]
        assert policy["spec"]["policyTypes"] == ["Ingress"]
        assert policy["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": port["name"]}]}]
        assert webserver["service"]["type"] == "ClusterIP"
        assert {e["name"] for e in webserver["env"]} == {HOSTS}

    def test_the_commands_match_the_workspace(self):
        (server,) = yaml.safe_load((ROOT / "deploy/workspace.yaml").read_text())["load_from"]
        code = self.compose["services"][server["grpc_server"]["host"]]["command"]
        assert code[code.index("-p") + 1] == str(server["grpc_server"]["port"])
        assert shlex.split(re.search(r"^CMD (.+)$", DOCKERFILE, re.M)[1].strip("[]").replace(",", "")) == code
        (deployment,) = self.values["dagster-user-deployments"]["deployments"]
        assert deployment["dagsterApiGrpcArgs"] == ["-m", "nba_props.definitions"]

    def test_helm_has_the_same_settings_and_limits(self):
        (deployment,) = self.values["dagster-user-deployments"]["deployments"]
        named = {e["name"]: e["value"] for e in deployment["env"]}
        settings = load_settings(named)
        assert settings.profile == "gcp"
        instance = yaml.safe_load((ROOT / "deploy/dagster.yaml").read_text())
        assert (
            self.values["concurrency"]["runs"]["maxConcurrentRuns"]
            == (instance["concurrency"]["runs"]["max_concurrent_runs"])
        )
        assert self.values["concurrency"]["pools"]["defaultLimit"] == instance["concurrency"]["pools"]["default_limit"]
        assert deployment["image"] == self.values["dagsterWebserver"]["image"] == self.values["dagsterDaemon"]["image"]
        secret = re.compile("KEY|PASSWORD|WEBHOOK")
        assert not [n for n in named if secret.search(n)], "secrets come from a secret"


def _values(node) -> list[dict[str, str]]:
    """Every ``env:`` reference in a configuration."""
    if isinstance(node, dict):
        if set(node) == {"env"}:
            return [node]
        return [v for child in node.values() for v in _values(child)]
    return []


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A PostgreSQL of Debian's packages with an empty database, on loopback; a skip where there is none."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        pytest.skip("no PostgreSQL is installed: apt-get install postgresql")
    place = binaries[-1].parent
    folder = tmp_path_factory.mktemp("postgres")
    port = free_port()
    user = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = {"user": "postgres"}
        for parent in (folder, *folder.parents):
            if parent != Path("/") and parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):  # noqa: S108
                parent.chmod(0o755)
        shutil.chown(folder, "postgres", "postgres")
    password = folder / "password"
    subprocess.run(["sh", "-c", f"printf secret > {password}"], check=True, **user)
    data = folder / "data"
    subprocess.run(
        [place / "initdb", "-D", data, "-U", "dagster", "-A", "scram-sha-256", f"--pwfile={password}", "-N"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **user,
    )  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    control = [place / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
    yield port
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)


@pytest.mark.long
@pytest.mark.slow
def test_the_deployments_instance_on_a_real_postgresql(postgres, make_bucket, tmp_path, monkeypatch):
    home = tmp_path / "dagster"
    home.mkdir()
    config = (ROOT / "deploy/dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(config.replace("port: 5432", f"port: {postgres}"))
    bucket = make_bucket()
    for name, value in {
        "DAGSTER_HOME": str(home), "DAGSTER_POSTGRES_HOST": "127.0.0.1", "DAGSTER_POSTGRES_USER": "dagster",
        "DAGSTER_POSTGRES_PASSWORD": "secret", "DAGSTER_POSTGRES_DB": "postgres", "NBA_PROPS_BUCKET": bucket,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    platform = open_platform(tmp_path, None)
    league.land(platform.zone)
    with open_instance(platform.settings) as instance:
        assert "postgresql" in instance.run_storage.postgres_url
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 4
        definitions = build_defs(
            deployed(platform.settings, platform.warehouse, platform.zone, clock=lambda: platform.now)
        )
        keys = planning.resolve(definitions, ["schedule", "box_scores"])
        done = runner.execute(definitions, instance, "predict", league.FIRST, DAY - timedelta(days=1), select=keys)
        assert done.success, done.errors
        assert done.passed_checks > 0
    with open_instance(platform.settings) as again:  # another process would see the same
        assert [r.run_id for r in again.get_runs()] == [done.run_id]
        key = dg.AssetKey(["nba_raw", "box_scores"])
        found = again.get_materialized_partitions(key)
        assert {league.FIRST.isoformat(), (DAY - timedelta(days=2)).isoformat()} <= set(found)
        record = again.fetch_materializations(key, limit=1).records[0]
        assert "dagster/partition_row_count" in record.asset_materialization.metadata
        checks = again.all_logs(done.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        assert {e.dagster_event.asset_check_evaluation_data.partition for e in checks} >= {league.FIRST.isoformat()}
        # an old run goes, what it made stays known
        pruned = pruning.Pruned()
        pruning.prune_runs(again, datetime.now(UTC) + timedelta(1), pruned, dry_run=False)
        assert pruned.counts["runs"] == 1
        assert (again.get_runs(), again.get_materialized_partitions(key)) == ([], found)
        assert again.fetch_materializations(key, limit=1).records[0] == record
        assert len(again.all_logs(done.run_id)) < 3 * len(found) * len(keys), "of each partition the newest"
    assert not list(home.glob("**/*.db")), "nothing is kept beside the database"
