"""A machine's whole life through az alone, as somebody leads it who has only ever known Azure.

One story: the tests run in their order, on one machine.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from dockyard.pki import certificates
from tests.az.conftest import GROUP, Az, fetched, forwarded
from tests.e2e.conftest import Done, Home
from tests.e2e.docker_extension import encoded

pytestmark = [pytest.mark.timeout(900)]
MACHINE = ("--resource-group", GROUP, "--name", "web")
OF_MACHINE = ("--resource-group", GROUP, "--vm-name", "web")
EXTENSION = ("--publisher", "Microsoft.Azure.Extensions", "--version", "1.2")


def power(az: Az) -> str:
    """What az calls the machine's power state."""
    return str(az("vm", "show", *MACHINE, "--show-details", "--query", "powerState"))


def ssh(az: Az, key: Path, command: str) -> Done:
    tags = az("vm", "show", *MACHINE, "--query", "tags")
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
    port = tags["dockyard-ssh-port"]
    done = subprocess.run(
        ["ssh", "-q", *options, "-i", str(key), "-p", port, "azureuser@127.0.0.1", command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_create_takes_no_longer_than_dockyards_own(az: Az, home: Home, key: Path) -> None:
    begin = time.monotonic()
    home.run("vm", "create", "own", "--no-docker", "--image", "docker-debian-13", "--size", "Standard_B2s")
    own = time.monotonic() - begin
    home.run("vm", "delete", "own", "--yes")
    image = ("--image", "docker-debian-13", "--size", "Standard_B2s")
    user = ("--admin-username", "azureuser", "--ssh-key-values", f"{key}.pub")
    seconds, made = az.timed("vm", "create", *MACHINE, *image, *user, "--tags", "made-by=az")
    print(f"vm create to prompt: az {seconds:.1f} s, dockyard {own:.1f} s")
    assert (made["powerState"], made["publicIpAddress"], made["location"]) == ("VM running", "127.0.0.1", "local")
    assert made["privateIpAddress"].startswith("10.")
    assert made["resourceGroup"] == GROUP
    assert made["macAddress"]
    assert ssh(az, key, "id -un").output == "azureuser\n"


def test_it_is_shown_as_azure_shows_it(az: Az) -> None:
    shown = az("vm", "show", *MACHINE)
    assert shown["provisioningState"] == "Succeeded"
    assert shown["hardwareProfile"]["vmSize"] == "Standard_B2s"
    assert shown["tags"]["made-by"] == "az"
    (interface,) = shown["networkProfile"]["networkInterfaces"]
    assert interface["id"].endswith("/networkInterfaces/webVMNic")
    (listed,) = az("vm", "list", "--resource-group", GROUP, "--show-details")
    assert (listed["name"], listed["powerState"], listed["publicIps"]) == ("web", "VM running", "127.0.0.1")
    addresses = az("vm", "list-ip-addresses", *MACHINE)[0]["virtualMachine"]["network"]
    assert addresses["publicIpAddresses"][0]["ipAddress"] == "127.0.0.1"
    view = az("vm", "get-instance-view", *MACHINE)["instanceView"]
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    kinds = {found["type"] for found in az("resource", "list", "--resource-group", GROUP)}
    assert {"Microsoft.Compute/virtualMachines", "Microsoft.Network/networkInterfaces"} <= kinds
    az("vm", "wait", *MACHINE, "--created", "--timeout", "30")
    assert "web" in az.run("vm", "list", "--resource-group", GROUP, "--output", "table").output


def test_catalogues(az: Az) -> None:
    assert "Standard_B2s" in [size["name"] for size in az("vm", "list-sizes", "--location", "local")]
    assert "docker-debian-13" in [image["urnAlias"] for image in az("vm", "image", "list")]
    assert "Standard_B2s" in [sku["name"] for sku in az("vm", "list-skus", "--location", "local")]
    names = [found["name"] for found in az("vm", "extension", "image", "list", "--location", "local")]
    assert {"DockerExtension", "CustomScript", "RunCommandLinux"} & set(names), names


def test_the_docker_extension_secures_the_engine(az: Az, tmp_path: Path) -> None:
    authority = certificates.certificate_authority(common_name="test", days=2)
    server = certificates.server_certificate(
        authority=authority, common_name="*", dns_names=["web"], ip_addresses=["127.0.0.1"], days=2
    )
    client = certificates.client_certificate(authority=authority, common_name="me", days=2)
    protected = tmp_path / "protected.json"
    certs = encoded(authority.certificate_pem, server.certificate_pem, server.key_pem)
    protected.write_text(json.dumps({"certs": certs}))
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "cert.pem").write_bytes(client.certificate_pem)
    (tmp_path / "key.pem").write_bytes(client.key_pem)
    settings = ("--settings", json.dumps({"docker": {"port": "2376"}}), "--protected-settings", str(protected))
    made = az("vm", "extension", "set", *OF_MACHINE, "--name", "DockerExtension", *EXTENSION, *settings)
    assert made["provisioningState"] == "Succeeded"
    assert not made.get("protectedSettings")
    port = az("vm", "show", *MACHINE, "--query", "tags")["dockyard-docker-port"]
    answer = docker(tmp_path, port, "version", "--format", "{{.Server.Os}}")
    assert answer == "linux\n"


def docker(folder: Path, port: str, *words: str) -> str:
    files = [
        f"--tls{name}={folder / file}"
        for name, file in {"cacert": "ca.pem", "cert": "cert.pem", "key": "key.pem"}.items()
    ]
    argv = ["docker", "--host", f"tcp://127.0.0.1:{port}", "--tlsverify", *files, *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_extensions_are_listed_shown_and_deleted(az: Az) -> None:
    (listed,) = az("vm", "extension", "list", *OF_MACHINE)
    assert (listed["name"], listed["publisher"]) == ("DockerExtension", "Microsoft.Azure.Extensions")
    shown = az("vm", "extension", "show", *OF_MACHINE, "--name", "DockerExtension", "--instance-view")
    assert shown["instanceView"]["statuses"][0]["code"] == "ProvisioningState/succeeded"
    az("vm", "extension", "delete", *OF_MACHINE, "--name", "DockerExtension")
    assert az("vm", "extension", "list", *OF_MACHINE) == []


def test_a_command_is_run(az: Az) -> None:
    script = ("--command-id", "RunShellScript", "--scripts", "echo hello from $(hostname)", "echo $1 >&2")
    ran = az("vm", "run-command", "invoke", *MACHINE, *script, "--parameters", "aloud")
    (value,) = ran["value"]
    assert value["code"] == "ProvisioningState/succeeded"
    assert "[stdout]\nhello from web" in value["message"]


def test_a_key_is_replaced(az: Az, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    assert ssh(az, other, "true").code == 255
    public = Path(f"{other}.pub").read_text().strip()
    az("vm", "user", "update", *MACHINE, "--username", "azureuser", "--ssh-key-value", public)
    assert ssh(az, other, "id -un").output == "azureuser\n"


def test_a_port_is_opened(az: Az, key: Path) -> None:
    page = "mkdir -p page && echo served > page/index.html"
    server = "setsid --fork python3 -m http.server 8099 -d page </dev/null >/dev/null 2>&1"
    assert ssh(az, key, f"{page} && {server}").code == 0
    az("vm", "open-port", *MACHINE, "--port", "8099")
    port = forwarded(az, "web", guest=8099)
    assert fetched(f"http://127.0.0.1:{port}/") == "served\n"


def test_the_boot_log(az: Az) -> None:
    log = az.run("vm", "boot-diagnostics", "get-boot-log", *MACHINE).output
    assert "Azure Linux Agent" in log


def test_power(az: Az) -> None:
    az("vm", "stop", *MACHINE)
    assert power(az) == "VM stopped"
    az("vm", "start", *MACHINE)
    assert power(az) == "VM running"
    az("vm", "restart", *MACHINE)
    assert power(az) == "VM running"
    az("vm", "deallocate", *MACHINE)
    assert power(az) == "VM deallocated"


def test_it_is_resized(az: Az, key: Path) -> None:
    az("vm", "resize", *MACHINE, "--size", "Standard_B1ms")
    az("vm", "start", *MACHINE)
    assert ssh(az, key, "nproc").output == "1\n"
    assert az("vm", "show", *MACHINE, "--query", "hardwareProfile.vmSize") == "Standard_B1ms"


def test_a_disk_comes_and_goes_while_it_runs(az: Az, key: Path) -> None:
    booted = ssh(az, key, "cat /proc/sys/kernel/random/boot_id").output
    az("vm", "disk", "attach", *OF_MACHINE, "--name", "late", "--new", "--size-gb", "1")
    lun = az("vm", "show", *MACHINE, "--query", "storageProfile.dataDisks[?name=='late'].lun | [0]")
    path = f"/dev/disk/azure/scsi1/lun{lun}"
    assert ssh(az, key, f"udevadm wait --timeout=60 {path} && lsblk -dno SIZE {path}").output.split() == ["1G"]
    az("vm", "disk", "detach", *OF_MACHINE, "--name", "late")
    disk = ("--resource-group", GROUP, "--name", "late")
    assert az("disk", "show", *disk, "--query", "diskState") == "Unattached"
    az("disk", "delete", *disk, "--yes")
    assert ssh(az, key, "cat /proc/sys/kernel/random/boot_id").output == booted


def test_it_is_updated_as_a_whole(az: Az) -> None:
    updated = az("vm", "update", *MACHINE, "--set", "tags.owner=me")
    assert (updated["tags"]["owner"], updated["tags"]["made-by"]) == ("me", "az")


def test_errors_are_azures_and_never_a_traceback(az: Az, key: Path) -> None:
    assert "ResourceNotFound" in az.run("vm", "show", "-g", GROUP, "--name", "nobody", expect=3).error
    size = ("--size", "Standard_Nonsense", "--ssh-key-values", f"{key}.pub", "--admin-username", "azureuser")
    refused = az.run("vm", "create", "-g", GROUP, "--name", "x", "--image", "docker-debian-13", *size, expect=1)
    assert "Standard_Nonsense" in refused.error
    words = ("--name", "DockerExtension", "--publisher", "Nobody", "--version", "1.0")
    assert "VMExtensionImageNotFound" in az.run("vm", "extension", "set", *OF_MACHINE, *words, expect=3).error


def test_it_is_deleted(az: Az) -> None:
    az("vm", "delete", *MACHINE, "--yes")
    assert az("vm", "list", "--resource-group", GROUP) == []
