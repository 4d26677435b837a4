"""Run the front process with the options that stand in its only argument, as JSON."""

import sys

import msgspec
import structlog

from vaultstorm_server.front import ServeOptions, serve
from vaultstorm_wire.errors import VaultstormError

if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        decoder = msgspec.json.Decoder(ServeOptions, dec_hook=lambda kind, text: kind(text))
        status = serve(decoder.decode(sys.argv[1]))
    except VaultstormError as error:
        print(error, file=sys.stderr)  # noqa: T201
        status = error.exit_code
    sys.exit(status)
