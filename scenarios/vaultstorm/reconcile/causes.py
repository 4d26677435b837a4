"""What caused a failure: an ordered table of rules, each over what the server wrote down."""

import sqlite3
from typing import Final

from vaultstorm.events import WORKER_ENDS
from vaultstorm.reconcile import evidence, matching
from vaultstorm.reconcile import foreign as others
from vaultstorm.reconcile.rules import TOLERANCE, Rule, case
from vaultstorm.reconcile.schema import LOST, PORT

_TURNED_AWAY: Final = "(SELECT cause FROM temp.matched WHERE attempt = attempt.rowid)"

GONE: Final = "connection_lost"
"""What is written down of a request whose connection did not live to carry its answer (RPC)."""

_REQUEST: Final = "FROM request WHERE variant = :variant AND id = attempt.id"
_HTTPERR: Final = f"(SELECT MAX(cause) {_REQUEST})"

# The application never had the connection: no handshake of its own is complete, no request came.
_EARLY: Final = f"(nth = 0 AND received = 0 AND NOT EXISTS (SELECT 1 {_REQUEST}))"
_PLAIN: Final = "(tls IS NULL AND bind IS NULL)"
_EARLY_RESET: Final = f"""((outcome IN ('connect.reset', 'tls.reset', 'bind.reset')
    OR {_PLAIN} AND outcome IN ('send.reset', 'wait.reset')) AND {_EARLY})"""
_EARLY_TIMEOUT: Final = f"""((outcome IN ('connect.timeout', 'tls.timeout', 'bind.timeout')
    OR {_PLAIN} AND outcome IN ('send.timeout', 'wait.timeout')) AND {_EARLY})"""


def _during(style: str) -> str:
    """Say that the attempt overlaps a pause of a style, the ends included.

    Of the pauses of its port that began before the attempt ended, the one that lasted longest
    decides; so it does of those whose port nobody wrote down.
    """

    def until(port: str) -> str:
        return f"""COALESCE((SELECT until FROM temp.paused WHERE style = '{style}'
            AND port = {port} AND time <= attempt.end + :tolerance
            ORDER BY time DESC LIMIT 1), 0)"""

    return f"MAX({until(PORT)}, {until('0')}) >= attempt.start - :tolerance"


_AT_THE_BEGINNING: Final = f"""EXISTS (SELECT 1 FROM temp.paused WHERE style = 'refuse'
    AND port IN (0, {PORT})
    AND time BETWEEN attempt.start - :tolerance AND attempt.end + :tolerance)"""

_TIMER: Final = """(SELECT MAX(name) FROM event
    WHERE variant = :variant AND detail = attempt.local AND name GLOB 'Timer_*'
    AND time BETWEEN attempt.start - :tolerance AND attempt.end + :tolerance)"""
_HELD: Final = """COALESCE((SELECT CASE attempt.operation WHEN 'activation' THEN resolver_queued
        WHEN 'call' THEN exporter_queued ELSE queued + open END FROM sample
    WHERE variant = :variant AND time <= attempt.end
    ORDER BY time DESC LIMIT 1) > 0, FALSE)"""
_IISRESET: Final = """EXISTS (SELECT 1 FROM event AS began
    WHERE variant = :variant AND name IN ('iisreset_began', 'hotfix_step')
    AND time <= attempt.end + :tolerance
    AND COALESCE((SELECT MIN(time) FROM event WHERE variant = :variant
            AND name IN ('iisreset_ended', 'hotfix_applied', 'hotfix_failed')
            AND time >= began.time), attempt.start)
        >= attempt.start - :tolerance)"""
_EXPORTER_GONE: Final = f"""COALESCE((SELECT MAX(time) FROM event WHERE variant = :variant
        AND name = 'exporter_started' AND port = {PORT} AND time <= attempt.end), 0)
    < (SELECT MAX(time) FROM event WHERE variant = :variant
        AND name = 'hotfix_step' AND time <= attempt.start + :tolerance)"""
_LATE: Final = f"""EXISTS (SELECT 1 {_REQUEST}
    AND (answered IS NULL OR answered > attempt.end - :tolerance))"""

# Given to a worker, or waiting for any; a request whose body had not come whole waited for none,
# and one that had its thread before the table was full took its own time.
_HUNG: Final = f"""(outcome GLOB '*.timeout' AND EXISTS (
    SELECT 1 FROM event AS full CROSS JOIN request
    WHERE full.variant = :variant AND full.name = 'table_full'
        AND full.time <= attempt.end + :tolerance
        AND request.variant = :variant AND request.id = attempt.id
        AND (request.worker = full.worker
            OR request.worker IS NULL AND outcome NOT GLOB 'send.*')
        AND COALESCE(request.cause, 'Connection_Dropped') = 'Connection_Dropped'
        AND (answered IS NULL OR answered > attempt.end - :tolerance)
        AND NOT EXISTS (SELECT 1 FROM execution
            WHERE execution.variant = :variant AND execution.id = attempt.id
                AND execution.time < full.time)
        AND NOT EXISTS (SELECT 1 FROM event AS gone
            WHERE gone.variant = :variant AND gone.worker = full.worker
                AND gone.name IN ({", ".join(f"'{name}'" for name in WORKER_ENDS)})
                AND gone.time >= full.time AND gone.time < attempt.start - :tolerance)))"""

_CLIENT: Final = Rule(
    "'client'",
    "outcome GLOB '*.local'",
    "The client's own machine ran out of something: never blamed on the server.",
)

RULES: Final = (
    _CLIENT,
    Rule(
        _TURNED_AWAY,
        f"{_TURNED_AWAY} IS NOT NULL",
        "The server saw this very connection, by address, port and time, and says why it reset it:"
        " backlog_full, stopping or no_descriptors.",
    ),
    Rule(
        "'backlog_full'",
        f"outcome GLOB '*.refused' AND {_during('refuse')}",
        "With a full queue the listener was shut down, and the kernel answered the SYN with RST.",
    ),
    Rule(
        "'backlog_full'",
        f"{_EARLY_RESET} AND {_AT_THE_BEGINNING}",
        "shutdown() resets what the kernel's queue holds at that instant, and nobody sees whom: the"
        " one reset that the server cannot write down.",
    ),
    Rule(
        "'backlog_full'",
        f"({_EARLY_TIMEOUT} OR {_EARLY_RESET}) AND {_during('drop')}",
        "With a full queue the kernel dropped the SYN, or the ACK that ends the handshake: then the"
        " client believes that it is connected until it gives up, or the kernel does.",
    ),
    Rule(
        "'pool_hung'",
        _HUNG,
        "The worker process that had the request, or that it waited for, had no free interface"
        " entry: calls that open an interface wait for one and hold their ISAPI thread (TECH39579)."
        " That the client then went, as HTTP.SYS notes, follows from it.",
    ),
    Rule(
        "'server_busy'",
        f"""outcome GLOB '*.timeout' AND {_HTTPERR} IN ('Connection_Dropped', '{GONE}')
            AND {_LATE}""",
        "The server noted that the client had gone, which it had because nobody had answered it.",
    ),
    Rule(
        _HTTPERR,
        f"{_HTTPERR} IS NOT NULL AND {_HTTPERR} <> '{GONE}'",
        "HTTP.SYS had the request and says, in HTTPERR's words, why it was lost or refused; or RPC"
        " had it, and as many calls as it takes at once were in progress: call_limit.",
    ),
    Rule(
        "'response'",
        f"""outcome GLOB 'http.*' AND (
            EXISTS (SELECT 1 {_REQUEST} AND worker IS NOT NULL
                AND status = CAST(SUBSTR(outcome, 6) AS INTEGER))
            OR EXISTS (SELECT 1 FROM execution WHERE variant = :variant AND id = attempt.id
                AND status = CAST(SUBSTR(outcome, 6) AS INTEGER)))""",
        "The application itself answered so, and the answer came through whole.",
    ),
    Rule(
        "'response'",
        f"""outcome GLOB 'rpc.*' AND EXISTS (SELECT 1 {_REQUEST}
            AND PRINTF('rpc.0x%08x', status & 4294967295) = outcome)""",
        "This very fault, or this HRESULT, is what the RPC runtime, the resolver or the component"
        " answered.",
    ),
    Rule(
        "'server_busy'",
        f"{_EARLY_TIMEOUT} AND outcome NOT GLOB 'connect.*' AND {_HELD}",
        "The connection stood, nobody turned it away, and the server held connections at that"
        " moment: this one waited for the application's accept, or for its turn to shake hands.",
    ),
    Rule(
        "'server_busy'",
        f"outcome GLOB '*.timeout' AND {_LATE}",
        "The server had the whole request, and had not answered when the client gave up.",
    ),
    Rule(
        "'server_died'",
        f"{LOST} AND attempt.end >= :died - :tolerance",
        "A signal ended the server, and this attempt was under way at its last sign of life or"
        " began after it.",
    ),
    Rule(
        "'server_stopped'",
        f"{LOST} AND attempt.end >= :stopped - :tolerance",
        "The server had begun to stop in good order.",
    ),
    Rule(
        _TIMER,
        f"{LOST} AND {_TIMER} IS NOT NULL",
        "HTTP.SYS closed this very connection, by address, port and time, when its timer ran out.",
    ),
    Rule(
        "'iisreset'",
        f"{LOST} AND {_IISRESET}",
        "The services were stopped and started, for themselves or for a hotfix: nobody listened,"
        " and what stood was closed.",
    ),
    Rule(
        "'exporter_gone'",
        f"operation = 'call' AND outcome = 'connect.refused' AND {_EXPORTER_GONE}",
        "The computer was restarted after the activation, for a hotfix: the process that had the"
        " object is gone with it, and nobody listens on its port any more.",
    ),
    Rule(
        f"'{GONE}'",
        f"{LOST} AND {_HTTPERR} = '{GONE}'",
        "RPC had the request, and its connection was gone before there was an answer; nothing of"
        " the above made it go.",
    ),
)
"""The first rule that holds gives the cause of an attempt that is not `ok`; with none, it is
unexplained."""


_EXECUTED: Final = "FROM execution WHERE variant = :variant AND id = attempt.id"
_BEFORE: Final = "(SELECT MAX(time) FROM kernel WHERE variant = :variant AND time <= attempt.start)"


def _overflows(until: str) -> str:
    """Say how many overflows the kernel had counted by a moment."""
    return f"""COALESCE((SELECT overflows FROM kernel
        WHERE variant = :variant AND time <= {until} ORDER BY time DESC LIMIT 1), 0)"""


FOREIGN: Final = (
    _CLIENT,
    Rule(
        "'response'",
        f"""outcome GLOB 'http.*' AND (
            EXISTS (SELECT 1 {_REQUEST} AND status = CAST(SUBSTR(outcome, 6) AS INTEGER))
            OR EXISTS (SELECT 1 {_EXECUTED} AND status = CAST(SUBSTR(outcome, 6) AS INTEGER)))""",
        "The application, or the access log, says that it was answered so.",
    ),
    Rule(
        "'server_died'",
        f"{LOST} AND attempt.end >= :died - :tolerance",
        "The runner killed the server, or saw that a signal had ended it, and this attempt was"
        " under way then or began after it.",
    ),
    Rule(
        "'server_stopped'",
        f"{LOST} AND attempt.end >= :stopped - :tolerance",
        "The server had been asked to stop, or had ended by itself.",
    ),
    Rule(
        "'backlog_full'",
        f"""({_EARLY_TIMEOUT} OR {_EARLY_RESET})
            AND NOT EXISTS (SELECT 1 {_EXECUTED})
            AND NOT EXISTS (SELECT 1 FROM begun WHERE variant = :variant AND id = attempt.id)
            AND {_overflows("attempt.end + :tolerance")}
                > {_overflows("attempt.start - :tolerance")}
            AND EXISTS (SELECT 1 FROM kernel WHERE variant = :variant AND queued > backlog
                AND time BETWEEN COALESCE({_BEFORE}, 0) AND attempt.end + :tolerance)""",
        "While it tried, the kernel's queue of the listening port held more than its backlog, and"
        " the kernel counted connections that found no room (ListenOverflows). Linux drops the"
        " SYN or the last ACK then, or resets with tcp_abort_on_overflow; it refuses nobody:"
        " a refused connection found no listener.",
    ),
)
"""The same for a server that is not ours. It tells nothing, so most losses stay unexplained: that
a request was lost just after a reload is no proof that it was lost by it."""


def find(db: sqlite3.Connection, variant: str, foreign: bool = False) -> None:
    """Give every attempt of a variant that is not `ok` its cause, by `FOREIGN` or by `RULES`."""
    if foreign:
        ended = others.life(db, variant)
    else:
        matching.match(db, variant)
        ended = evidence.life(db, variant)
        _note_pauses(db, variant, ended.died)
    db.execute(
        f"UPDATE attempt NOT INDEXED SET cause = {case(FOREIGN if foreign else RULES)}"
        " WHERE variant = :variant AND outcome <> 'ok'",
        {
            "variant": variant,
            "tolerance": TOLERANCE,
            "died": ended.died,
            "stopped": ended.stopped,
        },
    )


def _note_pauses(db: sqlite3.Connection, variant: str, died: float | None) -> None:
    """Fill the temporary table `paused`: in order of time, the latest end of all so far.

    A pause whose end a killed server did not live to write lasted until its last sign of life.
    Port 0 stands for one that nobody wrote down. `exhausted` refuses SYNs, too, until it does not.
    """
    db.execute("DROP TABLE IF EXISTS temp.paused")
    db.execute("CREATE TEMP TABLE paused(style TEXT, port INTEGER, time REAL, until REAL)")
    db.execute(
        """
        INSERT INTO temp.paused
        SELECT REPLACE(style, 'exhausted', 'refuse'), COALESCE(port, 0), time,
            MAX(until) OVER (PARTITION BY style, port ORDER BY time) FROM (
            SELECT style, port, time, until FROM pause WHERE variant = :variant
            UNION ALL SELECT detail, port, time, :died FROM event
            WHERE variant = :variant AND name = 'pause_began' AND :died IS NOT NULL
                AND time > COALESCE((SELECT MAX(time) FROM pause
                    WHERE variant = :variant AND port IS event.port), 0))
        """,
        {"variant": variant, "died": died},
    )
    db.execute("CREATE INDEX temp.paused_time ON paused(style, port, time, until)")
