"""An example or two of every command: what its help ends with, and what the tests run."""

from typing import Final, NamedTuple


class Example(NamedTuple):
    """One command line, and what it is good for."""

    line: str
    does: str

    @property
    def arguments(self) -> list[str]:
        """What follows the name of the program."""
        import shlex

        return shlex.split(self.line)[1:]


EXAMPLES: Final[dict[str, tuple[Example, ...]]] = {
    "": (
        Example("vaultstorm serve --port 8443 --backlog 10 --tls-dir tls", "a server that fails"),
        Example(
            "vaultstorm burst https://127.0.0.1:8443 --ca tls/ca.pem",
            "100 clients at once, in another terminal: how each of them fared",
        ),
        Example(
            "vaultstorm run recycle-keepalive",
            "broken, worked around and fixed, with a report of what caused each loss",
        ),
    ),
    "serve": (
        Example(
            "vaultstorm serve --port 8443 --accept-interval 20ms --tls-dir tls",
            "ten find room in the accept queue of a busy application (KB960007)",
        ),
        Example(
            "vaultstorm serve --port 8443 --set apppool.PeriodicRestartRequests=500",
            "a worker lives for 500 requests, and some are lost when it goes (KB908739)",
        ),
    ),
    "burst": (
        Example(
            "vaultstorm burst https://127.0.0.1:8443 --ca tls/ca.pem --clients 200",
            "200 connections at once, one request on each",
        ),
        Example(
            "vaultstorm burst http://127.0.0.1:8080 --duration 5s --fail-on 'lost>0'",
            "100 clients that keep their connections; exit code 1 if a request is lost",
        ),
        Example(
            "vaultstorm burst https://127.0.0.1:8443 --insecure --rate 50 --duration 10s",
            "clients that arrive whether or not the server keeps up",
        ),
    ),
    "probe": (
        Example(
            "vaultstorm probe https://127.0.0.1:8443 --ca tls/ca.pem",
            "TCP, TLS and HTTP: which one fails, and what that means",
        ),
    ),
    "ctl": (
        Example("vaultstorm ctl status", "what every part of the server is doing"),
        Example("vaultstorm ctl gate closed", "let the accept queue fill up"),
        Example(
            "vaultstorm ctl set apppool.PeriodicRestartRequests=500",
            "recycle the worker every 500 requests, from here on",
        ),
    ),
    "doctor": (
        Example("vaultstorm doctor --clients 5000 --port 8443", "before a burst of 5000 clients"),
    ),
    "run": (
        Example(
            "vaultstorm run recycle-keepalive --variant broken --variant fixed",
            "two variants of a scenario that ships",
        ),
        Example(
            "vaultstorm run reload-gunicorn --command 'gunicorn my:app --bind {address}'",
            "what your own server loses while it is reloaded",
        ),
        Example(
            "vaultstorm run client-retries --client 'curl --fail-early {url}?n=[1-60]'",
            "which failures your own client survives, and what it has executed twice",
        ),
        Example(
            "vaultstorm run ./my-scenario.toml --out result --json result.json",
            "a scenario of your own; result/report.html tells the story",
        ),
    ),
    "scenarios": (
        Example("vaultstorm scenarios", "what there is to run"),
        Example("vaultstorm scenarios --json -", "the same for a program"),
    ),
    "report": (
        Example("vaultstorm report result", "make result/report.html anew from result/run.db"),
    ),
}
"""By command; those of the program itself have no name."""


def epilog(command: str) -> str:
    """Write the examples of a command as its help shows them."""
    return "\n".join(f"$ {line}\n    {does}" for line, does in EXAMPLES[command])
