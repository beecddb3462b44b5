"""Builds the BigQuery emulator's environment, once: ``python -m nba_props_tests.gcp.bootstrap``.

The emulator needs Python 3.13 and another DuckDB than the project, so it lives in a virtual environment of its own.
Without a Python 3.13 nothing is built, the tests of BigQuery are skipped, and this says so.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
ENVIRONMENT = Path(os.environ.get("NBA_PROPS_EMULATORS") or HERE.parents[1] / ".emulators")
VERSION = "3.13"
REASON = (
    f"no Python {VERSION} was found for the BigQuery emulator: install one, or name it in NBA_PROPS_EMULATOR_PYTHON"
)


def python_of(environment: Path) -> Path:
    return environment / "bin" / "python"


def is_ready(environment: Path = ENVIRONMENT) -> bool:
    """Whether the environment is there and of these requirements."""
    mark = environment / ".ready"
    return mark.exists() and mark.read_text() == _fingerprint()


def _fingerprint() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _candidates() -> Iterator[str]:
    if named := os.environ.get("NBA_PROPS_EMULATOR_PYTHON"):
        yield named
        return
    yield f"python{VERSION}"
    # a version manager's shim may be there and refuse: the versions behind it are asked by themselves
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if Path(folder).name == "shims":
            yield from map(str, sorted(Path(folder).parent.glob(f"versions/{VERSION}*/bin/python")))
    if uv := shutil.which("uv", path=str(Path(sys.executable).parent)):
        found = subprocess.run(
            [uv, "python", "find", "--offline", VERSION], capture_output=True, text=True, check=False
        )
        yield found.stdout.strip() or "none"


def find_python() -> str | None:
    """A Python of the wanted version that really runs."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in _candidates():
        try:
            answer = subprocess.run([candidate, "-c", question], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if answer.stdout.strip() == VERSION:
            return candidate
    return None


def build(environment: Path = ENVIRONMENT) -> bool:
    """Make the environment unless it is there; False when no Python for it was found."""
    if is_ready(environment):
        return True
    python = find_python()
    if python is None:
        return False
    shutil.rmtree(environment, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    own = str(python_of(environment))
    if uv := shutil.which("uv", path=str(Path(sys.executable).parent)):
        install = [uv, "pip", "install", "-q", "--python", own, "-r", str(REQUIREMENTS)]
    else:
        install = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    subprocess.run(install, check=True)
    # DuckDB looks for its extensions under the home, and would download them where there are none
    for extension in environment.glob("lib/*/site-packages/duckdb_extension_*/extensions/*/*.duckdb_extension"):
        machine = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}.get(platform.machine(), platform.machine())
        place = environment / "home/.duckdb/extensions" / extension.parent.name / machine
        place.mkdir(parents=True, exist_ok=True)
        (place / extension.name).symlink_to(extension.resolve())
    (environment / ".ready").write_text(_fingerprint())
    return True


if __name__ == "__main__":
    if not build():
        sys.stderr.write(f"{REASON}; the tests of BigQuery will be skipped\n")
        sys.exit(1 if os.environ.get("NBA_PROPS_REQUIRE_EMULATORS") else 0)
