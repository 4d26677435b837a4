"""Which of the tools that vaultstorm is measured beside are there."""

import os
import shutil
import subprocess
from typing import Final

PACKAGES: Final[dict[str, str]] = {
    "wrk": "wrk",
    "ab": "apache2-utils",
    "hey": "hey",
    "h2load": "nghttp2-client",
    "nginx": "nginx-light",
}
"""Each program, and the Debian package that has it."""

CLIENTS: Final = ("wrk", "ab", "h2load", "hey")
"""The load tools, in the order they are shown in."""


def program(name: str) -> str | None:
    """Find a program; /usr/sbin, where Debian has nginx, is not in everybody's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(name, path=path)


def missing() -> list[str]:
    """Name the programs that are not installed."""
    return [name for name in PACKAGES if program(name) is None]


def install(names: list[str], timeout: float = 300.0) -> str | None:
    """Try once to install programs as Debian packages; only root can.

    Returns:
        Why it could not be done, or None.
    """
    if not names:
        return None
    apt = program("apt-get")
    if apt is None or os.geteuid() != 0:
        return "not root" if apt else "no apt-get"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = [PACKAGES[name] for name in names]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(
                [apt, "-qq", *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"apt-get {arguments[0]} took longer than {timeout:g} s"
        if done.returncode and arguments[0] == "install":
            return done.stderr.strip().splitlines()[-1] if done.stderr else "apt-get failed"
    return None
