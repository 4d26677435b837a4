"""The words that a report is told in: outcomes, causes, verdicts, times."""

import re
import struct
import uuid
from typing import Final

from vaultstorm.events import CORRUPTION_CRASH, HOTFIX_STEP, VAULT_CHAIN
from vaultstorm_wire.outcome import NAMES, OK, Ending, Phase, is_lost

PHASES: Final[dict[Phase, str]] = {
    Phase.CONNECT: "from the SYN to the TCP handshake's end",
    Phase.TLS: "the TLS handshake",
    Phase.BIND: "the RPC bind",
    Phase.SEND: "while the request was being sent",
    Phase.WAIT: "the request is sent, and not one byte of the answer has come",
    Phase.RECEIVE: "within the answer",
}
"""How far an attempt had come."""

ENDINGS: Final[dict[Ending, str]] = {
    Ending.REFUSED: "RST answered the SYN",
    Ending.TIMEOUT: "the phase took longer than the client allows",
    Ending.RESET: "RST on an established connection",
    Ending.CLOSED: "FIN before the answer was complete",
    Ending.REJECTED: "the peer, or the check of its certificate, said no",
    Ending.MALFORMED: "what came breaks the protocol",
    Ending.LOCAL: "the client's own machine gave up, not the server",
}
"""What ended it there."""

CAUSES: Final[dict[str, str]] = {
    "backlog_full": "the accept queue was full",
    "stopping": "the server was stopping",
    "no_descriptors": "the server was out of file descriptors",
    "server_died": "the server process was killed",
    "server_stopped": "the server had stopped",
    "server_busy": "the server had not come to it, or not answered it, when the client gave up",
    "pool_hung": "the worker process had no free interface entry, and calls that waited for one "
    "held its ISAPI threads",
    "iisreset": "the services were being stopped and started again",
    "call_limit": "as many calls as the application takes at once were in progress",
    "exporter_gone": "the process that had the object ended when the computer was restarted",
    "connection_lost": "the connection was gone before there was an answer",
    "client": "the client's own machine is to blame, not the server",
    "response": "it is the answer that the server itself gave",
    "unanswered": "nobody wrote down why it got no answer",
    "Connection_Abandoned_By_AppPool": "the pool gave it up, as the worker process that had it, or "
    "that it waited for, ended, was let go of, or had been told to end and took nothing more",
    "QueueFull": "the application pool's request queue was full",
    "N/A": "no worker process was there to take it",
    "AppOffline": "the application pool was switched off after failing too often",
    "AppShutdown": "the application pool was shutting down",
    "Disabled": "the application pool was disabled",
    "ConnLimit": "the site had reached its limit of connections",
    "Connection_Dropped": "the client had gone before the answer could be sent",
    "Timer_HeaderWait": "the request's head took too long to come",
    "Timer_EntityBody": "the request's body took too long to come",
    "Timer_ConnectionIdle": "the connection was idle for too long",
    "Timer_MinBytesPerSecond": "the client took the answer too slowly",
}
"""Why, in the server's records; HTTPERR reasons (KB820729) keep their own names."""

VERDICTS: Final[dict[str, str]] = {
    "once": "the server's journals show one execution",
    "never": "the server's journals are complete and show none",
    "twice": "two executions, or more",
    "unknown": "a journal is missing or cut off, a worker died when it was about to keep a "
    "block or a snapshot, or the process that executes what comes by RPC was killed, so nobody "
    "can know",
}
"""Whether a request was executed, counted by its id in the journals of who executes: the worker
processes, and the front process for what comes by RPC."""

FOREIGN_VERDICTS: Final[dict[str, str]] = {
    "once": "the journal of the application, or the access log, shows one execution",
    "never": "all that was answered is in the records, and this is not",
    "twice": "two executions, or more",
    "unknown": "nobody wrote it down, or whoever had it was cancelled or killed before it could",
}
"""The same for a server that is not ours, whose application or log alone can tell."""

ROLES: Final = {"broken": "broken", "workaround": "worked around", "fixed": "fixed"}
"""What a variant is there for, by how its name begins."""

OTHER_ROLE: Final = "case"

_WORKER: Final = {
    "worker_started": "is started",
    "worker_serving": "takes requests",
    "worker_stopping": "is told to shut down",
    "worker_stopped": "has ended",
    "worker_died": "has died",
    "worker_killed": "has been killed",
    "worker_orphaned": "is let go of, alive",
    "reentrance": "has a second method inside an interface entry",
    "wrong_release": "releases an entry with a method inside it",
    "released_entry_touched": "has an exception over an entry that was released",
    "clean_up_died": "has no DoCleanUp any more",
    "table_full": "has a full interface table",
    "pool_hung": "hangs",
    "corruption_crash": "crashes over an entry that was released",
}
_ENDED: Final[dict[Ending, str]] = {
    Ending.REFUSED: "was refused",
    Ending.TIMEOUT: "timed out",
    Ending.RESET: "was reset",
    Ending.CLOSED: "was closed by the server",
    Ending.REJECTED: "was rejected",
    Ending.MALFORMED: "got something that breaks the protocol",
    Ending.LOCAL: "was given up by the client's own machine",
}
_DURING: Final[dict[Phase, str]] = {
    Phase.CONNECT: "while connecting",
    Phase.TLS: "during the TLS handshake",
    Phase.BIND: "during the RPC bind",
    Phase.SEND: "while its request was being sent",
    Phase.WAIT: "with the whole request sent and not one byte of the answer back",
    Phase.RECEIVE: "in the middle of the answer",
}
_CAUSALITY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_PHASES: Final = [phase.value for phase in Phase]


def role(variant: str) -> str:
    """Say what a variant is there for."""
    return ROLES.get(variant.partition("-")[0], OTHER_ROLE)


def family(outcome: str) -> str:
    """Give what outcomes are coloured by: the ending, or the kind of the answer."""
    if outcome == OK:
        return OK
    return outcome.partition(".")[2] if is_lost(outcome) else outcome.partition(".")[0]


def rank(outcome: str) -> tuple[int, str]:
    """Order outcomes: ok, answers that are errors, then what was lost, by phase."""
    if outcome == OK:
        return (0, "")
    return (2 + _PHASES.index(outcome.partition(".")[0]) if is_lost(outcome) else 1, outcome)


def possible(phase: Phase, ending: Ending) -> bool:
    """Tell whether an attempt can end so: nobody refuses a connection that stands."""
    return f"{phase.value}.{ending.value}" in NAMES


def ended(outcome: str) -> str:
    """Say in a clause how an attempt ended."""
    if outcome == OK:
        return "got its complete answer"
    if not is_lost(outcome):
        kind, _, status = outcome.partition(".")
        return f"got a complete answer with the {kind.upper()} status {status}"
    phase, _, ending = outcome.partition(".")
    return f"{_ENDED[Ending(ending)]} {_DURING[Phase(phase)]}"


def cause(name: str | None, foreign: bool = False) -> str:
    """Say in a clause why an attempt failed; somebody else's server does not say much."""
    if name is None:
        told = "no record of this server says why" if foreign else ""
        return told or "nothing that the server recorded explains it"
    return CAUSES.get(name, "the server's own reason")


def executed(verdict: str, outcome: str) -> str:
    """Say in a sentence whether the request ran."""
    if verdict == "once":
        hidden = outcome.startswith(f"{Phase.WAIT.value}.")
        return f"It was executed once{', which no client can know' if hidden else ''}."
    return {
        "never": "It was never executed.",
        "twice": "It was executed twice or more.",
    }.get(verdict, "Nobody can say whether it was executed.")


def short(identity: str) -> str:
    """Shorten a request id to what tells it apart: the client's number and the request's.

    In a causality id these are its last two numbers of four bytes.
    """
    if _CAUSALITY.fullmatch(identity):
        return "…-{}-{}".format(*struct.unpack(">II", uuid.UUID(identity).bytes[8:]))
    parts = identity.rsplit("-", 2)
    return f"…-{parts[1]}-{parts[2]}" if len(parts) == 3 and len(identity) > 12 else identity


def event(name: str, detail: str | None) -> str:
    """Say an event of a journal; a gate that is not HTTP's has its own word before its state."""
    if name.startswith("gate_") and detail:
        return f"gate {detail} {name.removeprefix('gate_')}"
    return " ".join([name.replace("_", " "), *([detail] if detail else [])])


def mark(name: str, detail: str | None) -> str:
    """Say an event as shortly as a chart has room for."""
    if name in (*VAULT_CHAIN, CORRUPTION_CRASH, "exporter_started"):
        return event(name, None)
    if name == HOTFIX_STEP:
        return f"step {(detail or '').partition(':')[0]}"
    return event(name, detail)


def moment(name: str, worker: int | None, number: int | None, detail: str | None) -> str:
    """Say an event of a journal in a clause that names its worker and its number."""
    why = f" ({detail})" if detail and not name.startswith("gate_") else ""
    if number is not None:
        return f"event log {number}: {detail}"
    if worker is not None and name in _WORKER:
        return f"worker {worker} {_WORKER[name]}{why}"
    who = f" {worker}" if worker is not None else ""
    return f"{event(name, None if why else detail)}{who}{why}"


def milliseconds(ms: float | None) -> str:
    """Write a time with three digits that count: ``0.42 ms``, ``12.3 ms``, ``1.02 s``."""
    if ms is None:
        return "\N{EN DASH}"
    if abs(ms) >= 99_950:
        return f"{ms / 1000:,.0f} s"
    if abs(ms) >= 999.5:
        return f"{ms / 1000:.2f} s"
    if abs(ms) >= 99.95:
        return f"{ms:.0f} ms"
    return f"{ms:.1f} ms" if abs(ms) >= 9.995 else f"{ms:.2f} ms"


def bins(seconds: float) -> str:
    """Write the width of a bin, which is a round number: ``50 ms``, ``2 s``."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def size(number: int) -> str:
    """Write a number of bytes with three digits that count: ``812 B``, ``13.6 MB``."""
    power = min((len(str(number)) - 1) // 3, len(_UNITS) - 1)
    return f"{float(f'{number / 1000**power:.3g}'):,g} {_UNITS[power]}"


def share(part: int, whole: int) -> str:
    """Write a share in per cent, and never round a few down to none or some up to all."""
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.1:
        return "< 0.1 %"
    if part < whole and percent > 99.9:
        return "> 99.9 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def count(number: int, what: str) -> str:
    """Write a number of things: ``1 attempt``, ``2,000 attempts``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
