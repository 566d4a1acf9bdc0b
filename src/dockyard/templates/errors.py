"""What can go wrong in a template.

    TemplateError        the template is wrong; says path, line and expression (ARM's code InvalidTemplate)
    ExpressionError      an expression cannot be evaluated; has no place yet, ``walk`` gives it one
    └── StateUnknown     ... because a resource it asks for does not exist
    ResourceNeeded       not a failure: an expression asks for the state of a resource nobody has fetched yet

``ExpressionError`` and ``ResourceNeeded`` never leave this room but for the planner's own caller. Texts quote
expressions as the template has them and the names in them, never the value of a parameter: it may be a secret.
"""

from __future__ import annotations

from dockyard.model.errors import InvalidRequest
from dockyard.model.resource_id import ResourceId


class TemplateError(InvalidRequest):
    """The template, or what was given for its parameters, is wrong and will stay wrong."""

    default_code = "InvalidTemplate"


class ExpressionError(Exception):
    """One expression cannot be evaluated; the message is a sentence without its full stop."""


class StateUnknown(ExpressionError):
    """An expression asks for the state of a resource that does not exist."""


class ResourceNeeded(Exception):
    """An expression refers to a resource whose state must be fetched first; evaluate again when it is known."""

    def __init__(self, *, id: ResourceId, api_version: str) -> None:
        super().__init__(str(id))
        self.id = id
        self.api_version = api_version
