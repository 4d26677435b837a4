"""What the front process runs: a worker, imported without a look for garbage in between."""

import gc
import sys
from importlib import import_module


def main() -> int:
    """Import the worker, serve, and give the exit status."""
    gc.disable()  # what is imported stays: looking for garbage in it is a tenth of the start
    worker = import_module("vaultstorm_server.w3wp.__main__")
    gc.freeze()
    gc.enable()
    return int(worker.main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
