"""References as they are handed out."""

import itertools

from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_server.rpcss.references import PUBLIC_REFERENCES, marshalled, standard
from vaultstorm_wire.dcerpc.objref import DualStringArray

IID = b"i" * 16
NOWHERE = DualStringArray(())


def test_a_reference_is_counted_when_it_is_given() -> None:
    """As many as it says, five where nobody has said a number."""
    numbers = itertools.count(1)
    objects = ObjectTable(10, 1.0, 3, lambda size: next(numbers).to_bytes(size, "little"))
    made = objects.make(7, b"c" * 16, frozenset((IID,)), 0.0)
    assert made is not None
    first = standard(objects, made, IID, 3)
    second = marshalled(objects, made, IID, NOWHERE)
    assert first is not None
    assert second is not None
    assert (first.public_refs, second.std.public_refs) == (3, PUBLIC_REFERENCES)
    assert (first.oxid, first.oid, first.ipid) == (7, made.oid, made.interfaces[0].ipid)
    assert (second.iid, second.std.ipid) == (IID, first.ipid)
    assert made.interfaces[0].public == 3 + PUBLIC_REFERENCES


def test_there_is_none_to_what_an_object_has_not() -> None:
    """Neither form is given of an unknown interface."""
    objects = ObjectTable(10, 1.0, 3, lambda size: bytes(size))
    made = objects.make(7, b"c" * 16, frozenset(), 0.0)
    assert made is not None
    assert standard(objects, made, IID, 1) is None
    assert marshalled(objects, made, IID, NOWHERE) is None
