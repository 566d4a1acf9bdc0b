"""Which resource of a template a text means: an id, a name, a type with a name, a loop, a symbol. Pure.

``dependsOn`` and ``reference`` both name resources in all these ways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from dockyard.templates.expansion import Unrolled
from dockyard.templates.resource_ids import parse_id


class Directory:
    """All resources of a template, those whose condition is false among them."""

    def __init__(self, resources: Sequence[Unrolled], *, loops: Iterable[str] = ()) -> None:
        self._entries: defaultdict[str, list[Unrolled]] = defaultdict(list)
        self._names: defaultdict[str, list[Unrolled]] = defaultdict(list)
        self._loops: defaultdict[str, list[Unrolled]] = defaultdict(list)
        for name in loops:
            self._loops[name.lower()] = []  # known even when it has no turn
        for resource in resources:
            self._enter(resource)

    def _enter(self, resource: Unrolled) -> None:
        provider, *kinds = resource.id.type.split("/")
        pairs = [part for pair in zip(kinds, resource.id.names, strict=True) for part in pair]
        symbol = resource.declared.symbol
        texts = {
            resource.key,
            "/".join((provider, *pairs)),
            "/".join((resource.id.type, *resource.id.names)),
        }
        for text in texts:
            self._entries[text.lower()].append(resource)
        for text in {"/".join(resource.id.names), resource.id.name}:
            self._names[text.lower()].append(resource)
        if resource.loop:
            self._loops[resource.loop.lower()].append(resource)
        if symbol:
            self._loops[symbol.lower()].append(resource)
            self._entries[f"{symbol}[{resource.turn}]".lower()].append(resource)

    def all(self, text: str) -> list[Unrolled]:
        """Return what a text means: none, one, or all of a loop. A bare name may mean several by mistake."""
        wanted = text.strip("/").lower()
        id = parse_id(text)
        if id is not None:
            return self._entries.get(id.key, [])
        return self._loops.get(wanted) or self._entries.get(wanted) or self._names.get(wanted, [])

    def one(self, text: str) -> Unrolled | None:
        """Return the one resource a text means, None when it is none or several."""
        found = self.all(text)
        keys = {resource.key for resource in found}
        return found[0] if len(keys) == 1 else None

    def is_loop(self, text: str) -> bool:
        """Whether a text names a copy loop or a symbol."""
        return text.strip("/").lower() in self._loops
