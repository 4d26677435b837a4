"""Somebody else's client, told from the server's side."""

from pathlib import Path

import pytest

from tests.lab.reconcile.harness import Run, lost
from tests.lab.report import foreign
from tests.lab.report.markup import Page
from vaultstorm import report
from vaultstorm.reconcile import Variant
from vaultstorm.report import clients, data
from vaultstorm.report.clients import Connections, Requests, Seen


def read(directory: Path) -> data.Run:
    """Read a run."""
    with data.opened(directory) as source:
        return data.read(source)


@pytest.mark.parametrize(
    "seen, said",
    [
        (Seen(exit=0), "The client ended with exit 0. The server received no request."),
        (
            Seen(exit=0, duration_s=1.5, requests=Requests(1, 1, 0, 1), executed_twice=0),
            "The client ended with exit 0 after 1.50 s. The server received 1 request. "
            "Each was answered, and none was sent again.",
        ),
        (
            Seen(signal=9, requests=Requests(62, 60, 2, 59), executed_twice=1, given_up=1),
            "The client was ended by signal 9. The server received 62 requests, 60 of them "
            "distinct. 2 were sent again, 1 was executed twice, 1 was never answered.",
        ),
        (
            Seen(connections=Connections(0, 4)),
            "The client was not seen to end. The server received no request, and turned away 4 "
            "connections before any request came.",
        ),
        (
            Seen(exit=0, requests=Requests(2, 1, 1, 1), note="give each an id"),
            "The client ended with exit 0. The server received 2 requests, 1 of them distinct. "
            "1 was sent again. What was executed twice cannot be told, as requests are alike: "
            "give each an id.",
        ),
        (
            Seen(exit=0, requests=Requests(2, 1, 1, 1), given_up=None, note="give each an id"),
            "The client ended with exit 0. The server received 2 requests, 1 of them distinct. "
            "1 was sent again. What was executed twice and what was given up cannot be told, as "
            "requests are alike: give each an id.",
        ),
    ],
)
def test_the_sentence(seen: Seen, said: str) -> None:
    """How it ended, what came, and what of it is worth a word."""
    assert clients.sentence(seen) == said


def test_the_command_can_be_given_again() -> None:
    """The address of the server is another each time."""
    seen = Seen(command=("a b", "https://x:1/s", "https://x:1/s?n=1"), url="https://x:1/s")
    assert seen.line == "'a b' {url} '{url}?n=1'"
    assert Seen(command=("a",)).line == "a"


def test_requests_are_told_in_full(tmp_path: Path) -> None:
    """What ran twice, what was never answered; not what went well."""
    told = {one.key: one for one in read(foreign.client(tmp_path)).told}
    assert set(told) == {"twice", "gone <&>", "killed"}
    assert told["twice"].heading == (
        "GET / was received twice, executed twice, and answered; before, it was lost: "
        "the client had gone before the answer could be sent (Connection_Dropped)."
    )
    assert "was received once, executed never, and never answered" in told["gone <&>"].heading
    texts = [step.text for step in told["twice"].steps]
    assert [text.split(" on ")[0] for text in texts] == [
        "received",
        "worker 21 executes it: 200",
        "worker 21 executes it: 200",
        "received again",
        "given to worker 21",
        "answered with 200",
    ]
    assert told["twice"].steps[0].time == 0


def test_no_more_are_told_than_a_person_reads(tmp_path: Path) -> None:
    """Of many, the first."""
    run = Run(tmp_path / "many")
    run.front(*(lost("Connection_Dropped", f"{n}") for n in range(50)))
    (run.folder / "client.json").write_text('{"command":["c"],"exit":0}')
    directory = foreign.finish(run, Variant("v", client="foreign"))
    assert len(read(directory).told) == clients.REQUESTS_MAX


def test_the_page_is_told_from_the_server_s_side(tmp_path: Path) -> None:
    """No attempts, no latency: what came, and what became of it."""
    html = report.write(foreign.client(tmp_path)).read_text()
    assert Page(html).faults == []
    assert "What the server saw of your client" in html
    assert "Client under test: <code>curl --retry 3" in html
    assert "gate open: never" in html
    for word in ("What ended where", "Attempts told", 'id="latency"'):
        assert word not in html
    assert "--client &#39;curl --retry 3" in html


def test_a_page_says_what_could_not_be_measured(tmp_path: Path) -> None:
    """Requests that are alike."""
    html = report.write(foreign.client(tmp_path, alike=True)).read_text()
    assert "not measured" in html
    assert "give every request an X-Request-Id" in html


def test_a_client_of_whom_nothing_came_through(tmp_path: Path) -> None:
    """Connections turned away while it ran, and how long SYNs were refused."""
    html = report.write(foreign.client(tmp_path, away=True)).read_text()
    assert Page(html).faults == []
    assert "turned away 1 connection before any request came" in html
    assert "SYNs were refused in 1 pause of 2.00 s together: how many those were" in html
    assert "ended by signal 9" in html
