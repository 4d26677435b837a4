"""References to an object's interfaces, as clients are given them."""

from typing import Final

from vaultstorm_server.rpcss.objects import Object, ObjectTable
from vaultstorm_wire.dcerpc.demonstration import IID_DEMONSTRATION
from vaultstorm_wire.dcerpc.objref import DualStringArray, ObjRef, StdObjRef
from vaultstorm_wire.dcerpc.rem_unknown import IID_ICLASSFACTORY, IID_IUNKNOWN

INSTANCE: Final = frozenset((IID_IUNKNOWN, IID_DEMONSTRATION))
CLASS_OBJECT: Final = frozenset((IID_IUNKNOWN, IID_ICLASSFACTORY))
"""The interfaces that an object and a class object of every application have."""

PUBLIC_REFERENCES: Final = 5
"""Public references that come with an interface where nobody asks for a number: as many as Windows
gives (captures of activations show it)."""


def standard(objects: ObjectTable, object: Object, iid: bytes, references: int) -> StdObjRef | None:
    """Give public references to an interface; None if the object has no such interface."""
    found = objects.query(object, iid, references)
    if found is None:
        return None
    return StdObjRef(0, references, object.oxid, object.oid, found.ipid)


def marshalled(
    objects: ObjectTable, object: Object, iid: bytes, resolver: DualStringArray
) -> ObjRef | None:
    """Give them as an OBJREF, which says where the resolver is."""
    std = standard(objects, object, iid, PUBLIC_REFERENCES)
    return None if std is None else ObjRef(iid, std, resolver)
