#!/bin/sh
# Write the finished tree as one ext4 file system. $1: the image's root folder. $DISK: the file to write, given as a
# descriptor's path, because the file's own folder may be closed to the user this runs as; $DISK_SIZE: its size.
#
# The bind mount shows the tree without what the build has mounted into it (/proc, /sys, /dev). Files that mmdebstrap
# needs until its end are hidden: folders by empty ones, its apt options by moving them into one of these and back.
set -eu
PATH=$PATH:/usr/sbin:/sbin
options=etc/apt/apt.conf.d/00mmdebstrap

[ ! -e "$1/$options" ] || mv "$1/$options" "$1/tmp/00mmdebstrap"
unshare --mount --propagation private sh -euc '
    mount --bind "$1" "$1/mnt"
    for folder in run tmp; do mount -t tmpfs -o mode="$(stat -c %a "$1/$folder")" tmpfs "$1/mnt/$folder"; done
    exec mke2fs -q -F -t ext4 -b 4096 -m 1 -d "$1/mnt" "$2" "$3"
' disk "$1" "$DISK" "$DISK_SIZE"
[ ! -e "$1/tmp/00mmdebstrap" ] || mv "$1/tmp/00mmdebstrap" "$1/$options"
