"""Logs go to stderr: for people on a terminal, as JSON anywhere else."""

import sys
from typing import Any, Final

_level = "info"

_DECORATION: Final = ("rich", "better_exceptions", "colorama")
"""What structlog imports if it is installed, for tracebacks in colour that we do not use; it takes
three quarters of the time."""


def choose(level: str) -> None:
    """Set what `setup` is to let through. Cheap: a command that logs nothing pays nothing."""
    global _level
    _level = level


def setup() -> None:
    """Configure structlog, and stdlib logging (uvicorn) to look the same; for commands that log.

    All of it passes through one stdlib handler: that one survives a stderr that nobody reads.
    """
    import logging

    from vaultstorm_server.lean import without

    with without(*_DECORATION):
        import structlog

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if sys.stderr.isatty():
        render: list[Any] = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_level.upper())
    if root.level > logging.DEBUG:  # the control plane's start is no news of the server's
        logging.getLogger("uvicorn").setLevel(max(root.level, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
