"""Functions that look at the scope, or choose which of their arguments to evaluate. Called by ``evaluate`` alone."""

from __future__ import annotations

from collections.abc import Callable

from dockyard.templates.errors import ExpressionError
from dockyard.templates.functions.formatting import date_text
from dockyard.templates.resource_ids import extension_resource_id, resource_id, subscription_resource_id, tenant_id
from dockyard.templates.scope import Evaluate, Scope
from dockyard.templates.syntax import Call
from dockyard.templates.values import Json, kind_of

Form = Callable[[Call, Scope, Evaluate], Json]
_UTC_NOW = "yyyyMMddTHHmmssZ"
_NO_KEYS = "no resource here has keys or secrets to list"
_REFUSED = {
    **dict.fromkeys(("listkeys", "listaccountsas", "listservicesas", "listsecrets", "listcallbackurl"), _NO_KEYS),
    "pickzones": "there are no availability zones here",
    "getsecret": "there is no key vault here",
    "managementgroup": "there are no management groups here",
    "providers": "ARM has retired it; write the api version down",
}


def parameters(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return a parameter's value."""
    name = _text(call, 0, scope, evaluate)
    if name.lower() not in scope.parameters:
        raise ExpressionError(f"There is no parameter '{name}'")
    return scope.parameters[name.lower()]


def variables(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return a variable's value."""
    name = _text(call, 0, scope, evaluate)
    if scope.variables is None:
        raise ExpressionError("Variables cannot be used here")
    return scope.variables.get(name, scope=scope)


def if_(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the second or the third argument; the other one is not evaluated."""
    _check(call, 3, 3)
    return evaluate(call.arguments[1 if _truth(call, 0, scope, evaluate) else 2], scope)


def and_(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Whether all are true."""
    _check(call, 2, None)
    return all(_truth(call, place, scope, evaluate) for place in range(len(call.arguments)))


def or_(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Whether any is true."""
    _check(call, 2, None)
    return any(_truth(call, place, scope, evaluate) for place in range(len(call.arguments)))


def coalesce(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the first argument that is not null."""
    _check(call, 1, None)
    for argument in call.arguments:
        value = evaluate(argument, scope)
        if value is not None:
            return value
    return None


def copy_index(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the turn of a loop: ``copyIndex()``, ``(offset)``, ``(name)``, ``(name, offset)``."""
    _check(call, 0, 2)
    values = [evaluate(argument, scope) for argument in call.arguments]
    name = values.pop(0) if values and isinstance(values[0], str) else ""
    offset = values.pop(0) if values else 0
    if values or not isinstance(offset, int) or isinstance(offset, bool):
        raise ExpressionError("The function 'copyIndex' takes a loop's name and an offset")
    return scope.turn(name) + offset


def resource_group(call: Call, scope: Scope, _evaluate: Evaluate) -> Json:
    """Return the group the deployment goes to."""
    _check(call, 0, 0)
    group = scope.target.group
    return {
        "id": f"/subscriptions/{group.subscription_id}/resourceGroups/{group.name}",
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": dict(group.tags),
        "properties": {"provisioningState": "Succeeded"},
    }


def subscription(call: Call, scope: Scope, _evaluate: Evaluate) -> Json:
    """Return the subscription the deployment goes to."""
    _check(call, 0, 0)
    id = scope.target.group.subscription_id
    return {
        "id": f"/subscriptions/{id}",
        "subscriptionId": id,
        "tenantId": scope.target.tenant_id,
        "displayName": "Dockyard",
    }


def tenant(call: Call, scope: Scope, _evaluate: Evaluate) -> Json:
    """Return the tenant."""
    _check(call, 0, 0)
    return {"tenantId": scope.target.tenant_id, "displayName": "Dockyard"}


def deployment(call: Call, scope: Scope, _evaluate: Evaluate) -> Json:
    """Return the deployment that is under way; its template's text is not in it."""
    _check(call, 0, 0)
    return {
        "name": scope.target.deployment,
        "properties": {"mode": "Incremental", "provisioningState": "Accepted", "template": {}, "parameters": {}},
    }


def environment(call: Call, scope: Scope, _evaluate: Evaluate) -> Json:
    """Return the addresses of the cloud: this server."""
    _check(call, 0, 0)
    endpoint = scope.target.endpoint
    return {
        "name": "Dockyard",
        "resourceManager": f"{endpoint}/",
        "authentication": {"loginEndpoint": f"{endpoint}/adfs", "audiences": [f"{endpoint}/"], "tenant": "adfs"},
        "suffixes": {"storage": "core.windows.net"},
    }


def reference(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the state of a resource: ``reference(name or id, [api version], ['Full'])``."""
    _check(call, 1, 3)
    if scope.runtime is None:
        raise ExpressionError("The function 'reference' can be used in the properties of resources and in outputs only")
    texts = [_text(call, place, scope, evaluate) for place in range(len(call.arguments))]
    full = len(texts) == 3
    if full and texts[2].lower() not in ("full", "properties"):
        raise ExpressionError("The third argument of 'reference' is 'Full' or left out")
    return scope.runtime.reference(
        wanted=texts[0],
        api_version=texts[1] if len(texts) > 1 else "",
        full=full and texts[2].lower() == "full",
    )


def utc_now(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the present, in the default of a parameter alone."""
    _check(call, 0, 1)
    if scope.moment is None:
        raise ExpressionError("The function 'utcNow' can be used in the default of a parameter only")
    pattern = _text(call, 0, scope, evaluate) if call.arguments else _UTC_NOW
    return date_text(scope.moment.now, pattern)


def new_guid(call: Call, scope: Scope, _evaluate: Evaluate) -> Json:
    """Return a new UUID, in the default of a parameter alone."""
    _check(call, 0, 0)
    if scope.moment is None:
        raise ExpressionError("The function 'newGuid' can be used in the default of a parameter only")
    return scope.moment.guid


def refused(call: Call, _scope: Scope, _evaluate: Evaluate) -> Json:
    """Refuse a function that stands for something this cloud has not."""
    check_offered(call)


def check_offered(call: Call) -> None:
    """Raise ExpressionError for a function that stands for something this cloud has not."""
    if call.key in _REFUSED:
        raise ExpressionError(f"The function '{call.name}' is not offered: {_REFUSED[call.key]}")


def _ids(make: Callable[[Scope, list[str]], str]) -> Form:
    def form(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
        return make(scope, [_text(call, place, scope, evaluate) for place in range(len(call.arguments))])

    return form


def _check(call: Call, least: int, most: int | None) -> None:
    given = len(call.arguments)
    if given < least or (most is not None and given > most):
        bounds = f"{least} or more" if most is None else (str(least) if least == most else f"{least} to {most}")
        raise ExpressionError(f"The function '{call.name}' takes {bounds} arguments, but has {given}")


def _text(call: Call, place: int, scope: Scope, evaluate: Evaluate) -> str:
    _check(call, place + 1, None)
    value = evaluate(call.arguments[place], scope)
    if not isinstance(value, str):
        raise ExpressionError(f"Argument {place + 1} of '{call.name}' must be a string, but is {kind_of(value)}")
    return value


def _truth(call: Call, place: int, scope: Scope, evaluate: Evaluate) -> bool:
    value = evaluate(call.arguments[place], scope)
    if not isinstance(value, bool):
        raise ExpressionError(f"Argument {place + 1} of '{call.name}' must be a boolean, but is {kind_of(value)}")
    return value


FORMS: dict[str, Form] = {
    "parameters": parameters,
    "variables": variables,
    "if": if_,
    "and": and_,
    "or": or_,
    "coalesce": coalesce,
    "copyindex": copy_index,
    "resourcegroup": resource_group,
    "subscription": subscription,
    "tenant": tenant,
    "deployment": deployment,
    "environment": environment,
    "reference": reference,
    "utcnow": utc_now,
    "newguid": new_guid,
    "resourceid": _ids(lambda scope, texts: resource_id(scope.target.group, texts)),
    "subscriptionresourceid": _ids(lambda scope, texts: subscription_resource_id(scope.target.group, texts)),
    "tenantresourceid": _ids(lambda _scope, texts: tenant_id(texts)),
    "extensionresourceid": _ids(lambda _scope, texts: extension_resource_id(texts)),
    **dict.fromkeys(_REFUSED, refused),
}
