"""The store keeps what it is given, whole, on the disk, and private."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dockyard.model.deployment import (
    DEPLOYMENTS,
    Dependency,
    Deployment,
    DeploymentMode,
    DeploymentState,
    DeploymentStep,
    StepKind,
)
from dockyard.model.errors import OperationFailed
from dockyard.model.operation import Operation, OperationKind, OperationStatus
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId
from dockyard.model.storage_account import STORAGE_ACCOUNTS, StorageAccount
from dockyard.model.virtual_machine import Step
from dockyard.store.database import Database
from tests.support.values import SUBSCRIPTION, a_machine, an_extension, machine_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_TABLES = {("virtual_machines",), ("extensions",), ("operations",), ("resource_groups",)}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "store.db")
    yield opened
    opened.close()


def test_a_machine_comes_back_as_it_went(database: Database) -> None:
    machine = replace(a_machine(), steps=(Step("boot", NOW, None, "starting"),), tags={"a": "b"})
    database.put_virtual_machine(machine)
    assert database.virtual_machine(id=machine.id) == machine
    assert database.virtual_machine_by_vm_id(vm_id=machine.vm_id) == machine


def test_names_are_compared_without_case(database: Database) -> None:
    database.put_virtual_machine(a_machine("Web"))
    found = database.virtual_machine(id=machine_id("wEB"))
    assert found is not None
    assert found.id.name == "Web"


def test_an_extension_comes_back_as_it_went(database: Database) -> None:
    extension = an_extension()
    database.put_extension(extension)
    assert database.extension(id=extension.id) == extension
    assert list(database.extensions(machine=extension.id.parent)) == [extension]


def test_deleting_a_machine_deletes_its_extensions(database: Database) -> None:
    machine, extension = a_machine(), an_extension()
    database.put_virtual_machine(machine)
    database.put_extension(extension)
    database.delete_virtual_machine(id=machine.id)
    assert database.extension(id=extension.id) is None


def test_the_journal_lists_what_is_unfinished_oldest_first(database: Database) -> None:
    first, second, done = (an_operation(name) for name in ("first", "second", "done"))
    for operation in (first, second, replace(done, status=OperationStatus.SUCCEEDED)):
        database.put_operation(operation)
    assert [operation.id for operation in database.operations_in_progress()] == ["first", "second"]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction():
        database.put_virtual_machine(a_machine())
        raise RuntimeError
    assert database.virtual_machines() == []


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = Database.open(path)
    first.put_resource_group(ResourceGroup("s", "group", "local", (("a", "b"),)))
    first.close()
    second = Database.open(path)
    assert list(second.resource_groups()) == [ResourceGroup("s", "group", "local", (("a", "b"),))]
    second.close()


def test_only_the_user_can_read_the_file(tmp_path: Path, database: Database) -> None:
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("store.db*")} == {0}


def test_commits_wait_for_the_disk(database: Database) -> None:
    pragma = {name: database._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SYNC}
    assert pragma == SYNC


SYNC = {"journal_mode": "wal", "synchronous": 2}


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(OperationFailed, match=r"store\.db cannot be opened"):
        Database.open(path)


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OperationFailed, match="newer version"):
        Database.open(path)


def an_operation(id: str) -> Operation:
    return Operation(
        id=id,
        kind=OperationKind.CREATE_VIRTUAL_MACHINE,
        target=machine_id(),
        status=OperationStatus.IN_PROGRESS,
        started_at=NOW,
        arguments=(("a", "b"),),
    )


def a_deployment(name: str = "first") -> Deployment:
    id = ResourceId(SUBSCRIPTION, "Web", DEPLOYMENTS, (name,))
    step = DeploymentStep(
        id="1", kind=StepKind.CREATE, target=machine_id(), state=DeploymentState.RUNNING, started_at=NOW
    )
    return Deployment(
        id=id,
        operation_id="2",
        mode=DeploymentMode.COMPLETE,
        state=DeploymentState.RUNNING,
        started_at=NOW,
        template={"resources": [1, None, {"a": "b"}]},
        template_hash="3",
        parameters={"p": {"type": "String", "value": [True]}},
        resources=(machine_id(),),
        dependencies=(Dependency(machine_id("a"), (machine_id("b"),)),),
        steps=(step,),
    )


def test_a_deployment_comes_back_as_it_went_and_goes_with_its_group(database: Database) -> None:
    first, second = a_deployment(), a_deployment("second")
    for each in (first, second, first):
        database.put_deployment(each)
    assert database.deployments(resource_group="wEB") == [first, second]
    database.delete_deployment(id=second.id)
    database.delete_resource_group(name="web")
    assert database.deployment(id=first.id) is None


def test_a_storage_account_comes_back_as_it_went_and_goes_with_its_group(database: Database) -> None:
    id = ResourceId(SUBSCRIPTION, "Web", STORAGE_ACCOUNTS, ("disks",))
    account = StorageAccount(id=id, location="local", sku="Standard_LRS", kind="StorageV2", created_at=NOW)
    database.put_storage_account(account)
    assert database.storage_account(id=id) == account
    database.delete_resource_group(name="web")
    assert database.storage_accounts() == []


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with_machine = Database.open(path)
    with_machine.put_virtual_machine(a_machine())
    with_machine.close()
    connection = sqlite3.connect(path)
    later = set(connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")) - FIRST_TABLES
    connection.executescript("".join(f"DROP TABLE {name};" for (name,) in later) + "PRAGMA user_version = 1;")
    connection.close()
    opened = Database.open(path)
    opened.put_deployment(a_deployment())
    assert opened.virtual_machines() == [a_machine()]
    opened.close()
