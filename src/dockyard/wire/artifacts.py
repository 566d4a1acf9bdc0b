"""Extension manifests and packages as guests fetch them: only those their own goal names.

Shared by the wire server, where they are fetched, and the host plugin, through which the agent tries again.
"""

from __future__ import annotations

from starlette.responses import FileResponse, Response

from dockyard.model.errors import NotFound
from dockyard.model.guest import GuestGoal, Plugin
from dockyard.wire.addresses import manifest_url, package_url
from dockyard_contract.extension_manifest import ExtensionManifest, PublishedVersion, dump_extension_manifest


def artifact(goal: GuestGoal, *, url: str) -> Response:
    """Return what a URL of `addresses` names: a manifest or a package. Raises NotFound."""
    for plugin in goal.plugins:
        name = {"handler_name": plugin.handler_name, "version": plugin.version}
        if url == manifest_url(**name):
            return Response(manifest(plugin), media_type="text/xml; charset=utf-8")
        if url == package_url(**name):
            return _package(plugin)
    raise NotFound("The goal names no such artifact", details=url)


def manifest(plugin: Plugin) -> str:
    """The extension manifest: the one version the goal asks for, and where its package is."""
    url = package_url(handler_name=plugin.handler_name, version=plugin.version)
    return dump_extension_manifest(ExtensionManifest((PublishedVersion(version=plugin.version, urls=(url,)),)))


def _package(plugin: Plugin) -> Response:
    if plugin.archive is None or not plugin.archive.is_file():
        raise NotFound(
            f"The package of {plugin.handler_name} {plugin.version} is gone",
            details=str(plugin.archive or ""),
            resolution="Publish the extension package again.",
        )
    return FileResponse(plugin.archive, media_type="application/zip")
