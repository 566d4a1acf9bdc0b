#!/bin/sh
# What has to be changed in place once all packages are configured. $1: the image's root folder.
set -eu
root=$1

mask() {
    for unit in "$@"; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
}

# Machines have no screen, keyboard, swap, TPM or login on the console; their clock-work is the user's business.
mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    getty@tty1.service getty-static.service serial-getty@ttyS0.service console-getty.service \
    systemd-pcrmachine.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
    systemd-tpm2-setup.service systemd-tpm2-setup-early.service systemd-pcrextend.socket systemd-pcrlock.socket \
    systemd-ask-password-console.path systemd-ask-password-wall.path systemd-creds.socket systemd-sysext.socket \
    systemd-binfmt.service systemd-firstboot.service systemd-hibernate-clear.service systemd-pstore.service \
    systemd-initctl.socket modprobe@drm.service \
    dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount \
    sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    cloud-init-hotplugd.service cloud-init-hotplugd.socket

# Work that is done: by the kernel's command line, by the build, or by the processor's random numbers.
mask ldconfig.service systemd-hwdb-update.service systemd-modules-load.service systemd-network-generator.service \
    systemd-networkd-persistent-storage.service systemd-random-seed.service systemd-remount-fs.service \
    systemd-tmpfiles-setup-dev-early.service systemd-udev-load-credentials.service run-lock.mount tmp.mount
touch "$root/etc/.updated" "$root/var/.updated"

# cloud-init's generator only finds out that this is Azure, while everything else waits.
mkdir -p "$root/etc/systemd/system-generators"
for generator in cloud-init-generator systemd-getty-generator systemd-gpt-auto-generator \
    systemd-hibernate-resume-generator systemd-rc-local-generator systemd-run-generator systemd-ssh-generator \
    systemd-system-update-generator systemd-sysv-generator systemd-tpm2-generator; do
    ln -sf /dev/null "$root/etc/systemd/system-generators/$generator"
done
ln -sf /usr/lib/systemd/system/cloud-init.target "$root/etc/systemd/system/multi-user.target.wants/cloud-init.target"

chroot "$root" systemctl --quiet enable systemd-networkd.service address-randomization.service
if [ -e "$root/usr/lib/systemd/system/docker.service" ]; then
    # The engine starts when its extension has given it certificates; nothing listens before.
    chroot "$root" systemctl --quiet disable docker.service docker.socket containerd.service
fi

# Profiles of programs that are not here: Debian ships them for a hundred, and reading them takes ten seconds under
# emulation. The engine brings its own, docker-default.
if [ -d "$root/etc/apparmor.d" ]; then
    find "$root/etc/apparmor.d" -maxdepth 1 -type f ! -name runc ! -name unix-chkpwd -delete
fi

# The agent's settings for these machines. It waits for a host key of this type before it reads goals, and RSA keys, its
# default, are slow to make. The platform holds each request for a goal until there is news, so asking without a pause
# between costs nothing and the agent acts at once. The agent is Debian's package, not one it downloads; there are no
# resource disk, no log collection, and no other users on the link for its firewall to keep out.
set_agent() { # set_agent <name> <value>
    sed -i "/^[# ]*$1=/d" "$root/etc/waagent.conf"
    echo "$1=$2" >> "$root/etc/waagent.conf"
}
set_agent Provisioning.SshHostKeyPairType ed25519
set_agent Extensions.InitialGoalStatePeriod 1
set_agent Extensions.GoalStatePeriod 1
set_agent ResourceDisk.Format n
set_agent Logs.Collect n
set_agent AutoUpdate.UpdateToLatestVersion n
set_agent OS.EnableFirewall n

# Scripts for another init: systemd never runs them, but at each enabling of a unit it has them registered and reads
# all units again.
rm -f "$root"/etc/init.d/* "$root"/etc/rc[0-9S].d/*

# Each machine makes its own identity at its first start.
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"
: > "$root/etc/machine-id"
chroot "$root" passwd --quiet --lock root
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

# What only the build needed.
rm -rf "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/apt/apt.conf.d/00build" "$root/etc/apt/sources.list" \
    "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" \
    "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old "$root/var/cache/ldconfig/aux-cache" \
    "$root"/var/lib/apt/lists/* "$root"/var/lib/dpkg/*-old "$root"/var/log/apt/* "$root"/var/log/*.log \
    "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale "$root"/usr/share/i18n
find "$root/etc/apt/sources.list.d" -name '0000*' -delete
