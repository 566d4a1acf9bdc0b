"""A configuration of its own for Azure's command line, so that plain ``az`` talks to Dockyard.

Used by ``dockyard az``. The folder holds what ``az cloud register``, ``az cloud set`` and ``az login`` would have
written (names and members as azure-cli 2.91 reads them); the user's own ``~/.azure`` is neither read nor written. The
secret stands in one file only the user can read, as in the credentials it comes from, and never in an environment.
"""

from __future__ import annotations

import configparser
import hashlib
import io
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi

from dockyard import files
from dockyard.client import locking
from dockyard.client.credentials import Credentials
from dockyard.config import Paths
from dockyard.model.errors import OperationFailed

CLOUD = "Dockyard"
VARIABLES = ("AZURE_CONFIG_DIR", "AZURE_CLOUD_NAME", "REQUESTS_CA_BUNDLE")
_BUNDLE = "REQUESTS_CA_BUNDLE"
_TOKENS = ("msal_token_cache.json", "msal_token_cache.bin", "msal_http_cache.bin")
_ENTRIES = "service_principal_entries.json"
_LOCK_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The folder ``az`` is pointed at, and the file with the certificate authorities it is to trust."""

    folder: Path
    bundle: Path

    def environment(self) -> dict[str, str]:
        """Return the variables that make ``az``, and whatever else uses requests, talk to Dockyard; none is secret."""
        return {"AZURE_CONFIG_DIR": str(self.folder), "AZURE_CLOUD_NAME": CLOUD, _BUNDLE: str(self.bundle)}


def prepare(
    paths: Paths, credentials: Credentials, *, group: str, location: str, environ: Mapping[str, str]
) -> Configuration:
    """Write the folder of one principal, or bring it up to date; what the user set with ``az config`` stays.

    The bundle is what this environment trusts already, with the endpoint's own authority added, so that ``pip`` and
    the like go on working beside ``az``.

    Raises:
        OperationFailed: a certificate authority's file cannot be read, or ``az``'s file of settings is broken.
    """
    folder = files.make_folder(paths.config / "az" / credentials.client_id)
    found = Configuration(folder=folder, bundle=folder / "ca-bundle.pem")
    with locking.locked(folder / ".lock", what="another command that prepares az", deadline=_LOCK_SECONDS):
        _put(found.bundle, _bundle(credentials, own=paths.config / "az", environ=environ))
        _put(folder / "clouds.config", _clouds(credentials))
        _put(folder / "config", _settings(folder / "config", group=group, location=location))
        _put(folder / "azureProfile.json", _profile(credentials))
        if _put(folder / _ENTRIES, _entries(credentials)):
            _forget_tokens(folder)
    return found


def _put(path: Path, text: str) -> bool:
    """Write a file unless it has this content; tell whether it was written."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return False
    files.write(path, content, mode=files.SECRET)
    return True


def _forget_tokens(folder: Path) -> None:
    """Remove tokens issued for an earlier secret; az would go on using them."""
    for name in _TOKENS:
        (folder / name).unlink(missing_ok=True)


def _bundle(credentials: Credentials, *, own: Path, environ: Mapping[str, str]) -> str:
    given = environ.get(_BUNDLE, "")
    trusted = Path(given) if given and own not in Path(given).parents else Path(certifi.where())
    try:
        texts = [path.read_text(encoding="utf-8") for path in (trusted, credentials.ca)]
    except (OSError, UnicodeDecodeError) as error:
        raise OperationFailed(
            "The certificate authorities to trust cannot be read",
            details=f"{type(error).__name__}: {getattr(error, 'filename', None) or trusted}",
            resolution=f"{_BUNDLE} names one of the files; correct or unset it.",
            code="InvalidCertificateBundle",
        ) from error
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


def _clouds(credentials: Credentials) -> str:
    parser = _parser()
    parser[CLOUD] = {
        "endpoint_resource_manager": credentials.endpoint,
        "endpoint_management": credentials.endpoint,
        "endpoint_active_directory": f"{credentials.endpoint}/{credentials.tenant_id}",
        "endpoint_active_directory_resource_id": credentials.audience,
        "endpoint_active_directory_graph_resource_id": f"{credentials.endpoint}/",
        "endpoint_microsoft_graph_resource_id": f"{credentials.endpoint}/",
        "endpoint_vm_image_alias_doc": f"{credentials.endpoint}/metadata/aliases",
    }
    return _written(parser)


def _settings(path: Path, *, group: str, location: str) -> str:
    """Return az's settings: ours that must be, ours that may be where nothing is set, the others."""
    parser = _parser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise OperationFailed(
            f"{path} is not a settings file of az",
            details=type(error).__name__,
            resolution=f"Remove {path}; it is written anew.",
            code="InvalidAzureCliConfiguration",
        ) from error
    for section in ("cloud", "core", "defaults", "clouds"):
        if not parser.has_section(section):
            parser.add_section(section)
    parser["cloud"]["name"] = CLOUD
    preset = {
        "core": {"collect_telemetry": "false", "login_experience_v2": "off", "encrypt_token_cache": "false"},
        "defaults": {"group": group, "location": location},
    }
    for section, members in preset.items():
        for name, value in members.items():
            if not parser.has_option(section, name):
                parser[section][name] = value
    return _written(parser)


def _profile(credentials: Credentials) -> str:
    subscription = {
        "id": credentials.subscription_id,
        "name": CLOUD,
        "state": "Enabled",
        "user": {"name": credentials.client_id, "type": "servicePrincipal"},
        "isDefault": True,
        "tenantId": credentials.tenant_id,
        "homeTenantId": credentials.tenant_id,
        "managedByTenants": [],
        "environmentName": CLOUD,
    }
    return json.dumps({"installationId": _installation(credentials), "subscriptions": [subscription]}, indent=1)


def _installation(credentials: Credentials) -> str:
    """Return an id for az's own log; of the principal, so that the file stays the same from run to run."""
    return str(uuid.UUID(hashlib.sha256(credentials.client_id.encode()).hexdigest()[:32]))


def _entries(credentials: Credentials) -> str:
    entry = {
        "client_id": credentials.client_id,
        "tenant": credentials.tenant_id,
        "client_secret": credentials.client_secret,
    }
    return json.dumps([entry], indent=1)


def _parser() -> configparser.ConfigParser:
    return configparser.ConfigParser(interpolation=None)


def _written(parser: configparser.ConfigParser) -> str:
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()
