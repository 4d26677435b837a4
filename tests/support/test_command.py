"""The helper that runs `vaultstorm`."""

from tests.support.command import ROOT, command, environment, vaultstorm


def test_root_is_the_tree() -> None:
    """The packages are taken from the tree that the tests stand in."""
    assert (ROOT / "pyproject.toml").is_file()
    assert str(ROOT / "scenarios") in environment()["PYTHONPATH"]


def test_environment_can_be_changed() -> None:
    """What is given is set, what is not is kept."""
    changed = environment(X="1")
    assert changed["X"] == "1"
    assert changed["PATH"] == environment()["PATH"]


def test_run() -> None:
    """A run gives exit code, stdout and stderr."""
    assert command("a")[-3:] == ["-m", "vaultstorm", "a"]
    ended = vaultstorm("no-such-command")
    assert ended.returncode == 2
    assert "no-such-command" in ended.stderr
