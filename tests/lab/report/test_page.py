"""The page: its sentences, its tables, and what it embeds."""

import json
import re
from pathlib import Path

import pytest

from tests.lab.report import bursting, making, vaulting
from tests.lab.report.markup import Page
from tests.lab.report.telling import lives_of
from vaultstorm import report
from vaultstorm.report import data, page


def read(directory: Path) -> data.Run:
    """Read a run."""
    with data.opened(directory) as source:
        return data.read(source)


@pytest.mark.parametrize(
    "passed, checks, sentence",
    [
        (True, [], "Passed: there was nothing to expect."),
        (False, [], "Not passed: the run was not finished."),
        (True, [True], "Passed: 1 expectation holds."),
        (True, [True, True], "Passed: all 2 expectations hold."),
        (False, [True, False], "Not passed: 1 of 2 expectations does not hold."),
        (False, [True], "Not passed: 1 expectation holds, but the run has failed."),
        (False, [False, False], "Not passed: 2 of 2 expectations do not hold."),
    ],
)
def test_verdict(tmp_path: Path, passed: bool, checks: list[bool], sentence: str) -> None:
    """One sentence says whether the run passed, and how many expectations decided it."""
    made = making.BROKEN._replace(expectations=[("lost == 0", 0, held) for held in checks])
    directory = making.make(tmp_path, [made], 1)
    result = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps(result | {"passed": passed}))
    assert page.verdict(read(directory)) == sentence


@pytest.mark.parametrize(
    "text", ["</script>", "<!--", "]]>", "&lt;", "\u2028", "\N{HEAVY CHECK MARK}", '"\\']
)
def test_embedded_json_is_inert(text: str) -> None:
    """No text can end the script element, and each comes back as it was."""
    embedded = page.embed({"name": text})
    assert not set(embedded) & set("<>&\u2028")
    assert embedded.isascii()
    assert json.loads(embedded) == {"name": text}


def test_a_table_has_few_rows(tmp_path: Path) -> None:
    """However long the time line is, its table can be read aloud, and adds up."""
    rows = [making.attempt(n, n / 10, "ok" if n % 2 else "tls.reset") for n in range(999)]
    made = making.Made("one", "One", lambda _, __: iter(rows))
    line = read(making.make(tmp_path, [made])).variants[0].timeline
    assert line is not None
    table = page.table(line)
    assert 10 < len(table) <= page.ROWS_MAX + 1
    assert [sum(column) for column in zip(*(row[2] for row in table), strict=True)] == [
        *(999, 499, 500),
    ]
    assert all(start < until for start, until, _ in table)


def test_ticks_are_explained_where_there_are_any(tmp_path: Path) -> None:
    """A request that only waited is of no worker's life, and has none."""
    key = "a request that was lost with it came"
    assert key in page.render(read(lives_of(tmp_path / "taken", 1, 1)))
    row = {"connection": 1, "peer": "p", "method": "GET", "target": "/", "time": 0.1}
    rows = [
        making.attempt(0, 0.0, "ok", end=1.0),
        making.event(0.1, "front", "worker_started", worker=7),
        ("request", row | {"cause": "Connection_Abandoned_By_AppPool"}),
    ]
    made = making.Made("one", "One", lambda _, __: iter(rows))
    html = page.render(read(making.make(tmp_path / "waited", [made])))
    assert "1 request lost with a worker, all of which waited for it." in html
    assert key not in html


def test_unknown_has_all_its_reasons(run: Path) -> None:
    """A journal that is missing, and a worker that died at its work."""
    html = page.render(read(run))
    (said,) = re.findall("<b>unknown</b> means that ([^<]+)</p>", html)
    assert "a journal is missing or cut off" in said
    assert "a worker died when it was about to keep a block or a snapshot" in said


def test_hundreds_of_recycles_fit_a_page(tmp_path: Path) -> None:
    """Each is a tick and a bar, not a line of text; tables name the first 60."""
    html = page.render(read(lives_of(tmp_path, 500, 20)))
    assert len(html) < 400_000
    assert "the first 60 of 500" in html
    assert "500 workers recycled" in html


def test_the_event_log_is_what_the_operator_sees(tmp_path: Path) -> None:
    """Each number once, how often it came, and the first entry in full."""
    rows = [
        making.attempt(0, 0.0, "ok", end=1.0),
        making.event(0.1, "front", "event_log", worker=7, event_id=1009, detail="id was '7'"),
        making.event(0.2, "front", "event_log", worker=8, event_id=1009, detail="id was '8'"),
        making.event(0.3, "front", "event_log", worker=8, detail="has requested a recycle"),
    ]
    made = making.Made("one", "One", lambda _, __: iter(rows))
    found = read(making.make(tmp_path, [made]))
    assert found.variants[0].event_log == ((1009, 2, "id was '7'"),)
    html = page.render(found)
    assert "What the operator sees: the event log" in html
    assert "id was &#39;7&#39;" in html
    assert "id was &#39;8&#39;" not in html
    assert "the event log</caption>" not in page.render(
        read(making.make(tmp_path, [making.BROKEN]))
    )


def test_a_comparison_shows_both_numbers_where_it_fails(tmp_path: Path) -> None:
    """One that holds needs but one of them."""
    directory = making.make(tmp_path, [making.BROKEN], 10)
    result = json.loads((directory / "run.json").read_text())
    result["variants"]["broken"]["expectations"] = [
        {"check": "reused.lost == lost", "actual": 4, "against": 5, "passed": False},
        {"check": "causes.x == lost", "actual": 6, "against": 6, "passed": True},
    ]
    (directory / "run.json").write_text(json.dumps(result))
    html = page.render(read(directory))
    assert "does not hold: 4 and 5<" in html
    assert "holds: 6<" in html


def test_chart_data_is_bounded(tmp_path: Path) -> None:
    """No series of a long run has more points than a screen has columns."""
    found = read(making.make(tmp_path, attempts=2000))
    for line in page.chart_data(found)["lines"]:
        assert all(len(series["bins"]) <= 2001 for series in line["series"])
        assert all(len(column) <= 2001 for column in line["held"])


def test_what_a_page_says(run: Path) -> None:
    """The page has the title, the article, the three sentences, every variant and every check."""
    found = read(run)
    html = page.render(found)
    result = found.result
    for text in (result.title, result.article, result.breaks, result.why, result.fixes):
        assert text in html
    for made in making.VARIANTS:
        assert f"<code>{made.name}</code>" in html
    assert "does not hold: 6.5" in html
    assert "vaultstorm run backlog-burst --seed 15068129361727950762" in html


def test_violations_are_an_alarm(tmp_path: Path) -> None:
    """Records that contradict each other are said to be our bug, before any figure."""
    row = ("violation", {"kind": "id_twice", "id": "a-1", "detail": "twice"})
    made = making.Made("one", "One", lambda _, __: iter([row]))
    html = page.render(read(making.make(tmp_path, [made])))
    assert "contradict each other 1 time" in html
    assert html.index("bug in vaultstorm") < html.index('class="cards"')


def test_a_run_cut_short_says_so(tmp_path: Path) -> None:
    """A run that did not come to its end, and records that are missing, are never passed over."""
    directory = making.make(tmp_path, [making.BROKEN], 10)
    result = json.loads((directory / "run.json").read_text())
    result["variants"]["broken"]["gaps"] = {"worker_journal_missing": 1}
    more = {"passed": False, "cut": "interrupted"}
    (directory / "run.json").write_text(json.dumps(result | more))
    found = read(directory)
    sentence = "Not passed: 1 expectation holds, but the run was cut short: interrupted."
    assert page.verdict(found) == sentence
    html = page.render(found)
    assert "The run was cut short:</strong> interrupted." in html
    assert "<code>worker_journal_missing</code> 1" in html


def test_a_vault_has_its_section(tmp_path: Path) -> None:
    """Its acknowledged data, the chain with its moments, and a chart of its table."""
    html = page.render(read(vaulting.run(tmp_path)))
    assert '<a href="#vault">The vault</a>' in html
    text = " ".join(re.sub("<[^>]+>", " ", html).split())
    assert "blocks 1,234 snapshots 56 together 13.6 MB lost 0 changed 0 ✓ After the server" in text
    assert "The agents had read back 1,100 blocks and 50 manifests as they were." in text
    assert "How it came to the hang 0.080 s A method enters an interface entry" in text
    assert "First of 2. worker 15715: 3d63-4, by a method inside it" in text
    assert "How far it came 0.080 s" in text
    assert "Nothing followed from it." in text
    assert "held up to 64 entries, and 15 ISAPI threads waited for one" in text
    assert html.count('data-chart="vault"') == 2


def test_acknowledged_data_that_is_lost(tmp_path: Path) -> None:
    """The verdict says it, the variant's card, and the card of its data."""
    kept = {**vaulting.KEPT, "lost": 1, "changed": 2}
    agents = {**vaulting.AGENTS, "lost": 3, "corrupt": 4}
    finding = "acknowledged: 1 is <lost>"
    run = read(vaulting.run(tmp_path, acknowledged=kept, vault=agents, findings=[finding]))
    assert page.verdict(run) == (
        "Not passed: 2 expectations hold, but acknowledged data is not as it was acknowledged."
    )
    html = page.render(run)
    assert "acknowledged: 1 is &lt;lost&gt;" in html
    text = " ".join(re.sub("<[^>]+>", " ", html).split())
    assert "✗ After the server had ended, 1 were not there, and 2 had other bytes:" in text
    assert "and found 3 lost and 4 corrupt." in text


def test_a_run_without_a_vault_has_none_of_it(run: Path) -> None:
    """Neither section nor chart, and no data for one."""
    html = page.render(read(run))
    assert 'id="vault"' not in html
    assert 'data-chart="vault"' not in html
    assert all(line["vault"] is None for line in page.chart_data(read(run))["lines"] if line)


def test_agents_of_whom_nothing_was_acknowledged(tmp_path: Path) -> None:
    """It is said, instead of noughts."""
    none = {"blocks": 0, "snapshots": 0, "lost": 0, "changed": 0}
    html = page.render(read(vaulting.run(tmp_path, acknowledged=none)))
    assert "Nothing was acknowledged." in html


def test_a_dcom_burst(tmp_path: Path) -> None:
    """Every code has its message, its port, its cause and its verdict; both ports have a chart."""
    html = report.write(bursting.run(tmp_path)).read_text()
    seen = Page(html)
    assert seen.faults == []
    for said in (
        *("What the application saw", "Which of the two ports failed", "0x800706BF", "0x800706BA"),
        *("The RPC server is unavailable.", "the TCP handshake, then RST instead of a bind_ack"),
        *("the object exporter, port 40123", "10 once, 90 never", "call_limit"),
        *("Accept queue of the resolver, port 43135", "protection began 5 refused"),
    ):
        assert said in html
    assert html.count('data-chart="resolver"') == html.count('data-chart="exporter"') == 2
    assert 'data-chart="held"' not in html


def test_a_dcom_burst_in_which_nobody_failed(tmp_path: Path) -> None:
    """The application showed no error, and the page says so."""

    def rows(_: object, __: int) -> making.Rows:
        yield from bursting.served(0, "activation", 0.0, 0.01)
        yield from bursting.served(0, "call", 0.1, 0.01)

    made = making.Made("fixed", "Fixed", rows)
    html = report.write(making.make(tmp_path, [made])).read_text()
    assert "the application showed no error" in html
    assert "Nothing was written down of it" in html  # no sample, so no queue
    assert Page(html).faults == []


def test_without_rpc_the_page_says_nothing_of_it(run: Path) -> None:
    """No section, no link to it, and the accept queue that there is."""
    html = page.render(read(run))
    assert 'id="rpc"' not in html
    assert "#rpc" not in html
    assert 'data-chart="held"' in html
    assert "SYNs were refused" in html
