"""The control plane of a running server, asked from outside."""

import json
from typing import Any, Final
from urllib.parse import urlsplit

from vaultstorm_wire.errors import MachineError, UsageError

ADMIN: Final = "http://127.0.0.1:8079"
"""Where the control plane is unless --admin-port says otherwise (DESIGN 5)."""


class Refused(MachineError):
    """A server cannot do what it was asked for as things stand (409)."""


def ask(admin: str, method: str, path: str, timeout: float = 10.0) -> Any:
    """Send one request to a control plane and give the JSON of its answer.

    Raises:
        UsageError: `admin` is no such URL.
        Refused: it cannot do that as things stand.
        MachineError: nobody listens there, or somebody else does, or it knows no such thing.
    """
    import http.client  # brings ssl with it, which would double the start of `vaultstorm --help`

    host, port = _host_and_port(admin)
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
    except ConnectionRefusedError as error:
        raise MachineError(
            f"nobody listens at {admin}: start a server with `vaultstorm serve`, or name the "
            "control plane of a running one with --admin (its ready line says it)"
        ) from error
    except TimeoutError as error:
        raise MachineError(f"{admin} does not answer within {timeout:g} s") from error
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise MachineError(
            f"{admin} cannot be asked: {str(error) or type(error).__name__}"
        ) from error
    finally:
        connection.close()
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise MachineError(
            f"{admin} answers {response.status} without JSON: it is not the control plane of a "
            "vaultstorm server; name that with --admin"
        ) from error
    if response.status >= 400:
        said = answer.get("error", answer) if isinstance(answer, dict) else answer
        kind = Refused if response.status == 409 else MachineError
        raise kind(f"{admin} answers {response.status} to {method} {path}: {said}")
    return answer


def _host_and_port(admin: str) -> tuple[str, int]:
    try:
        parts = urlsplit(admin)
        if parts.scheme == "http" and parts.hostname and parts.path in ("", "/"):
            return parts.hostname, parts.port or 80
    except ValueError:
        pass
    raise UsageError(f"--admin {admin} is not a control plane: write it as {ADMIN}")
