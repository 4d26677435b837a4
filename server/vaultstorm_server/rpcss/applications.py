"""The applications there are, and what COM asks listen() for on behalf of each."""

from typing import Final, NamedTuple, Protocol

from vaultstorm_server.rpc_settings import MAX_CALLS_DEFAULT, MAX_CALLS_MAX
from vaultstorm_server.settings import AppId, Settings
from vaultstorm_wire.dcerpc.demonstration import APPID_DEMONSTRATION
from vaultstorm_wire.dcerpc.syntax import guid_of, guid_text


class MaxCalls(Protocol):
    """Ole32's choice of the MaxCalls that it passes to RpcServerUseProtseq, and RPC to listen()."""

    def of(self, appid: AppId) -> int:
        """Give the MaxCalls of an application."""


class DefaultMaxCalls:
    """Ole32 as it came with SP2: always RPC_C_PROTSEQ_MAX_REQS_DEFAULT (KB960007)."""

    def of(self, appid: AppId) -> int:
        """Give the constant, whatever stands under the AppID."""
        return MAX_CALLS_DEFAULT


class MaxCallsByAppId:
    """Ole32 5.2.3790.4413: RpcProtSeqMaxCalls is read, 1 to 100 (KB960007)."""

    def of(self, appid: AppId) -> int:
        """Give the registry's value, clamped: no source says what happens outside its range."""
        return min(max(appid.RpcProtSeqMaxCalls, 1), MAX_CALLS_MAX)


OLE32: Final[tuple[MaxCalls, MaxCalls]] = (DefaultMaxCalls(), MaxCallsByAppId())
"""By `rpc.KB960007`."""


class Application(NamedTuple):
    """An application that can be activated.

    Attributes:
        clsid: of its one class; its AppID is the same guid.
        name: the AppID as text.
        max_calls: what its object exporter asks listen() for.
    """

    clsid: bytes
    name: str
    max_calls: int


def applications(settings: Settings) -> dict[bytes, Application]:
    """Give the demonstration application, and one for every AppID that is configured, by CLSID."""
    ole32 = OLE32[settings.rpc.KB960007]
    demonstration = guid_text(APPID_DEMONSTRATION)
    configured = {demonstration: AppId(), **settings.AppID}
    found = [Application(guid_of(name), name, ole32.of(each)) for name, each in configured.items()]
    return {application.clsid: application for application in found}
