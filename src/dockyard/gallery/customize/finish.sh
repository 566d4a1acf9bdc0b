#!/bin/sh
# Last changes to the packages' own state. $1: the image's root folder. Runs once, after all packages are configured.
set -eu
root=$1

mask() {
    for unit in "$@"; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
}

# What a machine without screen, keyboard, swap, TPM or login console has no use for.
mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    getty@tty1.service getty-static.service serial-getty@ttyS0.service console-getty.service \
    systemd-pcrmachine.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
    systemd-tpm2-setup.service systemd-tpm2-setup-early.service systemd-pstore.service systemd-binfmt.service \
    systemd-hibernate-clear.service ldconfig.service systemd-hwdb-update.service systemd-firstboot.service \
    systemd-pcrextend.socket systemd-pcrlock.socket systemd-creds.socket systemd-sysext.socket \
    systemd-ask-password-console.path systemd-ask-password-wall.path \
    dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
    cloud-init-hotplugd.socket cloud-init-hotplugd.service

mkdir -p "$root/etc/systemd/system-generators"
for generator in gpt-auto hibernate-resume system-update tpm2 rc-local ssh getty debug run sysv; do
    ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done

chroot "$root" systemctl enable systemd-networkd.service
if [ -e "$root/usr/lib/systemd/system/docker.service" ]; then
    chroot "$root" systemctl disable docker.service docker.socket containerd.service
fi

# Each machine makes its own identity at its first start.
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"
: > "$root/etc/machine-id"
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale "$root"/usr/share/i18n
chroot "$root" passwd --quiet --lock root
touch "$root/etc/.updated" "$root/var/.updated"
