"""A second, small implementation of what the server answers, over real HTTPS on a port of its own.

As much of ARM as the client's and the command line's tests need, and a real mutual-TLS endpoint with the certificates
it was sent, so that what the client makes is proved by use. Time here is counted in questions, not in seconds: an
operation is done after it was asked about ``patience`` times.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dockyard.config import Paths
from dockyard.pki import certificates as pki
from tests.unit.client import tls_stub
from tests.unit.client.tls_stub import Answer, TlsServer, send, written

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SECRET = "the-client-secret"
_COMPUTE = r"/subscriptions/[^/]+(?:/resourcegroups/([^/]+))?/providers/microsoft\.compute"
_RESOURCE = re.compile(_COMPUTE + r"/(virtualmachines|images)(?:/([^/]+))?(?:/(\w+))?(?:/([^/]+))?", re.IGNORECASE)
Failure = tuple[str, str]


@dataclass
class Work:
    """A long-running operation: what is done at its end, and how often it must be asked about first."""

    questions_left: int
    failure: Failure | None = None


@dataclass
class Machine:
    """A machine's document, its extensions, and the socket its Docker endpoint will listen on."""

    document: dict[str, Any]
    listener: socket.socket
    work: Work
    extensions: dict[str, dict[str, Any]] = field(default_factory=dict)
    extension_work: Work = field(default_factory=lambda: Work(0))
    run_commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    power: str = "running"
    handler_runs_again: int = 0
    docker: TlsServer | None = None

    def end(self) -> None:
        if self.docker is not None:
            self.docker.end()
        self.listener.close()


class ArmStub:
    """The server.

    The ``*_failure`` attributes make operations of their kind end badly; while ``hold`` is set, no machine is taken on.
    """

    def __init__(self, folder: Path) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.machines: dict[str, Machine] = {}
        self.images: dict[str, dict[str, Any]] = {}
        self.operations: dict[str, Work] = {}
        self.machine_failure: Failure | None = None
        self.extension_failure: Failure | None = None
        self.package_failure: Failure | None = None
        self.run_views: list[dict[str, Any]] = [{"executionState": "Succeeded", "exitCode": 0}]
        self.patience = 2
        self.hold = False
        self._is_closed = False
        self.console = "booting\r\n\x1b[1mlogin:\x1b[0m\r\n"
        self.diagnostics: dict[str, Any] = {"checks": [], "acceleration": {"chosen": "tcg", "why": "KVM hangs"}}
        self.machine_diagnostics: dict[str, Any] = {}
        authority = pki.certificate_authority(common_name="stub", days=1)
        pair = pki.server_certificate(
            authority=authority, common_name="stub", dns_names=["localhost"], ip_addresses=["127.0.0.1"], days=1
        )
        self.ca = written(folder / "stub-ca.pem", authority.certificate_pem)
        cert = written(folder / "stub-cert.pem", pair.certificate_pem + pair.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert)
        listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}"
        self._server = TlsServer(listener, context, _handler(self))
        self._folder = folder

    def write_credentials(self, paths: Paths, **changes: str) -> None:
        paths.make()
        document = {
            "endpoint": self.endpoint,
            "tenant_id": "adfs",
            "client_id": "client",
            "client_secret": SECRET,
            "subscription_id": SUBSCRIPTION,
            "audience": "https://management.dockyard.local/",
            "ca": str(self.ca),
            **changes,
        }
        paths.credentials.write_text(json.dumps(document))

    def close(self) -> None:
        """End the operations first: a client that gave up waiting still asks for them, in a thread of the SDK's."""
        self._is_closed = True
        for work in self.operations.values():
            work.questions_left = 0
        for thread in threading.enumerate():
            if thread.name.startswith("LROPoller"):
                thread.join(20)
        for machine in self.machines.values():
            machine.end()
        self._server.end()

    def sent(self, method: str, suffix: str) -> Any:
        """The body of the last request with this method whose path ends like this."""
        found = [body for verb, path, body in self.requests if verb == method and path.endswith(suffix)]
        assert found, f"no {method} {suffix} among {[(verb, path) for verb, path, _ in self.requests]}"
        return found[-1]

    def add_machine(self, name: str, **tags: str) -> Machine:
        body = {
            "tags": tags,
            "properties": {"osProfile": {"adminUsername": "dockyard"}, "hardwareProfile": {"vmSize": "Standard_B1s"}},
        }
        machine = self._new_machine("dockyard", name, body)
        machine.work.questions_left = 0
        return machine

    # What the requests do; each returns status, body and whether an operation was begun.

    def answer(self, method: str, path: str, body: Any, headers: Any) -> Answer:
        token = {"token_endpoint": f"{self.endpoint}/adfs/oauth2/token"}
        open_to_all = {
            "/metadata/endpoints": {"name": "stub"},
            "/console": self.console.encode(),
            "/adfs/.well-known/openid-configuration": {**token, "authorization_endpoint": f"{self.endpoint}/adfs/a"},
        }
        if path in open_to_all:
            return Answer(200, open_to_all[path])
        if path == "/adfs/oauth2/token":
            good = body.get("client_secret") == [SECRET]
            return (
                Answer(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
                if good
                else _error(401, "invalid_client", "")
            )
        if headers.get("Authorization") != "Bearer t":
            return _error(401, "AuthenticationFailed", "no token")
        return self._authenticated(method, path, body, headers)

    def _authenticated(self, method: str, path: str, body: Any, headers: Any) -> Answer:
        if path.endswith("/Dockyard.Host/diagnostics"):
            return Answer(200, self.diagnostics)
        if "/operations/" in path:
            return self._operation(path.rpartition("/")[2])
        if "/vmextension/types" in path and "/versions/" in path:
            return self._package(method, path, body)
        if path.endswith(("/publishers", "/vmextension/types")):
            return Answer(200, [{"name": "Agent" if path.endswith("types") else "Contoso"}])
        if path.endswith("/versions"):
            return Answer(200, [{"name": "1.2.9"}, {"name": "1.10.1"}, {"name": "1.3.0"}])
        match = _RESOURCE.fullmatch(path)
        assert match is not None, f"{method} {path} is not in the stub"
        return self._resource(method, match, body, headers)

    def _package(self, method: str, path: str, body: Any) -> Answer:
        if method == "PUT" and self.package_failure is not None:
            return _error(409, *self.package_failure)
        tags = {"dockyard-size-bytes": str(len(body or b"")), "dockyard-published-at": "2030-01-02T03:04:05Z"}
        return Answer(200, {"id": path, "name": path.rpartition("/")[2], "tags": tags})

    def _resource(self, method: str, match: re.Match[str], body: Any, headers: Any) -> Answer:
        group, kind, name, action, child = match.groups()
        if kind.lower() == "images":
            return self._image(method, name, body)
        if name is None:
            found = [m for m in self.machines.values() if group is None or f"/{group}/" in m.document["id"]]
            return Answer(200, {"value": [self._shown(machine, view=False) for machine in found]})
        key = name.lower()
        if method == "PUT" and action is None:
            if key in self.machines and headers.get("If-None-Match") == "*":
                return _error(
                    412, "PreconditionFailed", f"A virtual machine '{name}' exists already.\nChoose another name."
                )
            return self._create(group, name, body)
        if key not in self.machines:
            missing = _error(404, "ResourceNotFound", f"There is no virtual machine '{name}'.")
            return Answer(204, None) if method == "DELETE" else missing
        return self._existing(method, key, action, child, body)

    def _existing(self, method: str, key: str, action: str | None, child: str | None, body: Any) -> Answer:
        machine = self.machines[key]
        match method, action:
            case "GET", None:
                return Answer(200, self._shown(machine, view=True))
            case "DELETE", None:
                self.machines.pop(key).end()
                return self._begun(202, None, Work(1))
            case _, "runCommands":
                return self._run_command(method, machine, child, body)
            case _, "extensions":
                return self._extension(method, machine, child, body)
            case "POST", "retrieveBootDiagnosticsData" | "retrieveDiagnosticsData":
                console = {"serialConsoleLogBlobUri": f"{self.endpoint}/console?sig=1"}
                return Answer(200, console if "Boot" in action else self.machine_diagnostics)
            case "PATCH", None:
                machine.document["properties"].update(body["properties"])
            case "POST", "powerOff":
                machine.power = "stopped"
            case "POST", "deallocate":
                machine.power = "deallocated"
            case "POST", _:
                machine.power = "running"
        changed = method == "PATCH"
        return self._begun(200 if changed else 202, self._shown(machine, view=False) if changed else None, Work(1))

    def _create(self, group: str, name: str, body: Any) -> Answer:
        while self.hold:
            time.sleep(0.02)
            if self._is_closed:
                return _error(409, "Conflict", "The server ends.")
        machine = self._new_machine(group, name, body)
        machine.work.failure = self.machine_failure
        return self._begun(201, self._shown(machine, view=False), machine.work)

    def _new_machine(self, group: str, name: str, body: Any) -> Machine:
        listener = socket.create_server(("127.0.0.1", int(body["tags"].get("dockyard-docker-port", 0))))
        machine_id = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        )
        ports = {"dockyard-docker-port": str(listener.getsockname()[1]), "dockyard-ssh-port": "2222"}
        document = {
            "id": machine_id,
            "name": name,
            "location": "local",
            "tags": {**ports, **body["tags"]},
            "properties": {**body["properties"], "vmId": str(uuid.uuid4()), "timeCreated": "2030-01-02T03:04:05Z"},
        }
        machine = Machine(document, listener, Work(self.patience))
        self.machines[name.lower()] = machine
        return machine

    def _extension(self, method: str, machine: Machine, child: str | None, body: Any) -> Answer:
        if method == "PUT" and child is not None:
            return self._put_extension(machine, child, body)
        if child is None:
            return Answer(
                200, {"value": [self._shown_extension(machine, item) for item in machine.extensions.values()]}
            )
        if child not in machine.extensions:
            return _error(404, "ResourceNotFound", f"There is no extension '{child}'.")
        if method == "DELETE":
            del machine.extensions[child]
            return self._begun(202, None, Work(1))
        return Answer(200, self._shown_extension(machine, machine.extensions[child]))

    def _put_extension(self, machine: Machine, name: str, body: Any) -> Answer:
        properties = dict(body["properties"])
        protected = properties.pop("protectedSettings", {})
        machine.extensions[name] = {
            "id": f"{machine.document['id']}/extensions/{name}",
            "name": name,
            "properties": properties,
        }
        if "certs" in protected:
            if machine.docker is not None:
                machine.docker.end()
            machine.docker = tls_stub.docker_server(machine.listener, protected["certs"], self._folder)
        machine.extension_work = Work(self.patience, self.extension_failure)
        return self._begun(201, self._shown_extension(machine, machine.extensions[name]), machine.extension_work)

    def _run_command(self, method: str, machine: Machine, child: str | None, body: Any) -> Answer:
        """Each look at a run command shows the next of the views a test has laid ready, and the last for ever."""
        if child is None:
            return Answer(200, {"value": list(machine.run_commands.values())})
        if method == "PUT":
            machine.run_commands[child] = {"name": child, "properties": dict(body["properties"])}
            return self._begun(201, machine.run_commands[child], Work(self.patience, self.extension_failure))
        if child not in machine.run_commands:
            return _error(404, "ResourceNotFound", f"There is no run command '{child}'.")
        if method == "DELETE":
            del machine.run_commands[child]
            return self._begun(202, None, Work(1))
        view = self.run_views.pop(0) if len(self.run_views) > 1 else self.run_views[0]
        shown = machine.run_commands[child]
        return Answer(200, {**shown, "properties": {**shown["properties"], "instanceView": view}})

    def _image(self, method: str, name: str | None, body: Any) -> Answer:
        if method == "PUT":
            assert name is not None
            self.images[name] = {
                "name": name,
                "tags": {**body["tags"], "dockyard-size-bytes": "1048576"},
                "properties": {},
            }
            return self._begun(201, self.images[name], Work(1))
        if name is None:
            return Answer(200, {"value": list(self.images.values())})
        if name not in self.images:
            return _error(404, "ResourceNotFound", f"There is no image '{name}'.")
        if method == "DELETE":
            return _error(409, "ImageInUse", "Machines stand on this image.")
        return Answer(200, self.images[name])

    def _begun(self, status: int, body: Any, work: Work) -> Answer:
        operation = str(uuid.uuid4())
        self.operations[operation] = work
        provider = f"{self.endpoint}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute"
        url = f"{provider}/locations/local/operations/{operation}"
        headers = {"Azure-AsyncOperation": f"{url}?api-version=1", "retry-after-ms": "20"}
        if status == 202:
            headers["Location"] = f"{url}?api-version=1&monitor=true"
        return Answer(status, body, headers)

    def _operation(self, name: str) -> Answer:
        work = self.operations[name]
        if work.questions_left > 0:
            work.questions_left -= 1
            return Answer(200, {"status": "InProgress"}, {"retry-after-ms": "20"})
        if work.failure is None:
            return Answer(200, {"status": "Succeeded"})
        self._take_back(work)
        code, message = work.failure
        return Answer(200, {"status": "Failed", "error": {"code": code, "message": message}})

    def _take_back(self, work: Work) -> None:
        for key, machine in list(self.machines.items()):
            if machine.work is work and "before it ran" in (work.failure or ("", ""))[1]:
                self.machines.pop(key).end()

    def _shown(self, machine: Machine, *, view: bool) -> dict[str, Any]:
        state = _state(machine.work)
        properties = {**machine.document["properties"], "provisioningState": state}
        if view:
            properties["instanceView"] = self._view(machine, state)
        return {**machine.document, "properties": properties}

    def _view(self, machine: Machine, state: str) -> dict[str, Any]:
        done = state == "Succeeded"
        steps = ["image", "disk", "boot", "agent"] if done else ["image", "disk"]
        statuses = [{"code": f"ProvisioningState/{state.lower()}"}, {"code": f"PowerState/{machine.power}"}]
        statuses += [{"code": f"Step/{step}/done", "displayStatus": step.title()} for step in steps[:-1]]
        last = "done" if done else "failed" if state == "Failed" else "running"
        statuses.append({"code": f"Step/{steps[-1]}/{last}", "displayStatus": steps[-1].title(), "message": "m"})
        agent = {"vmAgent": {"statuses": [{"displayStatus": "Ready"}]}} if done else {}
        shown = [self._shown_extension(machine, item) for item in machine.extensions.values() if done]
        reports = [item["properties"]["instanceView"] for item in shown]
        return {"statuses": statuses, "extensions": reports, **agent}

    def _shown_extension(self, machine: Machine, document: dict[str, Any]) -> dict[str, Any]:
        state = _state(machine.extension_work)
        word = {"Succeeded": "succeeded", "Failed": "failed"}.get(state, "transitioning")
        if machine.handler_runs_again:
            machine.handler_runs_again -= 1
            word = "transitioning"
        view = {
            "name": document["name"],
            "type": f"{document['properties']['publisher']}.{document['properties']['type']}",
            "typeHandlerVersion": "1.3.0",
            "statuses": [{"code": f"ProvisioningState/{word}", "message": "Enable succeeded."}],
            "substatuses": [{"code": f"ComponentStatus/engine/{word}", "message": "docker 28"}],
        }
        return {**document, "properties": {**document["properties"], "provisioningState": state, "instanceView": view}}


def _handler(stub: ArmStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = _decoded(raw, self.headers.get("Content-Type") or "")
            stub.requests.append((self.command, parts.path, body))
            answer = stub.answer(self.command, parts.path, body, self.headers)
            send(self, answer)

        do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = _do  # noqa: N815 - http.server's names

        def log_message(self, *arguments: Any) -> None:
            """Be quiet."""

    return Handler


def _decoded(raw: bytes, media: str) -> Any:
    if "zip" in media:
        return raw
    if "urlencoded" in media:
        return parse_qs(raw.decode())
    return json.loads(raw) if raw else None


def _state(work: Work) -> str:
    if work.questions_left > 0:
        return "Creating"
    return "Failed" if work.failure else "Succeeded"


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})
