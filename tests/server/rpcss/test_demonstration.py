"""Work, and what is refused before it runs."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.rpcss.dcom import IUNKNOWN, activate, caller, executed, work
from tests.server.rpcss.serving import DID_NOT_EXECUTE, rpc, serving
from vaultstorm_wire.dcerpc.orpc import ComVersion
from vaultstorm_wire.dcerpc.syntax import guid_text
from vaultstorm_wire.journal import Execution, Request


@pytest.mark.parametrize("call_time", [0.0, 0.001])
def test_work_leaves_a_record_before_its_answer(tmp_path: Path, call_time: float) -> None:
    """Whether it takes its time or not: the record is on disk when the answer is here."""
    with serving(tmp_path, rpc(CallTime=call_time)) as served:
        made = activate(served)
        with caller(made) as client:
            for number in range(1, 4):
                cid = uuid4()
                assert executed(work(client, made.ipid, cid)) == number
                execution = served.records(Execution)[-1]
                assert (execution.id, execution.method) == (str(cid), "Work")
                assert execution.target == guid_text(made.ipid)
                request = served.records(Request)[-1]
                assert (request.id, request.target) == (str(cid), "IVaultstormDemonstration")
                assert (request.status, request.cause) == (0, None)
        assert served.do(served.rpcss.statistics).calls_executed == 3


def test_what_is_refused_does_not_run(tmp_path: Path) -> None:
    """An unknown IPID, a newer version, flags: three faults, three records, no execution."""
    with serving(tmp_path) as served:
        made = activate(served)
        with caller(made) as client:
            faults = [
                work(client, b"?" * 16),
                work(client, made.ipid, version=ComVersion(5, 8)),
                work(client, made.ipid, flags=1),
            ]
        statuses = [0x80010108, 0x80010110, 0x80010111]
        assert [fault.status for fault in faults] == statuses
        assert not any(fault.flags & DID_NOT_EXECUTE for fault in faults)
        records = served.records(Request)[1:]
        assert [record.status for record in records] == statuses
        assert {record.worker for record in records} == {None}
        assert all(record.id for record in records)
        assert [execution.method for execution in served.records(Execution)] == [
            "RemoteCreateInstance"
        ]


def test_a_call_needs_an_object(tmp_path: Path) -> None:
    """Without an IPID there is nothing to call."""
    with serving(tmp_path) as served, caller(activate(served)) as client:
        assert client.call(3, bytes(32)).status == 0x80010108


def test_iunknown_has_nothing_on_the_wire(tmp_path: Path) -> None:
    """It can be bound, and all of its methods are out of range."""
    with serving(tmp_path) as served:
        made = activate(served)
        with caller(made, IUNKNOWN) as client:
            faults = [client.call(opnum, object=made.ipid) for opnum in (0, 2, 3)]
            assert {fault.status for fault in faults} == {0x1C010002}
