"""Podman with podman-compose: what is missing is installed, and all of it lives in one folder.

The folder has a storage, networks and settings of its own, so that no container, image, volume or
network of the user's is seen or touched.
"""

import os
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from containers.commands import Failed, attempt, run
from containers.engine import IMAGE, Engine, index_options

ROOT = Path(__file__).parent.parent
PACKAGES = (
    *("podman", "runc", "netavark", "aardvark-dns", "buildah", "iptables"),
    *("debootstrap", "python3-venv"),
)
COMPOSE = "podman-compose>=1.6,<2"
BASE = "localhost/vaultstorm-base"
PULL_TIMEOUT = 180

# The limits are such as a confined root may set; Podman's own are higher than its.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
{runtime}

[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""

# dpkg waits for the disk after every file; in memory it does not. The mount ends with unshare.
MAKE_BASE = """\
set -e
mount -t tmpfs -o size=2g,mode=0755 tmpfs "$1"
debootstrap --variant=minbase --include=python3,python3-venv "$2" "$1" "$3"
tar --directory "$1" --create --file "$4" --exclude=./var/cache/apt --exclude=./var/lib/apt/lists \
    --exclude=./usr/share/doc --exclude=./usr/share/locale .
"""


def podman(folder: Path, say: Callable[[str], None]) -> Engine | None:
    """Give Podman, set up in `folder`; None if there is none and it cannot be installed.

    Raises:
        Failed: it is there, and cannot be set up.
    """
    if not _installed(say):
        return None
    env = _configure(folder)
    base = _known_base(env)
    if base is None:
        say("no base image can be pulled: making one with debootstrap, which takes minutes")
    with ThreadPoolExecutor() as pool:
        making = None if base else pool.submit(_make_base, folder, env)
        compose = _compose(folder)
        wheels = _wheels(folder) if base in (None, BASE) else None
        if making:
            making.result()
    env |= {"VAULTSTORM_BASE": base or BASE, "VAULTSTORM_IMAGE": IMAGE, "BUILDAH_FORMAT": "docker"}
    # Layers that nobody will use again would stay: the checkout is another one each time.
    arguments, options = "--layers=false", index_options()
    if wheels:
        arguments += f" --volume {wheels}:/wheels:ro"
        options = ["--build-arg=PIP_NO_INDEX=1", "--build-arg=PIP_FIND_LINKS=/wheels"]
    build = [*compose, f"--podman-build-args={arguments}"]
    has_systemd = Path("/run/systemd/system").is_dir()
    return Engine("podman-compose", ["podman"], compose, build, options, env, has_systemd)


def _installed(say: Callable[[str], None]) -> bool:
    """Install what is missing, where that can be done, and tell whether Podman is there."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        status = ["dpkg-query", "--show", "--showformat=${Status}"]
        missing = [p for p in PACKAGES if "ok installed" not in attempt([*status, p]).output]
        if missing:
            say(f"installing {', '.join(missing)}")
            env = {"DEBIAN_FRONTEND": "noninteractive"}
            install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends"]
            attempt(["apt-get", "update", "--quiet"], env)
            ended = attempt([*install, *missing], env)
            if ended.code != 0:
                say(ended.output)
    return shutil.which("podman") is not None


def _configure(folder: Path) -> dict[str, str]:
    """Write the settings, and give the environment that makes every Podman take them."""
    for name in ("tmp", "networks", "storage", "run"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    runtime = 'runtime = "runc"' if shutil.which("runc") else ""
    containers, storage = folder / "containers.conf", folder / "storage.conf"
    containers.write_text(CONTAINERS_CONF.format(folder=folder, runtime=runtime))
    storage.write_text(STORAGE_CONF.format(folder=folder))
    return {"CONTAINERS_CONF": str(containers), "CONTAINERS_STORAGE_CONF": str(storage)}


def _known_base(env: dict[str, str]) -> str | None:
    """Give a base image that is here or can be pulled."""
    wanted = os.environ.get("VAULTSTORM_BASE")
    if wanted is None:
        found = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        assert found is not None
        if attempt(["podman", "image", "exists", BASE], env).code == 0:
            return BASE
        wanted = found[1]
    if attempt(["podman", "image", "exists", wanted], env).code == 0:
        return wanted
    pulled = attempt(["podman", "pull", "--quiet", wanted], env, PULL_TIMEOUT).code == 0
    return wanted if pulled else None


def _make_base(folder: Path, env: dict[str, str]) -> None:
    """Make a base image of what this machine's own package mirror has. Raises Failed."""
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Failed(
            "the base image cannot be pulled, and only root can make one, with debootstrap: "
            "name one that is here with VAULTSTORM_BASE"
        )
    tree, archive = folder / "base", folder / "base.tar"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    try:
        script = ["sh", "-c", MAKE_BASE, "sh", str(tree), *_mirror(), str(archive)]
        run(["unshare", "--mount", "--propagation=private", *script], timeout=900)
        run(["podman", "import", "--quiet", str(archive), BASE], env)
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(tree, ignore_errors=True)


def _mirror() -> tuple[str, str]:
    """Give this machine's release and where its own apt has it from. Raises Failed."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    targets = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)"]
    for line in run([*targets, "Created-By: Packages"]).splitlines():
        codename, _, place = line.partition(" ")
        if codename == release:
            return release, place
    raise Failed("apt-get names no mirror of this machine's release: run `apt-get update` first")


def _compose(folder: Path) -> list[str]:
    """Give podman-compose, in an environment of its own."""
    tools = folder / "tools"
    binary = tools / "bin" / "podman-compose"
    if not binary.exists():
        system = Path("/usr/bin/python3")  # the base image has the same
        python = str(system) if system.exists() else sys.executable
        run([python, "-m", "venv", "--clear", str(tools)])
        run([str(tools / "bin" / "pip"), "install", "--quiet", COMPOSE])
    return [str(binary), "--no-ansi"]


def _wheels(folder: Path) -> Path:
    """Fetch what the wheel of this checkout needs: a build has the network, not our index."""
    wheels, stamp = folder / "wheels", folder / "wheels.txt"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    constraints = ROOT / "constraints.txt"
    wanted = "\n".join([*needs, constraints.read_text()])
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(wheels, ignore_errors=True)
        pip = [str(folder / "tools" / "bin" / "pip"), "wheel", "--quiet"]
        run([*pip, "--wheel-dir", str(wheels), "--constraint", str(constraints), *needs])
        stamp.write_text(wanted)
    return wheels
