"""The configuration ``az`` is pointed at: what is in it, what is kept, what is never touched."""

from __future__ import annotations

import configparser
import json
import stat
from dataclasses import replace
from pathlib import Path

import certifi
import pytest

from dockyard.client import azure_cli
from dockyard.client.azure_cli import Configuration
from dockyard.client.credentials import Credentials
from dockyard.config import Paths
from dockyard.model.errors import OperationFailed

AUTHORITY = "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n"


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    ca = tmp_path / "ca.pem"
    ca.write_text(AUTHORITY)
    return Credentials(
        endpoint="https://127.0.0.1:8443",
        tenant_id="adfs",
        client_id="11111111-2222-3333-4444-555555555555",
        client_secret="hush-hush",
        subscription_id="s-1",
        audience="https://management.dockyard/",
        ca=ca,
    )


def prepare(paths: Paths, credentials: Credentials, **environ: str) -> Configuration:
    return azure_cli.prepare(paths, credentials, group="dockyard", location="local", environ=environ)


def settings(found: Configuration) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(found.folder / "config")
    return parser


def test_cloud_and_login_are_there_as_az_would_have_written_them(paths: Paths, credentials: Credentials) -> None:
    found = prepare(paths, credentials)
    clouds = configparser.ConfigParser()
    clouds.read(found.folder / "clouds.config")
    cloud = clouds["Dockyard"]
    assert cloud["endpoint_resource_manager"] == credentials.endpoint
    assert cloud["endpoint_active_directory"] == "https://127.0.0.1:8443/adfs"
    assert cloud["endpoint_active_directory_resource_id"] == credentials.audience
    assert settings(found)["cloud"]["name"] == "Dockyard"
    (subscription,) = json.loads((found.folder / "azureProfile.json").read_text())["subscriptions"]
    assert (subscription["id"], subscription["isDefault"], subscription["environmentName"]) == ("s-1", True, "Dockyard")
    (entry,) = json.loads((found.folder / "service_principal_entries.json").read_text())
    assert entry == {"client_id": credentials.client_id, "tenant": "adfs", "client_secret": "hush-hush"}


def test_no_file_can_be_read_by_others_and_no_variable_is_secret(paths: Paths, credentials: Credentials) -> None:
    found = prepare(paths, credentials)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in found.folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE(found.folder.stat().st_mode) == 0o700
    assert "hush" not in repr(found.environment())
    assert set(found.environment()) == set(azure_cli.VARIABLES)


def test_what_is_trusted_already_goes_on_being_trusted(paths: Paths, credentials: Credentials, tmp_path: Path) -> None:
    assert prepare(paths, credentials).bundle.read_text() == Path(certifi.where()).read_text() + AUTHORITY
    company = tmp_path / "company.pem"
    company.write_text("company, without a last newline")
    found = prepare(paths, credentials, REQUESTS_CA_BUNDLE=str(company))
    assert found.bundle.read_text() == f"company, without a last newline\n{AUTHORITY}"


def test_a_shell_that_has_the_variables_already_gets_the_same_again(paths: Paths, credentials: Credentials) -> None:
    first = prepare(paths, credentials)
    text = first.bundle.read_text()
    again = prepare(paths, credentials, **first.environment())
    assert again == first
    assert again.bundle.read_text() == text


def test_an_authority_that_cannot_be_read_is_named(paths: Paths, credentials: Credentials, tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match="cannot be read") as failed:
        prepare(paths, credentials, REQUESTS_CA_BUNDLE=str(tmp_path / "gone.pem"))
    assert "gone.pem" in failed.value.details


def test_what_the_user_set_with_az_config_stays(paths: Paths, credentials: Credentials) -> None:
    found = prepare(paths, credentials)
    changed = settings(found)
    changed["defaults"]["group"] = "mine"
    changed["cloud"]["name"] = "AzureCloud"
    changed.add_section("extension")
    changed["extension"]["use_dynamic_install"] = "no"
    with (found.folder / "config").open("w") as file:
        changed.write(file)
    prepare(paths, credentials)
    kept = settings(found)
    assert kept["defaults"]["group"] == "mine"
    assert kept["extension"]["use_dynamic_install"] == "no"
    assert kept["cloud"]["name"] == "Dockyard"


def test_a_broken_settings_file_is_named_and_left_alone(paths: Paths, credentials: Credentials) -> None:
    found = prepare(paths, credentials)
    (found.folder / "config").write_text("no section = here")
    with pytest.raises(OperationFailed, match="not a settings file of az"):
        prepare(paths, credentials)
    assert (found.folder / "config").read_text() == "no section = here"


def test_tokens_of_an_earlier_secret_are_forgotten_and_others_kept(paths: Paths, credentials: Credentials) -> None:
    found = prepare(paths, credentials)
    tokens = found.folder / "msal_token_cache.json"
    tokens.write_text("{}")
    prepare(paths, credentials)
    assert tokens.exists()
    prepare(paths, replace(credentials, client_secret="another"))
    assert not tokens.exists()


def test_each_principal_has_a_folder_of_its_own(paths: Paths, credentials: Credentials) -> None:
    other = prepare(paths, replace(credentials, client_id="another"))
    assert other.folder != prepare(paths, credentials).folder
