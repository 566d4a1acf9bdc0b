"""Which action over which scope a request is: one pure function of its method and its path.

The rule is Azure's own, so a new route needs nothing here but the spelling of its words in ``SPELLED``: the namespace
and the words between the names make the action, its verb is the method's, and what is named makes the scope.

    PUT  .../resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web
         Microsoft.Compute/virtualMachines/write over .../virtualMachines/web
    POST .../virtualMachines/web/start
         Microsoft.Compute/virtualMachines/start/action over .../virtualMachines/web

Used by the middleware in ``check``, by ``openapi`` for Azure's spelling of paths, and by the architecture tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockyard.arm.paths import keyword_positions

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_RESOURCES = "Microsoft.Resources"
_PROVIDERS = "providers"
_WORDS = """
    Microsoft.Authorization Microsoft.Compute Microsoft.Network Microsoft.Resources Microsoft.Storage
    Dockyard.Host Dockyard.Identity
    actionGroups artifactTypes assessPatches cancel cancelOperation capture convertToManagedDisks deallocate
    deployments diagnostics disks exportTemplate extensions generalize images installPatches instanceView locations
    locks networkInterfaces networkSecurityGroups offers operationResults operations operationStatuses permissions
    powerOff principals providers publicIPAddresses publishers reapply redeploy register reimage resetSecret
    resourceGroups resources restart retrieveBootDiagnosticsData roleAssignments roleDefinitions runCommand runCommands
    securityRules skus sshPublicKeys start storageAccounts subnets subscriptions tagNames tags tenants types usages
    unregister validate versions virtualMachines virtualNetworks vmImage vmSizes whatIf
    defaultSecurityRules ipConfigurations effectiveNetworkSecurityGroups effectiveRouteTable moveResources
    validateMoveResources checkNameAvailability checkZonePeers generateKeyPair exportTemplates
    retrieveDiagnosticsData
"""
SPELLED = {word.lower(): word for word in _WORDS.split()}
# What a caller needs to find its way in a subscription is read by whoever has any role in it: catalogues, and the list
# of groups, which leaves out those that are not theirs.
_CATALOGUES = frozenset({"locations", "skus", "operations", "usages", "roledefinitions", "permissions"})
_SEEN_FROM_BELOW = frozenset({"locations", "providers", "tagnames"})
_OPERATIONS = frozenset({"operations", "operationresults"})


@dataclass(frozen=True)
class Demand:
    """What a caller must be allowed.

    ``anywhere``: a role below the scope will do as well. ``lists``: it may be a list of what lies below the scope,
    which whoever has a role there may read as far as that goes.
    """

    action: str
    scope: str
    anywhere: bool = False
    lists: bool = False


def spelled(path: str) -> str:
    """Return a normalised path with its words as Azure writes them."""
    segments = _segments(path)
    keywords = keyword_positions(segments)
    return "/" + "/".join(SPELLED.get(part, part) if at in keywords else part for at, part in enumerate(segments))


def demand(*, method: str, path: str) -> Demand | None:
    """Return what a request to a normalised path demands, None when any caller of this server may make it."""
    segments = _segments(path)
    reads = method in ("GET", "HEAD")
    if segments[:1] != ["subscriptions"] or len(segments) == 1:
        return None if reads else Demand(f"{_RESOURCES}/tenants/{_verb(method)}", "/")
    if reads and _is_operation(segments):
        return None  # whoever began it has the address, a random name, and may have deleted what gave the right
    scope = spelled("/" + "/".join(segments[: _scope_length(segments)]))
    return Demand(
        f"{_words(segments)}/{_verb(method)}",
        scope,
        anywhere=reads and _is_catalogue(segments),
        lists=method == "GET" and len(segments) - 1 in keyword_positions(segments),
    )


def _is_operation(segments: Sequence[str]) -> bool:
    return len(segments) == 8 and segments[2::2][:2] == [_PROVIDERS, "locations"] and segments[6] in _OPERATIONS


def _is_catalogue(segments: Sequence[str]) -> bool:
    match segments[2:]:
        case [] | ["resourcegroups"]:
            return True
        case ["providers", _, word, *_]:
            return word in _CATALOGUES
        case [word, *_]:
            return word in _SEEN_FROM_BELOW
    return False


def _words(segments: Sequence[str]) -> str:
    """Return the namespace and the words after it, up to the last; names are left out."""
    keywords = sorted(keyword_positions(segments))
    providers = [at for at in keywords if at % 2 == 0 and segments[at] == _PROVIDERS and at + 2 < len(segments)]
    if providers:
        return "/".join(SPELLED.get(segments[at], segments[at]) for at in keywords if at > providers[-1])
    words = [SPELLED.get(segments[at], segments[at]) for at in keywords if at % 2 == 0]
    return "/".join([_RESOURCES, *words])


def _scope_length(segments: Sequence[str]) -> int:
    """Return how many segments name the scope: all of them for a named resource, else what the last word is of."""
    keywords = keyword_positions(segments)
    end = len(segments)
    if end - 1 not in keywords:
        return end
    end -= 1  # the last word: an action, or the type of what is listed
    if end - 1 in keywords:  # a namespace
        end -= 1
    return end - 1 if segments[end - 1] == _PROVIDERS and end - 1 in keywords else end


def _verb(method: str) -> str:
    return _VERBS.get(method, "action")


def _segments(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
