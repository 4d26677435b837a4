"""How the client trusts a server."""

import ssl
from pathlib import Path

from vaultstorm_wire.errors import UsageError


def client_context(ca: Path | None, insecure: bool) -> ssl.SSLContext:
    """Make the context of all connections of a burst.

    Args:
        ca: certificates to trust instead of the machine's own, as PEM.
        insecure: trust any certificate, and check no name.

    Raises:
        UsageError: `ca` cannot be read or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A server's FIN without close_notify is its end all the same, and deserves no alert.
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"--ca {ca}: {error.strerror or error}; give a file of PEM certificates, "
                "such as the one that `vaultstorm serve` names in its ready line"
            ) from error
    return context
