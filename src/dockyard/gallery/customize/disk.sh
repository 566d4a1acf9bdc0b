#!/bin/sh
# Write the finished tree as one ext4 file system. $1: the image's root folder. $DISK: the file to write, given as a
# descriptor's path, because the file's own folder may be closed to the user this runs as; $DISK_SIZE: its size.
#
# The bind mount shows the tree without what the build has mounted into it (/proc, /sys, /dev).
set -eu
PATH=$PATH:/usr/sbin:/sbin
rm -rf "$1"/tmp/* "$1"/run/*
exec unshare --mount --propagation private sh -euc '
    mount --bind "$1" "$1/mnt"
    exec mke2fs -q -F -t ext4 -b 4096 -m 1 -d "$1/mnt" "$2" "$3"
' disk "$1" "$DISK" "$DISK_SIZE"
