"""The activation properties (MS-DCOM 2.2.22): what is asked of a resolver, and what it answers.

They travel in a BLOB inside an OBJREF_CUSTOM inside an MInterfacePointer: a CustomHeader that names
each property and its size, then the properties, each of them serialized by itself.
"""

import struct
from functools import lru_cache
from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import Layout, NdrError, Reader, Writer
from vaultstorm_wire.dcerpc.objref import (
    NULL_GUID,
    CustomObjRef,
    DualStringArray,
    ObjRef,
    read_references,
    write_references,
)
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion
from vaultstorm_wire.dcerpc.serialization import HEADERS, deserialize, serialize
from vaultstorm_wire.dcerpc.syntax import guid_of


def _guid(number: str) -> bytes:
    return guid_of(f"00000{number}-0000-0000-c000-000000000046")


# MS-DCOM 1.9
CLSID_PROPERTIES_IN: Final = _guid("338")
CLSID_PROPERTIES_OUT: Final = _guid("339")
IID_PROPERTIES_IN: Final = _guid("1a2")
IID_PROPERTIES_OUT: Final = _guid("1a3")
INSTANTIATION_INFO: Final = _guid("1ab")
ACTIVATION_CONTEXT_INFO: Final = _guid("1a5")
SERVER_LOCATION_INFO: Final = _guid("1a4")
SCM_REQUEST_INFO: Final = _guid("1aa")
SCM_REPLY_INFO: Final = _guid("1b6")
PROPS_OUT_INFO: Final = CLSID_PROPERTIES_OUT

# MS-DCOM 2.2.28.1
MAX_REQUESTED_INTERFACES: Final = 0x8000
MAX_REQUESTED_PROTSEQS: Final = 0x8000
MAX_ACTPROP_LIMIT: Final = 10

MSHCTX_DIFFERENTMACHINE: Final = 2
IMP_LEVEL_IDENTIFY: Final = 2

_BLOB = struct.Struct("<II")
_HEADER = Layout("5I16s3I", 4)
_INSTANTIATION = Layout("16s6IIHH", 4)
_REQUEST = Layout("IHxxI", 4)
_POINTERS = Layout("II", 4)
_REPLY = Layout("QI16sIHH", 8)
_PROPS_OUT = Layout("IIII", 4)


class PropertiesIn(NamedTuple):
    """What a client asks for: a class, interfaces of it, and how it wants to reach them."""

    clsid: bytes
    iids: tuple[bytes, ...]
    protseqs: tuple[int, ...]
    class_context: int
    version: ComVersion

    def encode(self) -> bytes:
        """Give them as an object reference."""
        properties = (self._instantiation(), *_unchanging(self.protseqs))
        blob = _blob(_IN_CLSIDS, properties)
        return CustomObjRef(IID_PROPERTIES_IN, CLSID_PROPERTIES_IN, blob).encode()

    def _instantiation(self) -> bytes:
        size = HEADERS + _INSTANTIATION.size + 4 + 16 * len(self.iids)
        size += -size % 8
        writer = Writer()
        fields = (self.class_context, 0, 0, len(self.iids), 0, _REFERENT)
        writer.write(_INSTANTIATION, self.clsid, *fields, size, *self.version)
        writer.array("16s", self.iids)
        return serialize(writer.data)

    @classmethod
    def decode(cls, marshaled: bytes) -> "PropertiesIn":
        """Read them; properties that nothing here depends on are passed over.

        Raises:
            NdrError: they are malformed, or one that is required is missing.
        """
        properties = _split(marshaled, CLSID_PROPERTIES_IN)
        if INSTANTIATION_INFO not in properties or SCM_REQUEST_INFO not in properties:
            raise NdrError("no InstantiationInfoData, or no ScmRequestInfoData")
        reader = deserialize(properties[INSTANTIATION_INFO])
        clsid, context, _, _, count, _, iids, _, *version = reader.read(_INSTANTIATION)
        if not iids or not count:
            raise NdrError("an activation that asks for no interface")
        asked = reader.guids(MAX_REQUESTED_INTERFACES)
        reader.same(len(asked), count)
        protseqs = _read_protseqs(properties[SCM_REQUEST_INFO])
        return cls(clsid, asked, protseqs, context, ComVersion(*version))


class PropertiesOut(NamedTuple):
    """What a resolver answers: where the exporter is, and a result for each interface."""

    oxid: int
    bindings: DualStringArray | None
    ipid_rem_unknown: bytes
    authn_hint: int
    iids: tuple[bytes, ...]
    results: tuple[tuple[int, ObjRef | None], ...]
    version: ComVersion = COMVERSION

    def encode(self) -> bytes:
        """Give them as an object reference, PropsOutInfo first: some clients count on it.

        Raises:
            ValueError: there is not one result for each interface.
        """
        if len(self.iids) != len(self.results):
            raise ValueError(f"{len(self.results)} results for {len(self.iids)} interfaces")
        blob = _blob(_OUT_CLSIDS, (self._props_out(), self._scm_reply()))
        return CustomObjRef(IID_PROPERTIES_OUT, CLSID_PROPERTIES_OUT, blob).encode()

    def _props_out(self) -> bytes:
        count = len(self.results)
        writer = Writer()
        writer.write(_PROPS_OUT, count, _REFERENT, _REFERENT + 4, _REFERENT + 8)
        writer.array("16s", self.iids)
        writer.array("I", [hresult for hresult, _ in self.results])
        write_references(writer, [reference for _, reference in self.results])
        return serialize(writer.data)

    def _scm_reply(self) -> bytes:
        writer = Writer()
        writer.write(_POINTERS, 0, _REFERENT)
        bindings = 0 if self.bindings is None else _REFERENT + 4
        version = self.version
        writer.write(_REPLY, self.oxid, bindings, self.ipid_rem_unknown, self.authn_hint, *version)
        if self.bindings is not None:
            self.bindings.write(writer)
        return serialize(writer.data)

    @classmethod
    def decode(cls, marshaled: bytes) -> "PropertiesOut":
        """Read them.

        Raises:
            NdrError: they are malformed, or one that is required is missing.
        """
        properties = _split(marshaled, CLSID_PROPERTIES_OUT)
        if PROPS_OUT_INFO not in properties or SCM_REPLY_INFO not in properties:
            raise NdrError("no PropsOutInfo, or no ScmReplyInfoData")
        reader = deserialize(properties[PROPS_OUT_INFO])
        count, *pointers = reader.read(_PROPS_OUT)
        if not all(pointers):
            raise NdrError("a PropsOutInfo with a null array")
        iids = reader.guids(MAX_REQUESTED_INTERFACES)
        hresults = reader.array("I", MAX_REQUESTED_INTERFACES)
        references = read_references(reader, MAX_REQUESTED_INTERFACES)
        if not len(iids) == len(hresults) == len(references) == count:
            raise NdrError(f"arrays of different sizes for {count} interfaces")
        results = tuple(zip(hresults, references, strict=True))
        return cls._reply(deserialize(properties[SCM_REPLY_INFO]), iids, results)

    @classmethod
    def _reply(
        cls,
        reader: Reader,
        iids: tuple[bytes, ...],
        results: tuple[tuple[int, ObjRef | None], ...],
    ) -> "PropertiesOut":
        reserved, reply = reader.read(_POINTERS)
        if reserved:
            reader.u32()
        if not reply:
            raise NdrError("a ScmReplyInfoData without a reply")
        oxid, pointer, ipid, hint, *version = reader.read(_REPLY)
        bindings = DualStringArray.read(reader) if pointer else None
        return cls(oxid, bindings, ipid, hint, iids, results, ComVersion(*version))


_IN_CLSIDS = (INSTANTIATION_INFO, ACTIVATION_CONTEXT_INFO, SERVER_LOCATION_INFO, SCM_REQUEST_INFO)
_OUT_CLSIDS = (PROPS_OUT_INFO, SCM_REPLY_INFO)
_REFERENT = 0x00020000


@lru_cache(16)
def _unchanging(protseqs: tuple[int, ...]) -> tuple[bytes, bytes, bytes]:
    """Give the properties in which one activation is like another.

    ActivationContextInfoData carries neither a client's nor a prototype context, LocationInfoData
    no machine name; ScmRequestInfoData has what the client can speak.
    """
    writer = Writer()
    writer.pointer(False)
    writer.pointer()
    writer.write(_REQUEST, IMP_LEVEL_IDENTIFY, len(protseqs), _REFERENT + 4 if protseqs else 0)
    if protseqs:
        writer.array("H", protseqs)
    return serialize(bytes(24)), serialize(bytes(16)), serialize(writer.data)


def _read_protseqs(data: bytes) -> tuple[int, ...]:
    return (_protseqs_cached if len(data) <= _CACHED_MAX else _protseqs)(data)


def _protseqs(data: bytes) -> tuple[int, ...]:
    reader = deserialize(data)
    reserved, request = reader.read(_POINTERS)
    if reserved:
        reader.u32()
    if not request:
        raise NdrError("a ScmRequestInfoData without a request")
    _, count, pointer = reader.read(_REQUEST)
    protseqs = reader.array("H", MAX_REQUESTED_PROTSEQS) if pointer else ()
    reader.same(len(protseqs), count)
    return protseqs


_protseqs_cached = lru_cache(16)(_protseqs)
_CACHED_MAX = 512  # bytes; CustomHeaders of 10 properties have 280


def _blob(clsids: tuple[bytes, ...], properties: tuple[bytes, ...]) -> bytes:
    sizes = tuple(map(len, properties))
    return _custom_header(clsids, sizes) + b"".join(properties)


@lru_cache(64)
def _custom_header(clsids: tuple[bytes, ...], sizes: tuple[int, ...]) -> bytes:
    """Give what is before the properties: the same whenever their sizes are."""
    size = HEADERS + _HEADER.size + 8 + 20 * len(sizes)
    size += -size % 8
    total = size + sum(sizes)
    writer = Writer()
    fields = (total, size, 0, MSHCTX_DIFFERENTMACHINE, len(sizes), NULL_GUID)
    writer.write(_HEADER, *fields, _REFERENT, _REFERENT + 4, 0)
    writer.array("16s", clsids)
    writer.array("I", sizes)
    return _BLOB.pack(total, 0) + serialize(writer.data)


def _split(marshaled: bytes, clsid: bytes) -> dict[bytes, bytes]:
    """Give the properties by their classes."""
    reference = CustomObjRef.decode(marshaled)
    if reference.clsid != clsid:
        raise NdrError("an object reference that holds no activation properties")
    data = reference.data
    if len(data) < _BLOB.size + HEADERS:
        raise NdrError(f"activation properties in {len(data)} bytes")
    size, _ = _BLOB.unpack_from(data)
    header = deserialize(data[_BLOB.size : _BLOB.size + _CACHED_MAX]).data
    total, places = _places(header)
    if total > len(data) - _BLOB.size or size > len(data) - _BLOB.size:
        raise NdrError(f"activation properties of {total} in {len(data) - _BLOB.size} bytes")
    return {name: data[start:end] for name, start, end in places}


@lru_cache(64)
def _places(header: bytes) -> tuple[int, tuple[tuple[bytes, int, int], ...]]:
    """Read a CustomHeader: what is behind it, and each property's class, beginning and end."""
    reader = deserialize(header)
    total, size, _, _, count, _, clsids_pointer, sizes_pointer, _ = reader.read(_HEADER)
    if not clsids_pointer or not sizes_pointer:
        raise NdrError("a CustomHeader with a null array")
    clsids = reader.guids(MAX_ACTPROP_LIMIT)
    sizes = reader.array("I", MAX_ACTPROP_LIMIT)
    reader.same(len(clsids), count)
    reader.same(len(sizes), count)
    if size + sum(sizes) > total:
        raise NdrError(f"properties of {sum(sizes)} behind a header of {size} in {total} bytes")
    places = []
    at = _BLOB.size + size
    for clsid, length in zip(clsids, sizes, strict=True):
        places.append((clsid, at, at + length))
        at += length
    return total, tuple(places)
