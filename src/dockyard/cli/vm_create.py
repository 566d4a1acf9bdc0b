"""``dockyard vm create``, also under the verb it had in Azure's first command line: ``vm docker create``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockyard.cli import creation, inputs, options, output, summaries
from dockyard.cli.creation import Creation, Finished, Plan
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import ssh, virtual_machines
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.client.virtual_machines import MachineRequest
from dockyard.config import Paths
from dockyard.model.errors import InvalidRequest

if TYPE_CHECKING:
    from dockyard.client.ssh import PublicKey

IMAGE_WITH_DOCKER = "docker-debian-13"
IMAGE_PLAIN = "debian-13"
_HARDWARE = "Hardware"
_ACCESS = "Access"
_DOCKER = "Docker"

EXAMPLES = options.examples(
    "dockyard vm create web",
    "dockyard vm create web --cpus 4 --memory 4G --disk 40",
    "dockyard vm create web --docker-port 2376 --docker-cert-dir ~/.docker",
    "dockyard vm create plain --no-docker --ssh-key ~/.ssh/work.pub",
    "dockyard vm create ci --output json > ci.json",
    "dockyard vm create data --data-disk-gib 20 --custom-data @cloud-config.yaml",
)


Image = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="IMAGE",
        help=f"An alias or publisher:offer:sku:version. Default: {IMAGE_WITH_DOCKER}, or {IMAGE_PLAIN} "
        "with --no-docker.",
        rich_help_panel=_HARDWARE,
    ),
]
Size = Annotated[
    str | None, typer.Option("--size", metavar="SIZE", help="A size by Azure's name.", rich_help_panel=_HARDWARE)
]
Cpus = Annotated[
    int | None,
    typer.Option(
        "--cpus", min=1, max=64, help=f"Processors. Default: {inputs.DEFAULT_CPUS}.", rich_help_panel=_HARDWARE
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="MIB",
        help=f"Memory in MiB, or with M or G. Default: {inputs.DEFAULT_MEMORY_MIB}.",
        rich_help_panel=_HARDWARE,
    ),
]
Disk = Annotated[
    int, typer.Option("--disk", metavar="GIB", min=2, max=16384, help="Disk in GiB.", rich_help_panel=_HARDWARE)
]
SshKey = Annotated[
    str | None,
    typer.Option(
        "--ssh-key",
        metavar="FILE|KEY",
        help="A public key that may log in. Default: your own in ~/.ssh, else one made for Dockyard.",
        rich_help_panel=_ACCESS,
    ),
]
AdminUsername = Annotated[
    str, typer.Option("--admin-username", metavar="USER", help="Who may log in.", rich_help_panel=_ACCESS)
]
DataDisks = Annotated[
    list[int] | None,
    typer.Option(
        "--data-disk-gib",
        metavar="GIB",
        min=1,
        max=32767,
        help="An empty disk beside the first, /dev/disk/azure/scsi1/lun0 and so on; may be repeated.",
        rich_help_panel=_HARDWARE,
    ),
]
CustomData = Annotated[
    str | None,
    typer.Option(
        "--custom-data",
        metavar="TEXT|@FILE|-",
        help="What cloud-init does at the first boot: a cloud-config or a script.",
        rich_help_panel=_ACCESS,
    ),
]
PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help="Let the user log in with the password on standard input, beside the key.",
        rich_help_panel=_ACCESS,
    ),
]
SshPort = Annotated[
    int | None,
    typer.Option(
        "--ssh-port", min=1, max=65535, help="This host's port for SSH. Default: a free one.", rich_help_panel=_ACCESS
    ),
]
NoDocker = Annotated[
    bool, typer.Option("--no-docker", help="A machine without the Docker extension.", rich_help_panel=_DOCKER)
]
DockerPort = Annotated[
    int | None,
    typer.Option(
        "--docker-port",
        min=1,
        max=65535,
        help="This host's port for Docker. Default: a free one.",
        rich_help_panel=_DOCKER,
    ),
]
DockerCertDir = Annotated[
    Path | None,
    typer.Option(
        "--docker-cert-dir",
        metavar="FOLDER",
        help="Use the authority and client certificate in this folder; an empty one is filled.",
        rich_help_panel=_DOCKER,
    ),
]


def create(
    *,
    name: options.VirtualMachine,
    image: Image = None,
    size: Size = None,
    cpus: Cpus = None,
    memory: Memory = None,
    disk: Disk = 20,
    ssh_key: SshKey = None,
    admin_username: AdminUsername = "dockyard",
    ssh_port: SshPort = None,
    data_disk_gib: DataDisks = None,
    custom_data: CustomData = None,
    password_stdin: PasswordStdin = False,
    no_docker: NoDocker = False,
    docker_port: DockerPort = None,
    docker_cert_dir: DockerCertDir = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 1800,
    form: options.Output = Format.TABLE,
) -> None:
    """Create a virtual machine and, unless told otherwise, its Docker engine; wait until it is ready."""
    if no_docker and (docker_port is not None or docker_cert_dir is not None):
        raise InvalidRequest(
            "--no-docker cannot be combined with options for Docker", resolution="Leave one of them out."
        )
    if password_stdin and custom_data == "-":
        raise InvalidRequest(
            "--password-stdin and --custom-data - both want standard input", resolution="Give custom data as @FILE."
        )
    machine = MachineName.checked(resource_group=resource_group, name=name)
    reference = virtual_machines.image_reference(image or (IMAGE_PLAIN if no_docker else IMAGE_WITH_DOCKER))
    size_name = inputs.size(name=size, cpus=cpus, memory=memory)
    user = inputs.user_name(admin_username)
    key = ssh.public_key(Paths.default(), given=ssh_key, home=Path.home())
    request = MachineRequest(
        id=machine,
        image=reference,
        size=size_name,
        disk_gib=disk,
        admin_username=user,
        ssh_public_key=key.line,
        ssh_port=ssh_port,
        docker_port=docker_port,
        data_disks_gib=tuple(data_disk_gib or ()),
        custom_data=None if custom_data is None else inputs.content(custom_data, option="--custom-data").encode(),
        admin_password=inputs.password() if password_stdin else None,
    )
    plan = Plan(request=request, docker=not no_docker, certificate_folder=docker_cert_dir)
    run(plan, key=key, no_wait=no_wait, timeout=timeout, form=form)


def run(plan: Plan, *, key: PublicKey, no_wait: bool, timeout: float, form: Format) -> None:
    """Carry a plan out and print what came of it; Ctrl-C leaves the server at work and says so."""
    if key.is_new:
        output.note(f"You have no SSH key in ~/.ssh; made one for Dockyard: {key.source}")
    session = open_session()
    making = Creation(session, plan)
    try:
        if no_wait:
            submit_only(making)
        else:
            show_finished(making.run(deadline=timeout), form=form)
    except KeyboardInterrupt:
        raise typer.Exit(interrupted(plan.name, begun=making.begun)) from None


def submit_only(making: Creation) -> None:
    """Hand the machine to the server and return."""
    making.submit()
    name = making.plan.name.name
    output.note(f"The creation of {making.plan.name} goes on in the background: 'dockyard vm wait {name}' follows it.")


def interrupted(name: MachineName, *, begun: bool) -> int:
    """Say what Ctrl-C left behind, and return the exit code."""
    if begun:
        output.note(
            f"\nInterrupted. The creation of {name} continues in the background:\n"
            f"  dockyard vm wait {name.name}      follows it to the end\n"
            f"  dockyard vm delete {name.name}    removes the machine"
        )
    else:
        output.note("\nInterrupted. Nothing was created.")
    return ExitCode.INTERRUPTED


def show_finished(done: Finished, *, form: Format) -> None:
    """Print a machine that is ready: endpoint, certificates, seconds of each step, what to do next.

    On a terminal the steps stand above already, as they were shown live.
    """
    live = output.is_live()
    if form is Format.JSON:
        output.say_json(summaries.finished_document(done))
    else:
        output.say_fields(summaries.finished_fields(done))
        output.say()
        if not live:
            output.say_rows(("STEP", "SECONDS"), summaries.step_rows(done), form=form)
        output.say("\nNext:")
        for command in summaries.next_commands(done):
            output.say(f"  {command}")
    if done.docker is not None:
        creation.warn_unless_context_usable(done.docker.context)
