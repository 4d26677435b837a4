"""Which applications there are, and which MaxCalls the Ole32 of each age gives them."""

import pytest

from vaultstorm_server.rpcss.applications import OLE32, Application, applications
from vaultstorm_server.settings import AppId, Rpc, Settings
from vaultstorm_wire.dcerpc.demonstration import APPID_DEMONSTRATION
from vaultstorm_wire.dcerpc.syntax import guid_of

OTHER = "12345678-1234-1234-1234-123456789abc"
DEMONSTRATION = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"


@pytest.mark.parametrize("value", [0, 1, 9, 10, 11, 99, 100, 101, 0xFFFFFFFF])
def test_without_the_hotfix_every_application_has_the_default(value: int) -> None:
    """RPC_C_PROTSEQ_MAX_REQS_DEFAULT is a constant: nothing in the registry is read."""
    assert OLE32[0].of(AppId(RpcProtSeqMaxCalls=value)) == 10


@pytest.mark.parametrize(
    ("value", "passed"),
    [(0, 1), (1, 1), (2, 2), (10, 10), (99, 99), (100, 100), (101, 100), (0xFFFFFFFF, 100)],
)
def test_with_the_hotfix_the_appid_is_read_and_clamped(value: int, passed: int) -> None:
    """The range is 1 to 100, and its ends belong to it."""
    assert OLE32[1].of(AppId(RpcProtSeqMaxCalls=value)) == passed


def test_with_the_hotfix_an_appid_without_the_value_has_the_default() -> None:
    """The hotfix alone changes nothing."""
    assert OLE32[1].of(AppId()) == 10


def test_the_demonstration_is_always_there() -> None:
    """Without any configuration it is the only application."""
    assert applications(Settings()) == {
        APPID_DEMONSTRATION: Application(APPID_DEMONSTRATION, DEMONSTRATION, 10)
    }


def test_every_configured_appid_is_an_application() -> None:
    """The CLSID of an application is the guid of its AppID."""
    settings = Settings(
        rpc=Rpc(KB960007=1),
        AppID={OTHER: AppId(RpcProtSeqMaxCalls=50), DEMONSTRATION: AppId(RpcProtSeqMaxCalls=20)},
    )
    assert {each.name: each.max_calls for each in applications(settings).values()} == {
        DEMONSTRATION: 20,
        OTHER: 50,
    }
    assert guid_of(OTHER) in applications(settings)
