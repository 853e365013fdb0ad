#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
#
# A map as a file system, from the shell. Its keys here are 4 bytes, its values 8.
#
#	./mount.sh /sys/fs/bpf/x /mnt backup.tar
set -eu

[ $# -eq 3 ] || {
	echo "usage: $0 SOURCE DIR BACKUP" >&2
	exit 2
}
source=$1 dir=$2 backup=$3

mount -t bpffs -o key=u32,value=packets=u64 "$source" "$dir"
trap 'umount "$dir"' EXIT

echo packets=45 > "$dir/10"
ls "$dir"
cat "$dir/10"
grep -H . "$dir"/* | sed "s,^$dir/,,"

# All elements, away and back again.
tar -C "$dir" -cf "$backup" .
rm "$dir"/*
tar -C "$dir" -xf "$backup" --no-overwrite-dir
cat "$dir/10"
rm "$dir/10"
