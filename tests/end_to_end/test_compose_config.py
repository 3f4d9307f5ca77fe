"""Docker Compose itself reads compose.yaml, where its client is installed; no Docker engine is needed for that."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds
CLIENTS = (("docker", "compose"), ("docker-compose",))


def _version(client: tuple[str, ...]) -> str:
    """Return the version of a client; an empty string when there is none."""
    if shutil.which(client[0]) is None:
        return ""
    command = [*client, "version", "--short"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    return answer.stdout.strip().removeprefix("v") if answer.returncode == 0 else ""


@pytest.fixture(scope="module")
def client() -> tuple[str, ...]:
    """The command of Docker Compose 2 or newer; older ones do not know our kind of file."""
    for candidate in CLIENTS:
        if _version(candidate).partition(".")[0] not in {"", "1"}:
            return candidate
    pytest.skip("Docker Compose 2 is not installed")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what Compose reads, with .env as it is right after `cp .env_template .env`."""
    shutil.copytree(ROOT / "docker", tmp_path / "docker")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    shutil.copy(ROOT / ".env_template", tmp_path / ".env")
    return tmp_path


def config(client: tuple[str, ...], project: Path, *flags: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Let Compose read the project, with these settings and none of whoever runs the tests."""
    environment: Mapping[str, str] = {"PATH": os.environ["PATH"], "HOME": str(project), **settings}
    command = [*client, *flags, "config", "--format", "json"]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def services(client: tuple[str, ...], project: Path, *flags: str, **settings: str) -> dict[str, Any]:
    """Return the services that Compose would run."""
    answer = config(client, project, *flags, **settings)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)["services"]
    return found


def test_without_a_password_one_sentence_says_what_to_do(client: tuple[str, ...], project: Path) -> None:
    answer = config(client, project)

    assert answer.returncode != 0
    assert "DB_PASSWORD" in answer.stderr
    assert "set it in .env to a password of your own" in answer.stderr


def test_a_password_in_the_file_is_all_it_takes(client: tuple[str, ...], project: Path) -> None:
    env = project / ".env"
    env.write_text(env.read_text(encoding="utf-8").replace("DB_PASSWORD=", "DB_PASSWORD=p@ss:w/rd%"), encoding="utf-8")

    found = services(client, project)

    assert found.keys() == {"short_term_db", "long_term_db"}
    assert {server["environment"]["POSTGRES_PASSWORD"] for server in found.values()} == {"p@ss:w/rd%"}
    assert {port["host_ip"] for server in found.values() for port in server["ports"]} == {"127.0.0.1"}


def test_the_bot_comes_with_its_profile(client: tuple[str, ...], project: Path) -> None:
    found = services(client, project, "--profile", "bot", DB_PASSWORD="secret", SHORT_TERM_DSN="postgresql://elsewhere")

    assert found.keys() == {"short_term_db", "long_term_db", "bot"}
    assert found["bot"]["environment"]["SHORT_TERM_DSN"] == "postgresql://postgres@short_term_db:5432/short_term"


@pytest.mark.parametrize(
    ("servers", "host"),
    [pytest.param("0", "long_term_on_0", id="one for both"), pytest.param("1", "long_term_on_1", id="one for each")],
)
def test_how_many_servers_there_are_is_a_setting(
    client: tuple[str, ...], project: Path, servers: str, host: str
) -> None:
    settings = {"DB_PASSWORD": "secret", "LONG_TERM_SERVERS": servers}

    found = services(client, project, "--profile", "bot", **settings)

    assert found["long_term_db"]["scale"] == int(servers)
    assert f"@{host}:" in found["bot"]["environment"]["LONG_TERM_DSN"]


def test_tag_and_memory_are_settings(client: tuple[str, ...], project: Path) -> None:
    settings = {"TIMESCALE_TAG": "pg18", "DB_MEMORY": "4g", "DB_SHARED_BUFFERS": "1GB"}

    found = services(client, project, DB_PASSWORD="secret", **settings)

    assert found["long_term_db"]["image"] == "timescale/timescaledb-ha:pg18"
    assert int(found["long_term_db"]["mem_limit"]) == 4 * 2**30
    assert "-cshared_buffers=1GB" in found["long_term_db"]["command"]
