"""What is in run.db: its tables, indexes and views. docs/run-db.md explains them to its users."""

import sqlite3
from typing import Final

TABLES: Final = """
CREATE TABLE variant(
    name TEXT PRIMARY KEY, position INTEGER NOT NULL, title TEXT NOT NULL, options TEXT NOT NULL,
    server TEXT NOT NULL DEFAULT 'vaultstorm', client TEXT NOT NULL DEFAULT 'burst'
);
CREATE TABLE attempt(
    variant TEXT NOT NULL, id TEXT NOT NULL, connection TEXT NOT NULL, nth INTEGER NOT NULL,
    peer TEXT NOT NULL, local TEXT, time REAL NOT NULL, start REAL NOT NULL,
    connect REAL, tls REAL, bind REAL, send REAL, wait REAL, receive REAL, end REAL NOT NULL,
    sent INTEGER NOT NULL, received INTEGER NOT NULL, syn_retries INTEGER NOT NULL,
    outcome TEXT NOT NULL, errno TEXT, detail TEXT, operation TEXT, win32 INTEGER, cause TEXT,
    verdict TEXT NOT NULL DEFAULT 'unknown'
);
CREATE TABLE turned_away(
    variant TEXT NOT NULL, time REAL NOT NULL, peer TEXT NOT NULL, cause TEXT NOT NULL,
    how TEXT NOT NULL, port INTEGER
);
CREATE TABLE pause(
    variant TEXT NOT NULL, time REAL NOT NULL, until REAL NOT NULL, style TEXT NOT NULL,
    caught INTEGER NOT NULL, port INTEGER
);
CREATE TABLE request(
    variant TEXT NOT NULL, id TEXT, connection INTEGER NOT NULL, peer TEXT NOT NULL,
    method TEXT NOT NULL, target TEXT NOT NULL, worker INTEGER, time REAL NOT NULL,
    dispatched REAL, answered REAL, status INTEGER, cause TEXT
);
CREATE TABLE begun(variant TEXT NOT NULL, id TEXT, time REAL NOT NULL, worker INTEGER NOT NULL);
CREATE TABLE execution(
    variant TEXT NOT NULL, id TEXT, time REAL NOT NULL, worker INTEGER NOT NULL,
    method TEXT NOT NULL, target TEXT NOT NULL, status INTEGER NOT NULL, source TEXT
);
CREATE TABLE event(
    variant TEXT NOT NULL, time REAL NOT NULL, role TEXT, name TEXT NOT NULL, worker INTEGER,
    event_id INTEGER, detail TEXT, port INTEGER
);
CREATE TABLE sample(
    variant TEXT NOT NULL, time REAL NOT NULL, free INTEGER NOT NULL, queued INTEGER NOT NULL,
    turned_away INTEGER NOT NULL, open INTEGER NOT NULL, waiting INTEGER NOT NULL,
    in_flight INTEGER NOT NULL, interfaces INTEGER NOT NULL DEFAULT 0,
    threads_held INTEGER NOT NULL DEFAULT 0,
    resolver_free INTEGER NOT NULL DEFAULT 0, resolver_queued INTEGER NOT NULL DEFAULT 0,
    resolver_turned_away INTEGER NOT NULL DEFAULT 0,
    exporter_free INTEGER NOT NULL DEFAULT 0, exporter_queued INTEGER NOT NULL DEFAULT 0,
    exporter_turned_away INTEGER NOT NULL DEFAULT 0, objects INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE kernel(
    variant TEXT NOT NULL, time REAL NOT NULL, queued INTEGER NOT NULL, backlog INTEGER,
    overflows INTEGER NOT NULL
);
CREATE TABLE client(
    variant TEXT NOT NULL, command TEXT NOT NULL, exit INTEGER, signal INTEGER, duration_s REAL,
    url TEXT
);
CREATE TABLE acknowledged(
    variant TEXT NOT NULL, time REAL NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, state TEXT
);
CREATE TABLE journal(
    variant TEXT NOT NULL, file TEXT NOT NULL, role TEXT NOT NULL, pid INTEGER, time REAL,
    records INTEGER NOT NULL, cut INTEGER NOT NULL
);
CREATE TABLE gap(variant TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE violation(
    variant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT, detail TEXT NOT NULL
);
"""

USUAL: Final = "once"
"""The verdict that attempts are loaded with: the others are written again, and few should be."""

INDEXES: Final = """
CREATE INDEX attempt_id ON attempt(id, variant);
CREATE INDEX attempt_local ON attempt(variant, local) WHERE outcome <> 'ok';
CREATE INDEX turned_away_peer ON turned_away(variant, peer);
CREATE INDEX pause_time ON pause(variant, time);
CREATE INDEX request_id ON request(id, variant);
CREATE INDEX begun_id ON begun(id, variant);
CREATE INDEX execution_id ON execution(id, variant);
CREATE INDEX event_time ON event(variant, time);
CREATE INDEX event_detail ON event(variant, detail);
CREATE INDEX event_name ON event(variant, name, time);
CREATE INDEX event_worker ON event(variant, worker) WHERE worker IS NOT NULL;
CREATE INDEX acknowledged_name ON acknowledged(variant, name);
CREATE INDEX sample_time ON sample(variant, time);
CREATE INDEX kernel_time ON kernel(variant, time);
"""
"""Made when the tables are full: one sort costs less than a million insertions in their order.

A question about all rows of a variant is better answered NOT INDEXED, in the order of the table:
the order of ids leads through all of its pages again and again.
"""

PORT: Final = "CAST(SUBSTR(peer, LENGTH(RTRIM(peer, '0123456789')) + 1) AS INTEGER)"
"""In SQL, the server's port that an attempt was aimed at."""

LOST: Final = "(outcome <> 'ok' AND outcome NOT GLOB 'http.*' AND outcome NOT GLOB 'rpc.*')"
"""In SQL, what `vaultstorm_wire.outcome.is_lost` says: no complete answer came."""

VIEWS: Final = f"""
CREATE VIEW why AS
    SELECT variant, outcome, cause, COUNT(*) AS attempts
    FROM attempt NOT INDEXED WHERE outcome <> 'ok'
    GROUP BY variant, outcome, cause;
CREATE VIEW executed AS
    SELECT variant, outcome, verdict, COUNT(*) AS attempts FROM attempt NOT INDEXED
    GROUP BY variant, outcome, verdict;
CREATE VIEW operations AS
    SELECT variant, operation, {PORT} AS port, outcome, win32, cause, verdict, COUNT(*) AS attempts
    FROM attempt NOT INDEXED WHERE operation IS NOT NULL
    GROUP BY variant, operation, port, outcome, win32, cause, verdict;
CREATE VIEW unexplained AS
    SELECT * FROM attempt WHERE outcome <> 'ok' AND cause IS NULL;
CREATE VIEW lost AS
    SELECT * FROM attempt WHERE {LOST} ORDER BY variant, time, id;
CREATE VIEW client_request AS
    SELECT variant, key, MAX(id) AS id, MIN(method) AS method, MIN(target) AS target,
        MAX(SUM(received), SUM(executed)) AS received, SUM(executed) AS executed,
        SUM(status IS NOT NULL) AS answered, COALESCE(SUM(status < 500), 0) AS served,
        SUBSTR(MAX(PRINTF('%020.6f', time) || cause), 21) AS cause,
        MIN(time) AS first, MAX(time) AS last
    FROM (
        SELECT variant, COALESCE(id, method || ' ' || target) AS key, id, method, target, time,
            1 AS received, 0 AS executed, status, cause FROM request
        UNION ALL
        SELECT variant, COALESCE(id, method || ' ' || target), id, method, target, time,
            0, 1, NULL, NULL FROM execution
    ) GROUP BY variant, key;
CREATE VIEW summary AS
    SELECT variant.name AS variant, COUNT(attempt.id) AS attempts,
        COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
        COUNT(*) FILTER (WHERE {LOST}) AS lost,
        COUNT(*) FILTER (WHERE outcome <> 'ok' AND cause IS NULL) AS unexplained
    FROM variant LEFT JOIN attempt NOT INDEXED ON attempt.variant = variant.name
    GROUP BY variant.name ORDER BY variant.position;
"""


def create(db: sqlite3.Connection) -> None:
    """Make the tables and the views."""
    _run(db, TABLES + VIEWS)


def index(db: sqlite3.Connection) -> None:
    """Make the indexes."""
    _run(db, INDEXES)


def _run(db: sqlite3.Connection, script: str) -> None:
    """Run statements one by one: `executescript` would end the transaction."""
    for statement in script.split(";"):
        db.execute(statement)
