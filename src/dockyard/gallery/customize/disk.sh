#!/bin/sh
# Write the finished tree as one ext4 file system. $1: the image's root folder.
set -eu
mkdir -p "$1/mnt"
