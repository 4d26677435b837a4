"""The library that ships."""

import codecs
from pathlib import Path

from vaultstorm import library
from vaultstorm_server import configuration, registry
from vaultstorm_server.rpcss.applications import applications

ROOT = Path(__file__).parents[2]


def test_names_are_those_of_the_files() -> None:
    """Every TOML file in the folder is found by its name, and nothing else is."""
    files = (ROOT / "scenarios/vaultstorm/library").glob("*.toml")
    assert library.names() == sorted(file.stem for file in files)
    for name in library.names():
        found = library.find(name)
        assert found is not None
        assert found.read_bytes().startswith(b"#")
    assert library.find("../library/backlog-burst") is None
    assert library.find("none") is None
    assert set(library.SHOWN) < set(library.names())


def test_registry_exports_are_found_by_their_names() -> None:
    """In either case; a scenario is none, and nothing outside of the folder is found."""
    files = (ROOT / "scenarios/vaultstorm/library").glob("*.reg")
    assert library.registry_names() == sorted(file.stem for file in files) == ["kb960007"]
    for name in ("kb960007", "KB960007"):
        found = library.find_registry(name)
        assert found is not None
        assert found.name == "kb960007.reg"
    for name in ("", "kb960007.reg", "../library/kb960007", *library.names()):
        assert library.find_registry(name) is None


def test_the_export_of_kb960007_is_what_regedit_writes_and_the_article_recommends() -> None:
    """UTF-16 with a byte order mark and CRLF; all four values of AFD, and the highest MaxCalls."""
    found = library.find_registry("kb960007")
    assert found is not None
    data = found.read_bytes()
    text = data.decode("utf-16")
    assert data.startswith(codecs.BOM_UTF16_LE)
    assert text.startswith("Windows Registry Editor Version 5.00\r\n\r\n")
    assert text.count("\n") == text.count("\r\n")

    exported = registry.read([("kb960007.reg", data)])
    assert exported.ignored == []
    settings = configuration.load(None, ["rpc.KB960007=1"], exported.given)
    afd = settings.afd
    assert (afd.EnableDynamicBacklog, afd.MinimumDynamicBacklog) == (1, 20)
    assert (afd.MaximumDynamicBacklog, afd.DynamicBacklogGrowthDelta) == (20000, 10)
    (application,) = applications(settings).values()
    assert application.max_calls == 100
