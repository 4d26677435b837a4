"""Is a foreign server ready: one look at a time."""

import socket
import ssl
from typing import Final

from vaultstorm.foreign.target import CONNECT

TIMEOUT: Final = 1.0
"""Seconds that one look may take."""
STANDS: Final = 0.05
"""Seconds without FIN or RST after which a TCP connection stands."""


def why_not(ready: str, scheme: str, host: str, port: int) -> str | None:
    """Look once, and say what is missing; None if the server is ready.

    Args:
        ready: a path that has to be answered below 500, or `CONNECT`.
        scheme: with ``https`` the path is asked for over TLS; whose certificate it is, the load
            will see.
        host: without brackets.
        port: TCP port.
    """
    try:
        if ready == CONNECT:
            return _stands(host, port)
        return _answers(ready, scheme, host, port)
    except TimeoutError:
        return "it does not answer"
    except ConnectionRefusedError:
        return "nobody listens"
    except OSError as error:
        return str(error.strerror or error)


def _stands(host: str, port: int) -> str | None:
    with socket.create_connection((host, port), TIMEOUT) as connection:
        connection.settimeout(STANDS)
        try:
            return None if connection.recv(1) else "it closes connections at once"
        except TimeoutError:
            return None


def _answers(path: str, scheme: str, host: str, port: int) -> str | None:
    import http.client

    if scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except http.client.HTTPException as error:
        return f"it answers no HTTP: {str(error) or type(error).__name__}"
    except ValueError as error:
        return f"{path!r} cannot be asked for: {error}"
    finally:
        connection.close()
    return None if status < 500 else f"it answers {status} to GET {path}"
