"""`vaultstorm burst` as a user meets it: results, exit codes, and what is said of wrong input."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.fake_vault import FakeVault, serving
from tests.client.rpc.fake_rpc import FakeRpc
from tests.support.command import vaultstorm
from tests.support.misbehaving import Misbehaving
from tests.support.server import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one server for the tests of this module."""
    with running_server(tmp_path_factory.mktemp("server"), "--backlog=200") as running:
        yield running


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Hold a port at which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_the_json_keeps_its_contract(server: Server) -> None:
    """Every key of DESIGN 5 is there, and stdout holds nothing else."""
    assert server.ca is not None
    ended = vaultstorm(
        "burst", server.url, "--ca", server.ca, "--clients=3", "--requests=2", "--json=-"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    result = json.loads(ended.stdout)
    assert result["schema"] == 1
    assert (result["attempts"], result["ok"], result["lost"]) == (6, 6, 0)
    assert result["outcomes"] == {"ok": 6}
    assert result["reused"] == {"attempts": 3, "lost": 0}
    assert result["rpc_errors"] == {}
    for name in ("connect", "tls", "response", "total"):
        assert {"p50", "p99", "max"} <= result["latency_ms"][name].keys()
    assert result["burst"].keys() == {"connects", "syn_spread_ms"}
    assert result["burst"]["connects"] == 3
    assert result["retries"] == {"syn": 0}
    assert result["duration_s"] > 0
    assert {"lag_ms", "saturated", "seed"} <= result.keys()
    assert result["vault"] is None


def test_the_summary_names_what_was_lost_and_what_to_look_at(closed_port: int) -> None:
    """Outcome, errno and the Windows code stand in one row, the advice below."""
    ended = vaultstorm("burst", f"tcp://127.0.0.1:{closed_port}", "--clients=4")
    assert ended.returncode == 0
    assert re.search(
        r"connect\.refused +4 +100\.0 % +ECONNREFUSED +0x800706BA\n +RST to the SYN", ended.stdout
    )
    assert "seed" in ended.stdout.splitlines()[0]


def test_a_journal_has_one_line_for_every_attempt(server: Server, tmp_path: Path) -> None:
    """The line of each attempt stands in the client's own file."""
    journal = tmp_path / "journal"
    ended = vaultstorm(
        "burst", server.url, "--insecure", "--clients=5", "--journal", str(journal), "--seed=7"
    )
    assert ended.returncode == 0
    (file,) = journal.glob("client-*.ndjson")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0]["seed"] == 7
    assert sorted(line["id"] for line in lines[1:]) == [f"{7:016x}-{n}-0" for n in range(5)]


@pytest.mark.parametrize("condition, code", [("lost>0", 1), ("lost>=5", 0), ("ok==0", 1)])
def test_a_condition_decides_the_exit_code(closed_port: int, condition: str, code: int) -> None:
    """Exit 1 says that a condition of --fail-on holds."""
    target = f"tcp://127.0.0.1:{closed_port}"
    ended = vaultstorm("burst", target, "--clients=4", "--fail-on", condition)
    assert ended.returncode == code
    assert (f"--fail-on {condition} holds" in ended.stderr) == bool(code)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["http://8.8.8.8/"], "--allow-remote"),
        (["ftp://127.0.0.1"], "https://, http://, tcp://"),
        (["tcp://127.0.0.1"], "names its port"),
        (["tcp://127.0.0.1:1", "--clients=0"], "at least 1"),
        (["tcp://127.0.0.1:1", "--rate=5"], "--clients or --duration"),
        (["tcp://127.0.0.1:1", "--rate=0", "--clients=1"], "more than 0"),
        (["tcp://127.0.0.1:1", "--spike", "--ramp=1s"], "leave out --rate and --ramp"),
        (["tcp://127.0.0.1:1", "--hold=soon"], "is not a duration"),
        (["tcp://127.0.0.1:1", "--connect-timeout=0"], "longer than 0"),
        (["tcp://127.0.0.1:1", "--tls-timeout=0"], "longer than 0"),
        (["tcp://127.0.0.1:1", "--response-timeout=0"], "longer than 0"),
        (["tcp://127.0.0.1:1", "--fail-on=lost"], "KEY OPERATOR NUMBER"),
        (["tcp://127.0.0.1:1", "--fail-on=lots>0"], "no number 'lots'; did you mean lost"),
        (["https://127.0.0.1:1", "--ca=/nowhere.pem"], "No such file"),
        (["tcp://127.0.0.1:1", "--workload=agents"], "'status', 'agent'"),
        (["tcp://127.0.0.1:1", "--workload=agent"], "aim them at https:// or http://"),
        (["http://127.0.0.1:1", "--workload=agent", "--block-sizes=4KiB*x"], "a weight is"),
        (["http://127.0.0.1:1", "--lanes=2"], "say --workload agent"),
        (["http://127.0.0.1:1", "--fail-on=vault.lost>0"], "with --workload agent only"),
        (["http://127.0.0.1:1", "--fail-on=rpc.call.lost>0"], "of rpc:// targets only"),
        (["http://127.0.0.1:1", "--calls=2"], "that is for rpc:// targets"),
        (["rpc://127.0.0.1:1/x"], "an rpc:// target has no path"),
        (["rpc://127.0.0.1:1", "--path=/x"], "an rpc:// target has none"),
        (["rpc://127.0.0.1:1", "--clsid=x"], "is not a guid"),
        (["rpc://127.0.0.1:1", "--workload=agent"], "aim them at https:// or http://"),
        (["rpc://127.0.0.1:1", "--bind-timeout=0"], "longer than 0"),
        (["rpc://127.0.0.1:1", "--fail-on=rpc.call.lots>0"], "did you mean rpc.call.lost"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_would_be_right(
    arguments: list[str], said: str
) -> None:
    """Nothing is fired, nothing is printed on stdout, and there is no traceback."""
    ended = vaultstorm("burst", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


AGENT = ("--workload=agent", "--clients=2", "--requests=2", "--block-sizes=100*3,5KiB")


def test_activations_and_calls(tmp_path: Path) -> None:
    """An rpc:// burst says what failed at which port, in its JSON and in Windows' words."""
    journal = tmp_path / "journal"
    with FakeRpc(exporter=lambda rpc: rpc.peer.reset()) as fake:
        ended = vaultstorm(
            *("burst", f"rpc://127.0.0.1:{fake.resolver.port}", "--clients=3", "--calls=2"),
            *("--json", str(tmp_path / "burst.json"), "--journal", str(journal), "--seed=7"),
            *("--fail-on=rpc.call.lost==6", "--fail-on=rpc_errors.0x800706BE>0"),
        )
    assert ended.returncode == 1
    assert "--fail-on rpc.call.lost==6 holds" in ended.stderr
    assert "0x800706BE" not in ended.stderr
    result = json.loads((tmp_path / "burst.json").read_text())
    assert (result["attempts"], result["ok"], result["lost"]) == (9, 3, 6)
    assert result["rpc_errors"] == {"0x800706BF": 6}
    assert result["rpc"]["call"]["outcomes"] == {"bind.reset": 6}
    assert result["rpc"]["activation"]["ok"] == 3
    port = fake.exporter.port
    assert f"0x800706BF 6 x at the call (127.0.0.1:{port}): The remote procedure" in ended.stdout
    (file,) = journal.glob("client-*.ndjson")
    lines = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    assert {line["operation"] for line in lines} == {"activation", "call"}
    assert "00000000-0000-0007-0000-000200000002" in {line["id"] for line in lines}


def test_agents_against_a_good_vault() -> None:
    """The result has the vault's part, and nothing is found."""
    vault = FakeVault()
    with Misbehaving(serving(vault)) as server:
        url = f"http://127.0.0.1:{server.port}"
        ended = vaultstorm("burst", url, *AGENT, "--lanes=3", "--blocks=4", "--json=-")
    assert (ended.returncode, ended.stderr) == (0, "")
    result = json.loads(ended.stdout)
    assert result["outcomes"] == {"ok": len(vault.calls)}
    told = result["vault"]
    assert told["snapshots"] == {"begun": 4, "committed": 4, "failed": 0, "cut": 0}
    assert told["acknowledged"]["blocks"] == 16
    assert told["verified"]["blocks"] == 18
    assert (told["lost"], told["corrupt"]) == (0, 0)


@pytest.mark.parametrize("options, held", [((), 0), (("--fail-on=vault.corrupt>0",), 1)])
def test_changed_data_is_a_finding(options: tuple[str, ...], held: int) -> None:
    """Exit 1 without any condition, said apart from the requests, of which none failed."""
    changed = FakeVault(twist=lambda method, path, said: (200, b"") if method == "GET" else said)
    with Misbehaving(serving(changed)) as server:
        url = f"http://127.0.0.1:{server.port}"
        ended = vaultstorm("burst", url, *AGENT, "--blocks=1", *options)
    assert ended.returncode == 1
    assert "0 lost (0.0 %)" in ended.stdout
    assert re.search("DATA LOST: 0, CORRUPT: [1-9]", ended.stdout)
    assert re.search(
        r"\n    corrupt: (block|snapshot) \S+\s+in request [0-9a-f]{16}-\d+-\d+:", ended.stdout
    )
    assert (ended.stdout.count("DATA"), ended.stderr.count("DATA")) == (1, 0)
    assert ended.stderr.count("holds") == held


def test_changed_data_is_said_on_stderr_when_stdout_holds_the_json() -> None:
    """A finding is never silent, and names what it is about in the JSON."""
    changed = FakeVault(twist=lambda method, path, said: (200, b"") if method == "GET" else said)
    with Misbehaving(serving(changed)) as server:
        url = f"http://127.0.0.1:{server.port}"
        ended = vaultstorm("burst", url, *AGENT, "--blocks=1", "--json=-")
    assert ended.returncode == 1
    assert re.fullmatch(r"vaultstorm: DATA LOST: 0, CORRUPT: [1-9].*\n", ended.stderr)
    told = json.loads(ended.stdout)["vault"]
    assert len(told["findings"]) == told["corrupt"]
    assert {"what", "kind", "name", "id", "detail"} == told["findings"][0].keys()


def test_what_is_no_vault_is_said_to_be_none() -> None:
    """Nothing was acknowledged, so nothing is said to be whole; the reason of failures stands."""
    with Misbehaving(serving(FakeVault(twist=lambda *_: (404, b"<html>")))) as server:
        ended = vaultstorm("burst", f"http://127.0.0.1:{server.port}", *AGENT)
    assert ended.returncode == 0
    assert (
        "failed snapshots: 4, for instance: the answer to opening an interface was 404 from "
        "something that is no vault" in " ".join(ended.stdout.split())
    )
    assert "nothing was acknowledged, so there was nothing to lose" in ended.stdout


def test_a_name_that_does_not_resolve_is_the_machines_fault() -> None:
    """Exit 3, with the name."""
    ended = vaultstorm("burst", "http://name.invalid/")
    assert ended.returncode == 3
    assert "name.invalid" in ended.stderr


def test_a_journal_that_cannot_be_written_is_exit_3(tmp_path: Path) -> None:
    """A burst whose attempts cannot be written down is not begun."""
    (tmp_path / "file").write_text("")
    ended = vaultstorm("burst", "tcp://127.0.0.1:1", "--journal", str(tmp_path / "file" / "sub"))
    assert ended.returncode == 3
    assert "--journal" in ended.stderr


@pytest.mark.parametrize("size", ["1MiB", "8MiB", "15MiB"])
def test_a_large_body_goes_through_tls_whole(server: Server, size: str) -> None:
    """More than the socket takes at once: TLS holds the rest, and it is sent when there is room."""
    ended = vaultstorm(
        "burst", server.url, "--insecure", "--clients=2", "--method=PUT", f"--body-size={size}",
        "--path=/AeXRSVault/none", "--response-timeout=20s", "--json=-",
    )  # fmt: skip
    assert json.loads(ended.stdout)["outcomes"] == {"http.404": 2}


def test_a_result_that_could_not_be_written_is_not_fired_for(server: Server) -> None:
    """Exit 3 before the first SYN."""
    before = server.status()["connections"]["taken"]
    ended = vaultstorm("burst", server.url, "--insecure", "--json=/nowhere/result.json")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert server.status()["connections"]["taken"] == before
