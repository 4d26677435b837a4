"""The entries of Windows' event log that W3SVC and its worker processes write.

Texts and levels are the documented ones. The numbers that IIS 6 gave to its recycle entries no
public source settles, so those have none.
"""

from typing import Final, NamedTuple

from vaultstorm_server.w3svc.recycling import Reason


class Entry(NamedTuple):
    """One entry."""

    event_id: int | None
    source: str
    level: str
    """``error``, ``warning`` or ``info``."""
    text: str
    worker: int | None = None
    """The process id."""
    data: str | None = None
    """What stands in the data field."""


class Template(NamedTuple):
    """An entry without its process and its pool."""

    event_id: int | None
    source: str
    level: str
    text: str


W3SVC: Final = "W3SVC"
W3SVC_WP: Final = "W3SVC-WP"
ISAPI: Final = "AeXRSVault"
"""The only one that there is (TECH39579)."""

DISABLED: Final = Template(
    1002,
    W3SVC,
    "error",
    "Application pool '{pool}' is being automatically disabled due to a series of failures in the "
    "process(es) serving that application pool.",
)
CRASHED: Final = Template(
    1009,
    W3SVC,
    "warning",
    "A process serving application pool '{pool}' terminated unexpectedly. The process id was "
    "'{pid}'. The process exit code was '0x{code:x}'.",
)
SILENT: Final = Template(
    1010,
    W3SVC,
    "warning",
    "A process serving application pool '{pool}' failed to respond to a ping. The process id was "
    "'{pid}'.",
)
BROKEN: Final = Template(
    1011,
    W3SVC,
    "warning",
    "A process serving application pool '{pool}' suffered a fatal communication error with the "
    "World Wide Web Publishing Service. The process id was '{pid}'. The data field contains the "
    "error number.",
)
SLOW_START: Final = Template(
    1012,
    W3SVC,
    "warning",
    "A process serving application pool '{pool}' exceeded time limits during start up. The process "
    "id was '{pid}'.",
)
SLOW_END: Final = Template(
    1013,
    W3SVC,
    "warning",
    "A process serving application pool '{pool}' exceeded time limits during shut down. The "
    "process id was '{pid}'.",
)
UNHEALTHY: Final = Template(
    2262,
    W3SVC_WP,
    "warning",
    "ISAPI '{isapi}' reported itself as unhealthy for the following reason: '{reason}'.",
)
UNHEALTHY_NO_REASON: Final = Template(
    2263,
    W3SVC_WP,
    "warning",
    "ISAPI '{isapi}' reported itself as unhealthy. No reason was given by the ISAPI.",
)
NOT_STARTED: Final = Template(
    None,
    W3SVC,
    "error",
    "A process serving application pool '{pool}' could not be started.",
)


def entry(
    template: Template, pool: str, pid: int | None = None, data: str | None = None, code: int = 0
) -> Entry:
    """Fill in which pool and which process; `code` is an exit status, negative for a signal."""
    text = template.text.format(pool=pool, pid=pid, code=code & 0xFFFFFFFF)
    return Entry(template.event_id, template.source, template.level, text, pid, data)


def unhealthy(reason: str, pid: int) -> Entry:
    """An ISAPI has asked for the recycle of its worker process (HSE_REQ_REPORT_UNHEALTHY)."""
    template = UNHEALTHY if reason else UNHEALTHY_NO_REASON
    text = template.text.format(isapi=ISAPI, reason=reason)
    return Entry(template.event_id, template.source, template.level, text, pid)


def recycled(reason: Reason, pool: str, pid: int | None) -> Entry:
    """A worker process is being recycled, or all of the pool's: then `pid` is None."""
    return Entry(None, W3SVC, "info", reason.text.format(pool=pool, pid=pid), pid)
