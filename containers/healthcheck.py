"""Ask a vaultstorm server over HTTPS whether it serves: exit 0 if it answers 200, 1 otherwise.

    python healthcheck.py [URL [CA]]

It asks for what a worker process answers, so that a pool that hangs behind an open port is noticed.
The request has no id: nobody looks for it among the attempts of a client.
"""

import http.client
import ssl
import sys
from urllib.parse import urlsplit

PATH = "/AeXRSVault/status"
TIMEOUT = 2.5
"""Seconds; the engine ends the whole check after 3."""


def main(url: str = "https://localhost", ca: str = "/tls/ca.pem") -> int:
    """Ask once."""
    address = urlsplit(url).netloc
    try:
        trust = ssl.create_default_context(cafile=ca)
        connection = http.client.HTTPSConnection(address, timeout=TIMEOUT, context=trust)
        connection.request("GET", PATH)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{url}{PATH}: {error}\n")
        return 1
    sys.stdout.write(f"{url}{PATH}: {status}\n")
    return int(status != http.client.OK)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
