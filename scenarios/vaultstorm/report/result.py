"""What run.json says, as far as a report tells it."""

from pathlib import Path
from typing import Any

import msgspec

from vaultstorm.report import clients
from vaultstorm_wire.errors import UsageError


class Expectation(msgspec.Struct, frozen=True):
    """One check of a variant, and how it came out."""

    check: str
    passed: bool
    actual: Any = None
    against: Any = None
    """The other side's number, of a comparison."""


class Acknowledged(msgspec.Struct, frozen=True):
    """What the vault has acknowledged, and what of it was not found as it was."""

    blocks: int = 0
    snapshots: int = 0
    lost: int = 0
    changed: int = 0


class Verified(msgspec.Struct, frozen=True):
    """What the agents read back, byte for byte."""

    blocks: int = 0
    snapshots: int = 0


class Given(msgspec.Struct, frozen=True):
    """What the vault has acknowledged, as the agents count it."""

    bytes: int = 0


class Vault(msgspec.Struct, frozen=True):
    """What the agents have found."""

    agents: int = 0
    acknowledged: Given = Given()
    verified: Verified = Verified()
    lost: int = 0
    corrupt: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What run.json says about one variant."""

    attempts: int = 0
    ok: int = 0
    lost: int = 0
    unexplained: int = 0
    expectations: tuple[Expectation, ...] = ()
    title: str = ""
    latency_ms: dict[str, dict[str, float] | None] = {}
    seed: int | None = None
    duration_s: float | None = None
    options: Any = None
    gaps: dict[str, int] = {}
    """What is missing from its records."""
    vault: Vault | None = None
    """None without agents."""
    acknowledged: Acknowledged = Acknowledged()
    findings: tuple[str, ...] = ()
    """What became of acknowledged data that it must not."""
    server: str = "vaultstorm"
    version: str | None = None
    """What a foreign server says of itself."""
    verdicts: dict[str, int] = {}
    lost_after_action: dict[str, int] | None = None
    client: clients.Seen | None = None
    """What the server saw of somebody else's client; None of ours."""
    notes: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """What run.json says about the whole run."""

    scenario: str
    passed: bool
    variants: dict[str, Outcome]
    title: str = ""
    article: str = ""
    breaks: str = ""
    why: str = ""
    fixes: str = ""
    cut: str | None = None
    """Why the run did not come to its end."""


def read(path: Path) -> Result:
    """Read the file.

    Raises:
        UsageError: it is not there, or is not what it should be.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except FileNotFoundError as error:
        raise UsageError(
            f"{path.parent} holds no finished run: there is no {path.name} in it"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not the result of a run: {error}") from error
