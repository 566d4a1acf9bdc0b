"""A storage account: kept by name because old templates name one beside a machine; it stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dockyard.model.resource_id import ResourceId

STORAGE_ACCOUNTS = "Microsoft.Storage/storageAccounts"


@dataclass(frozen=True, kw_only=True)
class StorageAccount:
    """The stored document. ``sku`` and ``kind`` are ARM's words, for example ``Standard_LRS`` and ``StorageV2``."""

    id: ResourceId
    location: str
    sku: str
    kind: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
