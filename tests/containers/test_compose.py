"""The container demonstration as it is written; `make compose-test` runs it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from containers import __main__ as compose_test
from containers import client
from vaultstorm import expectation
from vaultstorm_server import configuration
from vaultstorm_server.notices import notices

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
PROFILES = ["broken", "workaround", "fixed"]
WRITTEN = [
    *(ROOT / name for name in ("Dockerfile", ".dockerignore", "docker-compose.yml")),
    *sorted((ROOT / "containers").glob("*.py")),
    *sorted((ROOT / "containers" / "settings").glob("*.toml")),
    ROOT / "containers" / "compose-test",
]
HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:io|com|org|net|dev)\b(?!\.\w)")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Give the services of docker-compose.yml."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = document["services"]
    return services


def test_there_is_one_server_and_one_client_whatever_the_profile(services: dict[str, Any]) -> None:
    """`up --exit-code-from client` means the same in all three profiles, and no other is there."""
    assert {name: service["profiles"] for name, service in services.items()} == {
        "server": PROFILES,
        "client": PROFILES,
    }
    assert list(client.PROFILES) == PROFILES
    assert list(compose_test.PROFILES) == PROFILES


def test_a_profile_that_is_not_named_is_asked_for(services: dict[str, Any]) -> None:
    """The server's settings follow COMPOSE_PROFILES, and without it Compose says what to write."""
    (script,) = services["server"]["command"]

    assert "${COMPOSE_PROFILES:?begin with COMPOSE_PROFILES=broken" in script
    assert "--config /demo/settings/${COMPOSE_PROFILES}.toml" in script
    assert services["client"]["command"] == ["${COMPOSE_PROFILES}"]


def test_the_client_comes_when_the_server_serves(services: dict[str, Any]) -> None:
    """The server has a health check that asks it, the client waits for that, and has none."""
    assert services["server"]["healthcheck"]["test"][:2] == ["CMD", "python"]
    assert services["client"]["depends_on"] == {"server": {"condition": "service_healthy"}}
    assert services["client"]["healthcheck"] == {"disable": True}


def test_port_443_needs_no_privilege(services: dict[str, Any]) -> None:
    """The sysctl opens the port; nobody is root, privileged, or has a capability."""
    assert services["server"]["sysctls"]["net.ipv4.ip_unprivileged_port_start"] == 0
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "user", "network_mode"} & set(service)


def test_both_see_the_authority_and_the_reports(services: dict[str, Any]) -> None:
    """The certificates' volume and the reports' folder are mounted into both containers."""
    for service in services.values():
        targets = [volume.rpartition("}")[2] or volume for volume in service["volumes"]]
        assert "certificates:/tls" in targets
        assert ":/reports:z" in targets


def test_the_server_is_called_as_its_certificate_names_it(services: dict[str, Any]) -> None:
    """The service, its host name and the client's URL are one name."""
    assert f"https://{services['server']['hostname']}" == client.SERVER
    assert services["server"]["hostname"] in services


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_settings_that_are_read(profile: str) -> None:
    """Its file holds settings that there are, and none is without effect."""
    settings = configuration.load(ROOT / "containers" / "settings" / f"{profile}.toml")

    assert settings.apppool.PeriodicRestartRequests == 500
    assert not list(notices(settings, rpc=False))


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_expected_of_a_profile_can_be_checked(profile: str) -> None:
    """Every expectation is on a number that a summary has."""
    for text in client.PROFILES[profile].expect:
        expectation.parse(text, profile)


def test_the_image_ends_without_root() -> None:
    """The last user of the Dockerfile is a number other than 0, which engines can check."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]

    assert users == ["1000:1000"]
    assert lines.index("USER 1000:1000") > max(
        number for number, line in enumerate(lines) if line.startswith(("FROM ", "RUN "))
    )
    assert any(line.startswith("HEALTHCHECK ") for line in lines)


def test_the_base_is_an_argument() -> None:
    """Both stages are made from ARG BASE, and Compose passes on the same default."""
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert "\nARG BASE=python:3.13-slim\n" in dockerfile
    assert re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert "${VAULTSTORM_BASE:-python:3.13-slim}" in (ROOT / "docker-compose.yml").read_text()


def test_the_build_is_given_all_that_the_wheel_is_made_of() -> None:
    """.dockerignore lets through what pyproject.toml names, and ignores the rest."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {path.partition("/")[0] for path in packages}
    needed |= {"pyproject.toml", "constraints.txt", project["project"]["readme"], "LICENSE"}

    assert "*" in lines
    assert {f"!{name}" for name in needed} <= set(lines)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_registry_and_no_mirror_is_named(path: Path) -> None:
    """Where images and packages come from is the reader's own setting."""
    assert HOST.findall(path.read_text()) == []
