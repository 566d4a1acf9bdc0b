"""``ovf-env.xml``: what a machine is provisioned with, on the disc of its first boot. One side of a contract.

cloud-init's Azure source (25.1) and WALinuxAgent (2.12) read it. A password is no part of it here: its hash travels in
the custom data. Keys and names come from instance metadata as well, which wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional
from xml.sax.saxutils import escape

FILE_NAME = "ovf-env.xml"

_TEXT = """<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
<wa:ProvisioningSection>
<wa:Version>1.0</wa:Version>
<wa:LinuxProvisioningConfigurationSet>
<wa:ConfigurationSetType>LinuxProvisioningConfiguration</wa:ConfigurationSetType>
<wa:HostName>{host_name}</wa:HostName>
<wa:UserName>{user_name}</wa:UserName>
<wa:DisableSshPasswordAuthentication>{keys_only}</wa:DisableSshPasswordAuthentication>
{custom_data}</wa:LinuxProvisioningConfigurationSet>
</wa:ProvisioningSection>
<wa:PlatformSettingsSection>
<wa:Version>1.0</wa:Version>
<wa:PlatformSettings>
<wa:ProvisionGuestAgent>true</wa:ProvisionGuestAgent>
</wa:PlatformSettings>
</wa:PlatformSettingsSection>
</Environment>
"""


@dataclass(frozen=True)
class OvfEnvironment:
    """What the document tells.

    Attributes:
        host_name: The machine's own name.
        user_name: Its first user.
        keys_only: Whether nobody logs in over SSH with a password.
        custom_data: Base64 text for cloud-init, ``None`` for none.
    """

    host_name: str
    user_name: str
    keys_only: bool
    custom_data: Optional[str] = None

    def to_xml(self) -> str:
        """The document."""
        data = "" if self.custom_data is None else f"<wa:CustomData>{escape(self.custom_data)}</wa:CustomData>\n"
        return _TEXT.format(
            host_name=escape(self.host_name),
            user_name=escape(self.user_name),
            keys_only="true" if self.keys_only else "false",
            custom_data=data,
        )
