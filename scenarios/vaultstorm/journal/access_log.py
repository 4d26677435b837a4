"""A server's access log, read as an execution journal: by nginx's `log_format`, or Apache's."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError, UsageError

SOURCE: Final = "access_log"
"""What `Execution.source` says of a line of a log."""

DEFAULT: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
    ' "$http_referer" "$http_user_agent" "$http_x_request_id"'
)
"""``combined`` with the id appended, in quotes or bare; Apache's looks the same."""

IDS: Final = (
    *("http_x_request_id", "request_id"),
    *("upstream_http_x_request_id", "sent_http_x_request_id"),
)
"""Where a format may have the request's id; the first that it has is taken."""

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)
_LOCAL: Final = re.compile(r"(\d+)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_ESCAPED: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([\"\\/]))")
_SHOWN_MAX: Final = 120
_CUT: Final = b'{"record":"execution"'
"""What stands at the end of a journal whose log ends in the middle of a line."""


def records(lines: Iterable[str], format: str = DEFAULT) -> Iterator[journal.Execution]:
    """Read what a log says was answered, or was given up (499).

    A request that its server lost with a worker process is in no log. The resolution of times is
    the format's: one second, but for ``$msec``.

    Args:
        lines: with or without their ends; empty ones are passed over.
        format: as nginx' ``log_format`` has it, without its name.

    Raises:
        UsageError: the format lacks the id, the status or a time, or, when all lines have been
            read, some of them do not have it: says how many, and shows the first.
    """
    pattern, id_field, time_of = _compile(format)
    read = 0
    wrong: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text:
            continue
        read += 1
        record = _record(pattern.fullmatch(text), id_field, time_of)
        if record is None:
            wrong.append((number, text if not wrong else ""))
        else:
            yield record
    if wrong:
        number, text = wrong[0]
        shown = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]} …"
        raise UsageError(
            f"{len(wrong)} of {read} lines of the access log do not have the format {format!r}; "
            f"the first is line {number}: {shown}"
        )


def check(format: str) -> None:
    """See that a format says enough. Raises UsageError."""
    _compile(format)


def convert(path: Path, format: str, out: Path, begin: int = 0) -> int:
    """Write what a log says as a journal, and give the number of its records.

    A last line without its end is left out, and the journal is cut off in the same way.

    Args:
        path: of the log.
        format: see `records`.
        out: the directory of the journals; the file in it is ``worker-log-NAME.ndjson``.
        begin: how many bytes stood in it before; their lines, the last one whole, are left out.

    Raises:
        MachineError: the log cannot be read, or the journal not written.
        UsageError: see `records`. No journal is left then: half of one would say too much.
    """
    target = out if out.suffix == ".ndjson" else out / f"worker-log-{path.stem}.ndjson"
    part = target.with_suffix(".part")
    try:
        began = path.stat().st_mtime
    except OSError as error:
        raise MachineError(f"cannot read the access log {path}: {error.strerror}") from error
    written = 0
    try:
        with (
            path.open("rb") as binary,
            TextIOWrapper(binary, "utf-8", "replace", newline="\n") as log,
            part.open("wb") as file,
        ):
            skip(binary, begin)
            header = journal.Journal(time=began, role="worker", pid=0)
            file.write(journal.encode(header) + b"\n")
            rest: list[str] = []
            for record in records(_whole(log, rest), format):
                file.write(journal.encode(record) + b"\n")
                written += 1
            if rest:
                file.write(_CUT)
        part.replace(target)
    except OSError as error:
        raise MachineError(f"cannot read {path} into {target}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return written


def skip(file: BinaryIO, begin: int) -> None:
    """Go to the first line that begins at or behind a place in a file."""
    if begin:
        file.seek(begin - 1)
        file.readline()


def _whole(lines: Iterable[str], rest: list[str]) -> Iterator[str]:
    """Pass lines on that have an end; what has none is put into `rest`."""
    for line in lines:
        if line.endswith("\n"):
            yield line
        else:
            rest.append(line)


def _record(
    match: re.Match[str] | None, id_field: str, time_of: Callable[[Mapping[str, str]], float]
) -> journal.Execution | None:
    """Make a record of a line's fields; None if one of them is none of its kind."""
    if match is None:
        return None
    fields = {name: value or "" for name, value in match.groupdict().items()}
    id = _plain(fields[id_field] or fields.get(f"{id_field}_bare", ""))
    try:
        method, target = _request(fields)
        return journal.Execution(
            time=time_of(fields),
            id=None if id in ("", "-") else id,
            worker=int(fields.get("pid") or 0),
            method=method,
            target=target,
            status=int(fields["status"]),
            source=SOURCE,
        )
    except ValueError:
        return None


def _request(fields: Mapping[str, str]) -> tuple[str, str]:
    """Give method and target; of what was no request (400) neither."""
    if "request" in fields:
        words = _plain(fields["request"]).split(" ")
        return (words[0], words[1]) if len(words) > 1 else ("-", fields["request"])
    target = fields.get("request_uri") or fields.get("uri") or fields.get("document_uri") or "-"
    return fields.get("request_method") or "-", _plain(target)


def _plain(value: str) -> str:
    r"""Undo what a log does to quotes and to what cannot be printed: ``\x22``, ``\"``."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda m: m[3] or chr(int(m[1] or m[2], 16)), value)


@lru_cache(maxsize=16)
def _compile(
    format: str,
) -> tuple[re.Pattern[str], str, Callable[[Mapping[str, str]], float]]:
    """Make a pattern of a format, and say which field has the id, and how its time is read."""
    parts: list[str] = []
    names: list[str] = []
    at = 0
    for found in _VARIABLE.finditer(format):
        parts.append(re.escape(format[at : found.start()]))
        name = found[1] or found[2]
        after = format[found.end() : found.end() + 1]
        value = _value(format[: found.start()][-1:], after, name)
        parts.append(f"(?P={name})" if name in names else f"(?P<{name}>{value})")
        names.append(name)
        at = found.end()
    parts.append(re.escape(format[at:]))
    id_field = next((name for name in IDS if name in names), None)
    times = [name for name in _TIMES if name in names]
    if id_field is None or "status" not in names or not times:
        raise UsageError(
            f"the access log's format {format!r} has to have $status, one of "
            f"{', '.join(f'${name}' for name in _TIMES)}, and the request's id: "
            'append "$http_x_request_id" to it'
        )
    pattern = "".join(parts)
    quoted = f'"(?P<{id_field}>{_QUOTED})"'
    if format == DEFAULT:
        pattern = pattern.replace(quoted, f'(?:{quoted}|(?P<{id_field}_bare>[^" ]*))')
    return re.compile(pattern), id_field, _TIMES[times[0]]


_QUOTED: Final = r'(?:[^"\\]|\\.)*'


def _value(before: str, after: str, name: str) -> str:
    """Give the pattern of a variable's value, which ends where what stands after it begins."""
    if before == after == '"':
        return _QUOTED
    if not after:
        return ".*"
    if after == "$" or name == "remote_user":  # a name may have spaces in it
        return ".*?"
    return f"[^{re.escape(after)}]*"


@lru_cache(maxsize=256)
def _local(text: str) -> float:
    """Read ``10/Oct/2000:13:55:36 -0700``, whatever the locale here."""
    match = _LOCAL.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, month, year, hour, minute, second = match.groups()[:6]
    utc = datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=UTC).timestamp()
    offset = (int(match[8]) * 60 + int(match[9])) * 60 * (-1 if match[7] == "-" else 1)
    return utc + int(hour) * 3600 + int(minute) * 60 + int(second) - offset


@lru_cache(maxsize=256)
def _iso8601(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


_TIMES: Final[Mapping[str, Callable[[Mapping[str, str]], float]]] = {
    "msec": lambda fields: float(fields["msec"]),
    "time_iso8601": lambda fields: _iso8601(fields["time_iso8601"]),
    "time_local": lambda fields: _local(fields["time_local"]),
}
"""How a line says when, the most exact one first."""
