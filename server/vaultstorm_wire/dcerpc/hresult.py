"""The HRESULTs that DCOM gives out, by their names in MS-ERREF 2.1.1, and what resolvers answer."""

from typing import Final

S_OK: Final = 0x00000000
S_FALSE: Final = 0x00000001
CO_S_NOTALLINTERFACES: Final = 0x00080012

E_NOTIMPL: Final = 0x80004001
E_NOINTERFACE: Final = 0x80004002
E_UNEXPECTED: Final = 0x8000FFFF
RPC_E_DISCONNECTED: Final = 0x80010108
RPC_E_VERSION_MISMATCH: Final = 0x80010110
RPC_E_INVALID_HEADER: Final = 0x80010111
RPC_E_INVALID_IPID: Final = 0x80010113
RPC_E_INVALID_OBJECT: Final = 0x80010114
RPC_E_INVALID_OBJREF: Final = 0x8001011D
CLASS_E_NOAGGREGATION: Final = 0x80040110
REGDB_E_CLASSNOTREG: Final = 0x80040154
CO_E_OBJNOTREG: Final = 0x800401FB
E_ACCESSDENIED: Final = 0x80070005
E_OUTOFMEMORY: Final = 0x8007000E
E_INVALIDARG: Final = 0x80070057
CO_E_SERVER_EXEC_FAILURE: Final = 0x80080005

# Win32 codes that IObjectExporter returns as they are (MS-DCOM 3.1.2.5.1)
OR_INVALID_OXID: Final = 1910
OR_INVALID_OID: Final = 1911
OR_INVALID_SET: Final = 1912


def succeeded(hresult: int) -> bool:
    """Tell whether an HRESULT's severity bit says success."""
    return not hresult & 0x80000000
