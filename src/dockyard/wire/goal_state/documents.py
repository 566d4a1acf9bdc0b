"""From a machine's goal to the wire server's documents. Pure; called by ``routes``, once for each incarnation."""

from __future__ import annotations

from dockyard.model.guest import Configuration, GuestGoal, Plugin
from dockyard.wire.addresses import manifest_url, part_url, status_url
from dockyard_contract import extensions_config as contract
from dockyard_contract.extensions_config import ExtensionsConfig, dump_extensions_config
from dockyard_contract.goal_state import GoalState, dump_goal_state
from dockyard_contract.hosting_environment import (
    HostingEnvironment,
    SharedConfig,
    dump_hosting_environment,
    dump_shared_config,
)
from dockyard_contract.settings import HandlerSettings, public_settings
from dockyard_contract.versions import AGENT_VERSION, Versions, dump_versions

HOSTING_ENVIRONMENT = "hostingEnvironmentConfig"
SHARED_CONFIG = "sharedConfig"
EXTENSIONS_CONFIG = "extensionsConfig"


def every(goal: GuestGoal) -> dict[str, str]:
    """Return all documents of a goal by name; for people, the agent asks for each by its URL."""
    return {
        "goalState": goal_state(goal),
        HOSTING_ENVIRONMENT: hosting_environment(goal),
        SHARED_CONFIG: shared_config(goal),
        EXTENSIONS_CONFIG: extensions_config(goal),
    }


def versions(_goal: GuestGoal) -> str:
    """The protocol versions served; the same for every goal."""
    return dump_versions(Versions(preferred=AGENT_VERSION, supported=(AGENT_VERSION,)))


def goal_state(goal: GuestGoal) -> str:
    """The goal's number and the URLs of its parts."""
    return dump_goal_state(
        GoalState(
            incarnation=goal.incarnation,
            container_id=goal.vm_id,
            instance_id=instance(goal),
            hosting_environment=_config_url(goal, kind=HOSTING_ENVIRONMENT),
            shared_config=_config_url(goal, kind=SHARED_CONFIG),
            extensions_config=_config_url(goal, kind=EXTENSIONS_CONFIG),
            certificates=_part_url(goal, query="comp=certificates"),
            config_name=f"{goal.vm_id}.{goal.incarnation}.xml",
        )
    )


def hosting_environment(goal: GuestGoal) -> str:
    """The names the agent puts into its telemetry."""
    return dump_hosting_environment(
        HostingEnvironment(
            deployment=goal.vm_id, role=_role(goal), instance=instance(goal), incarnation=goal.incarnation
        )
    )


def shared_config(goal: GuestGoal) -> str:
    """The same names, with the machine's address."""
    return dump_shared_config(
        SharedConfig(
            deployment=goal.vm_id,
            role=_role(goal),
            instance=instance(goal),
            incarnation=goal.incarnation,
            address=goal.machine.network.private_ip,
        )
    )


def extensions_config(goal: GuestGoal) -> str:
    """The handlers the machine shall have, with their settings, and where its reports go."""
    return dump_extensions_config(
        ExtensionsConfig(
            incarnation=goal.incarnation,
            status_blob=contract.StatusBlob(url=status_url(vm_id=goal.vm_id)),
            plugins=tuple(_plugin(plugin) for plugin in goal.plugins),
            meta_data=contract.GoalStateMetaData(
                in_svd_seq_no=goal.incarnation, created_on_ticks=goal.machine.goal_ticks
            ),
        )
    )


def instance(goal: GuestGoal) -> str:
    """The role instance's id; Azure puts an underscore before the machine's name."""
    return f"_{goal.machine.id.name}"


def _config_url(goal: GuestGoal, *, kind: str) -> str:
    return _part_url(goal, query=f"comp=config&type={kind}")


def _part_url(goal: GuestGoal, *, query: str) -> str:
    return part_url(vm_id=goal.vm_id, instance=instance(goal), query=f"{query}&incarnation={goal.incarnation}")


def _role(goal: GuestGoal) -> str:
    return goal.machine.id.name


def _plugin(plugin: Plugin) -> contract.Plugin:
    return contract.Plugin(
        name=plugin.handler_name,
        version=plugin.version,
        location=manifest_url(handler_name=plugin.handler_name, version=plugin.version),
        state=contract.HandlerState(plugin.state.value),
        settings=None if plugin.configurations or _is_bare(plugin) else _settings(plugin),
        configurations=tuple(_named(one) for one in plugin.configurations),
    )


def _is_bare(plugin: Plugin) -> bool:
    return plugin.settings is None and plugin.protected is None


def _named(one: Configuration) -> contract.NamedSettings:
    state = contract.ConfigurationState.ENABLED if one.is_wanted else contract.ConfigurationState.DISABLED
    return contract.NamedSettings(name=one.name, settings=_settings(one), state=state)


def _settings(holder: Plugin | Configuration) -> contract.PluginSettings:
    protected = holder.protected
    settings = HandlerSettings(
        public=public_settings(dict(holder.settings or {}), document=contract.DOCUMENT),
        protected=protected.ciphertext if protected else None,
        thumbprint=protected.thumbprint if protected else None,
    )
    return contract.PluginSettings(
        sequence_number=holder.sequence_number, settings=settings, dependency_level=holder.dependency_level
    )
