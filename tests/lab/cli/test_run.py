"""`vaultstorm run` as a user meets it."""

import json
from pathlib import Path

from tests.lab.tiny import FIXED, HEAD, result, write
from tests.support.command import vaultstorm


def test_a_run_ends_with_table_and_report(tmp_path: Path) -> None:
    """Nothing goes to stderr in a pipe; the exit code is 0, and the last line is the report."""
    out = tmp_path / "out"
    ended = vaultstorm("run", str(write(tmp_path)), f"--out={out}")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert len(lines) <= 30
    assert lines[0] == "passed: tiny, 6 of 6 expectations hold in 2 variants"
    assert lines[-1] == f"report: {out / 'report.html'}"


def test_a_finding_as_json(tmp_path: Path) -> None:
    """Exit 1; stdout holds the result and nothing else, the same as in run.json."""
    out = tmp_path / "out"
    path = write(tmp_path, f"{HEAD}{FIXED}".replace("ok == 5", "ok == 4"))
    ended = vaultstorm("run", str(path), f"--out={out}", "--json=-", "--seed=7", "--variant=fixed")
    assert (ended.returncode, ended.stderr) == (1, "")
    shown = json.loads(ended.stdout)
    assert shown == result(out)
    assert shown["variants"]["fixed"]["seed"] == 7


def test_somebody_elses_server_and_client_have_options(tmp_path: Path) -> None:
    """What does not go with the scenario is wrong usage; what is not installed, the machine's."""
    out = f"--out={tmp_path / 'out'}"
    for scenario, option, code, said in (
        ("backlog-burst", "--command=x", 2, "has no [target]"),
        ("backlog-nginx", "--client=x", 2, "has a [target]"),
        ("backlog-nginx", "--command=no-such-server", 3, "no-such-server is not installed"),
        ("client-retries", "--client=no-such-client", 3, "no-such-client is not installed"),
    ):
        ended = vaultstorm("run", scenario, option, out)
        assert (ended.returncode, ended.stdout) == (code, "")
        assert ended.stderr.startswith("vaultstorm: ")
        assert said in ended.stderr
    assert not (tmp_path / "out").exists()


def test_wrong_usage_is_named(tmp_path: Path) -> None:
    """Exit 2, a sentence, and nothing that was there is touched."""
    path = write(tmp_path)
    for arguments, said in (
        ([str(path), f"--out={tmp_path}"], "is not empty; name another, or remove it"),
        ([str(path), f"--out={path}"], "that is a file; name a directory"),
        ([str(path), "--variant=fixt"], "has no variant 'fixt'; did you mean fixed?"),
        (["backlog-bust"], "did you mean backlog-burst?"),
    ):
        ended = vaultstorm("run", *arguments)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert said in ended.stderr
    assert list(tmp_path.iterdir()) == [path]
