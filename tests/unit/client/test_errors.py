"""What the SDK raises becomes one of our own errors, every time."""

from __future__ import annotations

import inspect

import azure.core.exceptions as foreign
import pytest

from dockyard.client import credentials, errors, images, virtual_machines
from dockyard.client.connection import Connection
from dockyard.client.names import MachineName
from dockyard.config import Paths
from dockyard.model.errors import (
    Conflict,
    DeadlineExceeded,
    DockyardError,
    Exhausted,
    InvalidRequest,
    NotFound,
    OperationFailed,
    PreconditionFailed,
    Unauthenticated,
)
from tests.unit.client.arm_stub import ArmStub

FOREIGN = [
    kind
    for kind in vars(foreign).values()
    if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == foreign.__name__
]


def instance(kind: type[Exception]) -> Exception:
    made = kind.__new__(kind, "text")
    Exception.__init__(made, "text")
    made.__dict__.update(error=None, status_code=None, reason="reason", response=None, message="text")
    return made


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_no_exception_of_the_sdk_leaks(kind: type[Exception]) -> None:
    with pytest.raises(DockyardError) as caught, errors.mapped():
        raise instance(kind)
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InvalidParameter", 400, InvalidRequest),
        ("AuthenticationFailed", 401, Unauthenticated),
        ("Forbidden", 403, Unauthenticated),
        ("ResourceNotFound", 404, NotFound),
        ("PortInUse", 409, Conflict),
        ("AllocationFailed", 409, Exhausted),
        ("PreconditionFailed", 412, PreconditionFailed),
        ("VMAgentStatusTimeout", 200, DeadlineExceeded),
        ("AllocationFailed", 200, Exhausted),
        ("VMStartFailed", 200, OperationFailed),
        ("VMExtensionProvisioningError", 200, OperationFailed),
    ],
)
def test_code_and_status_decide(code: str, status: int, kind: type[DockyardError]) -> None:
    assert type(errors.from_record(code=code, message="m", status=status)) is kind


def test_first_line_is_the_brief_and_the_rest_details() -> None:
    error = errors.from_record(code="X", message="It broke.\nThe path is /x.\nTry again.")
    assert (error.brief, error.details) == ("It broke.", "The path is /x.\nTry again.")


def test_answer_of_the_server_is_mapped(connection: Connection) -> None:
    with pytest.raises(NotFound, match="no virtual machine 'nope'"):
        virtual_machines.get(connection, MachineName("dockyard", "nope"))


def test_failed_operation_keeps_its_code(connection: Connection, arm: ArmStub) -> None:
    arm.images["debian-13"] = {"name": "debian-13", "tags": {}, "properties": {}}
    with pytest.raises(Conflict) as caught:
        images.delete(connection, alias="debian-13").wait(deadline=10)
    assert caught.value.code == "ImageInUse"


def test_wrong_secret_is_not_allowed(arm: ArmStub, paths: Paths) -> None:
    arm.write_credentials(paths, client_secret="wrong-secret")
    found = credentials.read(paths.credentials)
    assert found is not None
    with pytest.raises(Unauthenticated) as caught:
        virtual_machines.list_all(Connection(found), resource_group=None)
    assert "wrong-secret" not in str(caught.value)


def test_server_that_is_gone_is_named(connection: Connection, arm: ArmStub) -> None:
    arm.close()
    with pytest.raises(OperationFailed) as caught:
        virtual_machines.list_all(connection, resource_group=None)
    assert (caught.value.code, caught.value.temporary) == ("ServerUnreachable", True)
