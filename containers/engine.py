"""What the test needs of a container engine, and Docker, which has it all by itself."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from containers.commands import attempt

IMAGE = "localhost/vaultstorm-test"


class Engine(NamedTuple):
    """A container engine that works here."""

    name: str
    tool: Sequence[str]
    """Its own command line."""
    compose: Sequence[str]
    """Compose, by that engine."""
    build: Sequence[str]
    """Compose, as an image is built with it; `build_options` follow the word `build`."""
    build_options: Sequence[str]
    env: Mapping[str, str]
    keeps_time: bool = True
    """Whether it runs health checks by itself: Podman leaves that to systemd."""


def index_options() -> list[str]:
    """Give the options by which an image is built with the package index that is set up here."""
    return [
        f"--build-arg={name}={os.environ[name]}"
        for name in ("PIP_INDEX_URL",)
        if name in os.environ
    ]


def docker() -> Engine | None:
    """Give Docker with its Compose, if an engine answers."""
    answers = attempt(["docker", "info"], timeout=30).code == 0
    if not answers or attempt(["docker", "compose", "version"]).code != 0:
        return None
    compose = ["docker", "compose", "--ansi", "never"]
    env = {"VAULTSTORM_IMAGE": IMAGE}
    return Engine("docker compose", ["docker"], compose, compose, index_options(), env)
