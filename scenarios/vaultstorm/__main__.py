"""The console script: runs the command line and turns how it ended into an exit code."""

import errno
import gc
import os
import signal
import sys
from types import FrameType
from typing import Final, NoReturn

from vaultstorm_wire.errors import MachineError, VaultstormError

INTERRUPTED = 128 + 2
BROKEN_PIPE = 128 + 13
BUG = 4

_LIMITS: Final = {
    errno.ENOSPC: "the disk that the output goes to is full",
    errno.EMFILE: "too few descriptors: raise `ulimit -n`, which `vaultstorm doctor` looks at",
    errno.ENFILE: "the machine has no descriptor left: raise it with `sysctl fs.file-max`",
    errno.ENOMEM: "the machine has too little memory",
}
"""What may happen to any command, anywhere, and is the machine's doing."""


def main() -> int:
    """Run `vaultstorm` and return its exit code (DESIGN 5); no input ends in a traceback."""
    _prepare()
    try:
        status = _run()
        sys.stdout.flush()
    except VaultstormError as error:
        status = error.exit_code
        _say(str(error))
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        status = BROKEN_PIPE
    except Exception as error:
        limit = _limit(error)
        status = MachineError.exit_code if limit else BUG
        _say(limit or _bug(error))
    return _close(status)


def _prepare() -> None:
    """Make the standard streams usable, and Ctrl-C reliable."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed, as by `>&-`: or a socket would get its number (libuv aborts then)
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8
    # importlib's callbacks swallow a KeyboardInterrupt, and the command would go on.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not so behind nohup
        signal.signal(signal.SIGINT, _interrupted)


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    """End at once: commands that have something to say at Ctrl-C take the signal over."""
    del number, frame
    os._exit(INTERRUPTED)


def _limit(error: Exception) -> str | None:
    """Say which limit of the machine `error` is; None if it is none."""
    number = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
    return _LIMITS.get(number or 0)


def _run() -> int:
    gc.disable()  # what is imported stays: looking for garbage in it is a tenth of the start
    from vaultstorm.cli.app import program, wanted

    app = program(wanted(sys.argv[1:]))
    gc.freeze()
    gc.enable()
    try:
        app(prog_name="vaultstorm")
    except SystemExit as ended:
        cause = (
            ended.__context__
        )  # Typer makes exit code 1 of a broken pipe: to us that is a finding
        if isinstance(cause, OSError) and cause.errno == errno.EPIPE:
            raise BrokenPipeError from cause
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    return 0


def _say(text: str) -> None:
    try:
        sys.stderr.write(f"vaultstorm: {text}\n")
    except OSError:  # nobody reads; the exit code still tells
        return


def _bug(error: Exception) -> str:
    """Keep the traceback for whoever is to mend it, out of the way of whoever met it."""
    import tempfile
    import traceback

    what = f"this is a bug in vaultstorm ({type(error).__name__}: {error})"
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="vaultstorm-", suffix=".txt", encoding="utf-8", delete=False
        ) as file:
            file.write(text)
    except OSError:
        return f"{what}\n{text}"
    return f"{what}; please report it with the traceback in {file.name}"


def _close(status: int) -> int:
    """Flush what is left; with nobody to read it, let the interpreter not complain at its end."""
    try:
        sys.stdout.flush()
        return status
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
        return status or BROKEN_PIPE


if __name__ == "__main__":
    sys.exit(main())
