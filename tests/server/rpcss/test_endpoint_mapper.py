"""The endpoint mapper on the wire."""

from pathlib import Path

import pytest

from tests.server.rpcss.dcom import CLSID, activate
from tests.server.rpcss.serving import UNKNOWN, Client, Served, group, results, serving
from vaultstorm_server.rpcss.endpoint_mapper import HANDLES_MAX
from vaultstorm_wire.dcerpc import epm as wire
from vaultstorm_wire.dcerpc.demonstration import IDEMONSTRATION
from vaultstorm_wire.dcerpc.epm import Floor, Tower
from vaultstorm_wire.dcerpc.object_exporter import IOBJECT_EXPORTER
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of

EPM = "e1af8308-5d1f-11c9-91a4-08002b14a0fa"
NOT_REGISTERED = 0x16C9A0D6
OTHER = Syntax(guid_of(UNKNOWN), 0, 0)


def mapper(served: Served) -> Client:
    """Connect and bind; the mapper's version is not 0.0, as those of DCOM are."""
    client = Client(served.port)
    assert results(client.bind(EPM, version=3)) == [(0, 0)]
    return client


def mapped(
    client: Client, tower: Tower | None, object: bytes | None = None, most: int = 4
) -> wire.EptMapOut:
    """Call ept_map."""
    asked = wire.EptMapIn(object, tower, wire.NULL_HANDLE, most)
    return wire.EptMapOut.decode(client.call(wire.EPT_MAP, asked.encode()).stub)


def looked_up(
    client: Client,
    *,
    kind: int = wire.INQUIRE_ALL,
    object: bytes | None = None,
    interface: Syntax | None = None,
    version: int = wire.VERS_ALL,
    handle: bytes = wire.NULL_HANDLE,
    most: int = 100,
) -> wire.EptLookupOut:
    """Call ept_lookup."""
    asked = wire.EptLookupIn(kind, object, interface, version, handle, most)
    return wire.EptLookupOut.decode(client.call(wire.EPT_LOOKUP, asked.encode()).stub)


def test_the_map_holds_the_resolver_and_what_was_activated(tmp_path: Path) -> None:
    """Three interfaces at first, and an exporter's as soon as it runs."""
    with serving(tmp_path) as served, mapper(served) as client:
        assert len(looked_up(client).entries) == 3
        made = activate(served)
        entries = looked_up(client).entries
        assert [entry.tower.port for entry in entries if entry.tower] == [served.port] * 3 + [
            made.port
        ]
        assert entries[3].object == CLSID
        assert entries[3].tower == Tower.tcp(IDEMONSTRATION, made.port, "127.0.0.1")


def test_a_list_comes_in_as_many_pieces_as_it_takes(tmp_path: Path) -> None:
    """One entry at a time gives all of them, each once, and then no handle."""
    with serving(tmp_path) as served, mapper(served) as client:
        whole = looked_up(client).entries
        handle = wire.NULL_HANDLE
        found: list[wire.Entry] = []
        while True:
            out = looked_up(client, handle=handle, most=1)
            assert out.status == 0
            found += out.entries
            handle = out.handle
            if handle == wire.NULL_HANDLE:
                break
        assert tuple(found) == whole


@pytest.mark.parametrize(
    ("minor", "version", "found"),
    [
        (0, wire.VERS_ALL, True),
        (1, wire.VERS_ALL, True),
        (0, wire.VERS_COMPATIBLE, True),
        (1, wire.VERS_COMPATIBLE, False),
        (0, wire.VERS_EXACT, True),
        (1, wire.VERS_EXACT, False),
        (1, wire.VERS_MAJOR_ONLY, True),
        (1, wire.VERS_UPTO, True),
    ],
)
def test_an_interface_is_looked_up(tmp_path: Path, minor: int, version: int, found: bool) -> None:
    """By its guid, and by what the client says of versions."""
    with serving(tmp_path) as served, mapper(served) as client:
        asked = IOBJECT_EXPORTER._replace(minor=minor)
        out = looked_up(client, kind=wire.INQUIRE_BY_INTERFACE, interface=asked, version=version)
        assert (len(out.entries), out.status) == ((1, 0) if found else (0, NOT_REGISTERED))


def test_an_object_is_looked_up(tmp_path: Path) -> None:
    """By the application's guid, with and without its interface."""
    with serving(tmp_path) as served, mapper(served) as client:
        activate(served)
        for kind in (wire.INQUIRE_BY_OBJECT, wire.INQUIRE_BY_BOTH):
            out = looked_up(client, kind=kind, object=CLSID, interface=IDEMONSTRATION)
            assert [entry.object for entry in out.entries] == [CLSID]
        out = looked_up(client, kind=wire.INQUIRE_BY_BOTH, object=CLSID, interface=IOBJECT_EXPORTER)
        assert out.status == NOT_REGISTERED


def test_a_lookup_can_be_given_up(tmp_path: Path) -> None:
    """Its handle is of no use then, as is one that was never given."""
    with serving(tmp_path) as served, mapper(served) as client:
        handle = looked_up(client, most=1).handle
        asked = wire.EptLookupHandleFreeIn(handle).encode()
        out = wire.EptLookupHandleFreeOut.decode(
            client.call(wire.EPT_LOOKUP_HANDLE_FREE, asked).stub
        )
        assert out == (wire.NULL_HANDLE, 0)
        again = wire.EptLookupIn(0, None, None, 1, handle, 1).encode()
        faults = [
            client.call(wire.EPT_LOOKUP_HANDLE_FREE, asked),
            client.call(wire.EPT_LOOKUP, again),
            client.call(wire.EPT_MAP, wire.EptMapIn(None, None, handle, 1).encode()),
        ]
        assert {fault.status for fault in faults} == {0x1C00001A}  # context mismatch


def test_a_lookup_belongs_to_the_association(tmp_path: Path) -> None:
    """Any connection of the group goes on with it, until the last is closed; no other client."""
    with serving(tmp_path) as served, Client(served.port) as first:
        number = group(first.bind(EPM, version=3))
        handle = looked_up(first, most=1).handle
        with mapper(served) as stranger:
            asked = wire.EptLookupIn(0, None, None, 1, handle, 9).encode()
            assert stranger.call(wire.EPT_LOOKUP, asked).status == 0x1C00001A
        with Client(served.port) as second:
            assert group(second.bind(EPM, version=3, group=number)) == number
            first.close()
            served.until(lambda: served.rpcss.statistics().connections == 1)
            assert len(looked_up(second, handle=handle).entries) == 2


def test_so_many_lookups_may_be_open(tmp_path: Path) -> None:
    """The oldest one is forgotten when there are more."""
    with serving(tmp_path) as served, mapper(served) as client:
        handles = [looked_up(client, most=1).handle for _ in range(HANDLES_MAX + 1)]
        asked = [wire.EptLookupIn(0, None, None, 1, handle, 9).encode() for handle in handles]
        assert client.call(wire.EPT_LOOKUP, asked[0]).status == 0x1C00001A
        last = wire.EptLookupOut.decode(client.call(wire.EPT_LOOKUP, asked[1]).stub)
        assert len(last.entries) == 2


def test_a_tower_is_completed(tmp_path: Path) -> None:
    """The port and the address that the client left open are filled in."""
    with serving(tmp_path) as served, mapper(served) as client:
        asked = Tower.tcp(IOBJECT_EXPORTER, 0, "0.0.0.0")
        out = mapped(client, asked)
        assert (out.status, out.handle) == (0, wire.NULL_HANDLE)
        assert out.towers == (Tower.tcp(IOBJECT_EXPORTER, served.port, "127.0.0.1"),)
        made = activate(served)
        demonstration = Tower.tcp(IDEMONSTRATION, 0, "0.0.0.0")
        for object in (None, bytes(16), CLSID):
            assert [tower.port for tower in mapped(client, demonstration, object).towers] == [
                made.port
            ]
        assert mapped(client, demonstration, guid_of(UNKNOWN)).status == NOT_REGISTERED


def test_what_is_not_served_is_not_mapped(tmp_path: Path) -> None:
    """Another interface, a newer version, another transfer syntax, another protocol, no tower."""
    with serving(tmp_path) as served, mapper(served) as client:
        known = Tower.tcp(IOBJECT_EXPORTER, 0, "0.0.0.0")
        pipe = Floor(b"\x0f", b"\\pipe\\x\0")
        towers = [
            Tower.tcp(OTHER, 0, "0.0.0.0"),
            Tower.tcp(IOBJECT_EXPORTER._replace(minor=1), 0, "0.0.0.0"),
            Tower((known.floors[0], known.floors[0], *known.floors[2:])),
            Tower((*known.floors[:3], pipe, known.floors[4])),
            None,
        ]
        assert [mapped(client, tower).status for tower in towers] == [NOT_REGISTERED] * 5


@pytest.mark.parametrize("opnum", [0, 1, 6])
def test_the_map_is_not_changed_from_afar(tmp_path: Path, opnum: int) -> None:
    """ept_insert, ept_delete and ept_mgmt_delete: ept_s_cant_perform_op."""
    with serving(tmp_path) as served, mapper(served) as client:
        assert client.call(opnum, bytes(64)).stub == bytes.fromhex("cda0c916")
        assert len(looked_up(client).entries) == 3


def test_the_mapper_has_a_guid(tmp_path: Path) -> None:
    """The same for everybody who asks."""
    with serving(tmp_path) as served, mapper(served) as client, mapper(served) as other:
        first = client.call(5).stub
        assert (len(first), first[16:]) == (20, bytes(4))
        assert other.call(5).stub == first != bytes(20)
