"""Scenario files: what they say, and how each thing that is wrong in them is named."""

from pathlib import Path

import pytest

from tests.lab.tiny import BROKEN, HEAD, TINY, write
from vaultstorm import library
from vaultstorm.scenario import load
from vaultstorm_wire.errors import UsageError


def refused(directory: Path, text: str) -> str:
    """Load what has to be refused, and give the sentence, which begins with the file."""
    path = write(directory, text)
    with pytest.raises(UsageError) as caught:
        load(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    return said.removeprefix(str(path)).lstrip(",: ")


def test_a_scenario_is_read(tmp_path: Path) -> None:
    """Variants keep the order of the file, and lay their settings over those of all."""
    scenario = load(write(tmp_path))
    assert (scenario.name, scenario.title, scenario.seed) == ("tiny", "Tiny", 5)
    assert scenario.time_limit == 50
    assert scenario.source == TINY.encode()
    broken, fixed = scenario.variants
    assert (broken.name, fixed.name) == ("broken", "fixed")
    assert scenario.settings(broken) == {"afd": {"Backlog": 2}, "httpsys": {"TLS": 0}}
    assert scenario.settings(fixed) == {"afd": {"Backlog": 5}, "httpsys": {"TLS": 0}}
    assert fixed.options == {"server": {"afd": {"Backlog": 5}}}
    assert scenario.plan(broken, 9).clients == 5
    assert scenario.plan(broken, 9).seed == 9
    assert broken.expect[0] == "ok == 2"
    assert [action.action for action in broken.actions] == ["gate closed", "gate open"]


def test_the_schemes_decide_on_tls(tmp_path: Path) -> None:
    """Over TCP the server is as it is; what contradicts the scheme is refused."""
    https = load(write(tmp_path, TINY.replace('scheme = "http"', 'scheme = "https"')))
    assert https.settings(https.variants[0])["httpsys"] == {"TLS": 1}
    tcp = load(write(tmp_path, TINY.replace('scheme = "http"', 'scheme = "tcp"')))
    assert tcp.settings(tcp.variants[0]) == {"afd": {"Backlog": 2}}
    rpc = load(write(tmp_path, TINY.replace('scheme = "http"', 'scheme = "rpc"')))
    assert rpc.settings(rpc.variants[0]) == {"afd": {"Backlog": 2}}
    said = refused(tmp_path, TINY.replace("Backlog = 2", "Backlog = 2\n[server.httpsys]\nTLS = 1"))
    assert said == "[variants.broken]: httpsys.TLS = 1 contradicts scheme http"


def test_variants_are_chosen_by_name(tmp_path: Path) -> None:
    """They run in the file's order; an unknown one is named with the nearest."""
    scenario = load(write(tmp_path))
    assert [v.name for v in scenario.choose(())] == ["broken", "fixed"]
    assert [v.name for v in scenario.choose(["fixed", "broken"])] == ["broken", "fixed"]
    assert [v.name for v in scenario.choose(["fixed"])] == ["fixed"]
    with pytest.raises(UsageError, match=r"has no variant 'fixt'; did you mean fixed\?"):
        scenario.choose(["fixt"])
    with pytest.raises(UsageError, match="has no variant 'zz'; it has broken, fixed"):
        scenario.choose(["zz"])


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("schema = 1", "schema = 2", "schema = 2: this vaultstorm reads 1"),
        ("schema = 1", "", "schema is missing"),
        ('title = "Tiny"', "", "title is missing"),
        ('title = "Tiny"', "title = 1", "title: expected `str`, got `int`"),
        ('fixes = "More of it."', "", "fixes is missing"),
        ("article", "artikel", "there is no key artikel; did you mean article?"),
        ("seed = 5", "seed = -1", "seed = -1 is out of range: 0 to 9223372036854775807"),
        ("seed = 5", 'seed = "x"', "seed: expected `int | null`, got `str`"),
        ('"50s"', '"soon"', "time_limit = 'soon' is not a duration such as 500ms, 2s or 1.5min"),
        ('"50s"', "0", "time_limit: longer than 0, and not for ever"),
        ('"50s"', "inf", "time_limit: longer than 0, and not for ever"),
        ("Backlog = 2", "Backlok = 2", "[server]: there is no afd.Backlok; did you mean afd.B"),
        ("Backlog = 2", "Backlog = 0", "[server]: afd.Backlog = 0 is out of range: 1 to 65535"),
        ("[server.afd]", "[server.adf]", "[server]: there is no section [adf]"),
        ("[server.afd]\nBacklog = 2", "[server]\nafd = 2", "[server]: afd is a section"),
        ("clients = 5", "client = 5", "[load]: there is no key client; did you mean clients?"),
        ("clients = 5", "clients = 0", "[load]: clients 0: at least 1"),
        ('"http"', '"ftp"', "[load]: scheme = 'ftp': write https, http, tcp, rpc"),
        ("[load]", 'x = "\n[load]', "line 13: Illegal character '\\n'"),
    ],
)
def test_what_is_wrong_with_the_whole(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Place and key are named, and what would be right."""
    assert old in HEAD
    assert refused(tmp_path, HEAD.replace(old, new, 1) + BROKEN).startswith(said)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("[variants.broken]", '[variants."../x"]', "[variants.../x]: a variant's name is of a-z"),
        ("[variants.broken]", "[variants.Broken]", "[variants.Broken]: a variant's name is of"),
        ("[variants.broken]", "[variants]\nbroken = 1", "[variants.broken]: has to be a table"),
        ('title = "backlog 2"', "", "[variants.broken]: title is missing"),
        ("expect", "expects", "[variants.broken]: there is no key expects; did you mean expect?"),
        ('["ok == 2"', "[2", "[variants.broken]: expect[0]: expected `str`, got `int`"),
        (
            '"ok == 2"',
            '"okay == 2"',
            "[variants.broken]: expect 1: 'okay == 2': there is no number",
        ),
        ("lost == 3", "lost = 3", "[variants.broken]: expect 2: 'lost = 3': write KEY OPERATOR"),
        ('"gate open"', '"gate ajar"', "[variants.broken]: action 2: action = 'gate ajar'"),
        ("queued +", "queue +", "[variants.broken]: action 2: when 'queue + ended == 5'"),
        (
            "why =",
            'hotfixes = ["KB908793"]\nwhy =',
            "[variants.broken]: the server has no hotfix 'KB908793'; did you mean KB908739?",
        ),
        (
            "why =",
            'hotfixes = ["x"]\nwhy =',
            "[variants.broken]: the server has no hotfix 'x'; "
            "it knows KB908739, KB960007, TECH39579 and all",
        ),
        (
            "why =",
            "server = { afd = { Backlog = 0 } }\nwhy =",
            "[variants.broken.server]: afd.Backlog = 0 is out of range",
        ),
        (
            "why =",
            'load = { ramp = "x" }\nwhy =',
            "[variants.broken.load]: ramp = 'x' is not a duration",
        ),
    ],
)
def test_what_is_wrong_with_a_variant(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The variant is named as well."""
    assert old in BROKEN
    assert refused(tmp_path, HEAD + BROKEN.replace(old, new, 1)).startswith(said)


def test_a_scenario_needs_a_variant(tmp_path: Path) -> None:
    """None is an error, an empty table of them too."""
    assert refused(tmp_path, HEAD) == "variants is missing"
    assert refused(tmp_path, f"{HEAD}[variants]").startswith("there is no variant")


def test_what_is_no_scenario_file(tmp_path: Path) -> None:
    """A directory, a file that is not there, one that is not text: all are named."""
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(UsageError, match=r"^cannot read "):
            load(path)
        with pytest.raises(UsageError, match=r"^cannot read "):
            load(str(path))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        load(tmp_path / "binary.toml")
    with pytest.raises(UsageError, match=r"^cannot read "):
        load("")
    with pytest.raises(UsageError, match=r"^cannot read "):
        load("a\0b.toml")


def test_names_are_those_of_the_library() -> None:
    """An unknown one is named with the nearest; a file of one's own needs a path."""
    assert load("backlog-burst").origin == "library/backlog-burst.toml"
    with pytest.raises(UsageError, match=r"no scenario 'backlog-bust'; did you mean backlog-burst"):
        load("backlog-bust")
    with pytest.raises(UsageError, match=r"no scenario 'x'; it has .*backlog-burst.*\./mine\.toml"):
        load("x")


@pytest.mark.parametrize("name", library.names())
def test_what_ships_is_right(name: str) -> None:
    """Every scenario of the library loads, is reproducible, and expects something everywhere.

    Of somebody else's server not everything can be explained.
    """
    scenario = load(name)
    assert scenario.seed is not None
    for variant in scenario.variants:
        assert scenario.foreign or "unexplained == 0" in variant.expect
        expected = ("lost", "ok", "verdicts.twice")
        assert any(key.startswith(expected) for key in variant.expect)


def test_hotfixes(tmp_path: Path) -> None:
    """They are what makes a variant different."""
    text = TINY.replace('why = "All', 'hotfixes = ["KB908739"]\nwhy = "All')
    broken, fixed = load(write(tmp_path, text)).variants
    assert broken.hotfixes == ()
    assert fixed.hotfixes == ("KB908739",)
    assert fixed.options["hotfixes"] == ["KB908739"]


ALL = ("KB908739", "KB960007", "TECH39579")


@pytest.mark.parametrize(
    "written, known",
    [('"all"', ALL), ('"ALL"', ALL), ('"kb908739"', ALL[:1]), ('"all", "KB908739"', ALL)],
)
def test_hotfixes_are_named_as_serve_names_them(
    tmp_path: Path, written: str, known: tuple[str, ...]
) -> None:
    """In either case, or all of them; each counts once."""
    text = TINY.replace('why = "All', f'hotfixes = [{written}]\nwhy = "All')
    assert load(write(tmp_path, text)).variants[1].hotfixes == known
