#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The examples of docs/examples do what they say. As TAP.

. "$(dirname "$0")/tap.sh"
examples=$(dirname "$0")/../examples
here=$(mktemp -d)
mnt=$here/mnt
pins=$here/pins

automount=

cleanup()
{
	[ -z "$automount" ] || { kill "$automount"; wait "$automount"; }
	rm -f /sys/fs/bpf/auto_pinned
	umount -q "$mnt" "$pins"
	rm -rf "$here"
}
trap cleanup EXIT

mkdir "$mnt" "$pins"
mount -t bpf bpf "$pins" || exit 4
# shellcheck disable=SC2046
bpftool map create "$pins/x" type hash key 4 value 8 entries 16 name x &&
	bpftool map update pinned "$pins/x" key $(bytes 4 7) value $(bytes 8 42) || exit 4

# It succeeds, says @TEXT, and leaves nothing mounted.
says() # NAME TEXT COMMAND...
{
	local name=$1 text=$2

	shift 2
	run "$@"
	[ "$status" -eq 0 ] && [ "$output" = "$text" ] && ! mountpoint -q "$mnt"
	result $? "$name"
	umount -q "$mnt"
}

says C $'7 has packets=42\n8 is 43' "$examples/mount" "$pins/x" "$mnt"
refuses 'C: what is refused' 1 'map:none: there is no such map' \
	"$examples/mount" map:none "$mnt"
says Python $'7 has packets=42\n8 has packets=43\n9 has packets=44' \
	"$examples/mount.py" "$pins/x" "$mnt"
run "$examples/mount.py" map:none "$mnt"
[ "$status" -eq 1 ] && [[ ${output##*$'\n'} == 'FileNotFoundError: '*'there is no such map' ]]
result $? 'Python: what is refused'
says shell $'10\n7\n8\npackets=45\n10:packets=45\n7:packets=42\n8:packets=43\npackets=45' \
	"$examples/mount.sh" "$pins/x" "$mnt" "$here/tar"
[ "$(tar -tf "$here/tar" | sort | xargs)" = './ ./10 ./7 ./8' ]
result $? 'shell: the backup'
run bpftool -j map dump pinned "$pins/x"
[[ $(grep -o '"key"' <<< "$output" | wc -l) -eq 2 ]]
result $? 'what they made is gone, what was there has stayed'

# --- autofs ---

# It has to be in a process group of this name space.
begin_automount()
{
	mkdir "$here/auto"
	echo "$here/auto $examples/auto.bpffs --timeout=1 --negative-timeout=1" > "$here/master"
	setsid automount -f -v -C -p "$here/pid" "$here/master" > "$here/log" 2>&1 &
	automount=$!
	soon mountpoint -q "$here/auto"
}

mounts() # NAME SOURCE WHAT
{
	run cat "$here/auto/$1/.bpf/name"
	[ "$status" -eq 0 ] && output+=" $(findmnt -nro SOURCE,FSTYPE,OPTIONS "$here/auto/$1")" &&
		[[ $output == "auto_named $2 $fstype ro,"* ]]
	result $? "autofs: ls mounts $3"
}

examples=$(realpath "$examples")
if ! automount -V > /dev/null 2>&1; then
	skip autofs 'no automount (autofs)'
elif [ ! -c /dev/autofs ] && ! modprobe -q autofs4; then
	skip autofs 'this kernel has no autofs'
elif ! begin_automount; then
	output=$(cat "$here/log")
	result 1 'autofs: automount'
else
	bpftool map create /sys/fs/bpf/auto_pinned type hash key 4 value 8 entries 16 name auto_named
	id=$(bpftool -j map show pinned /sys/fs/bpf/auto_pinned | jq .id)
	run ls "$here/auto"
	[ "$status" -eq 0 ] && [ -z "$output" ]
	result $? 'autofs: nothing is there before'
	mounts auto_pinned /sys/fs/bpf/auto_pinned 'a pin'
	mounts auto_named map:auto_named 'a map by its name'
	mounts "$id" "map:id:$id" 'a map by its id'
	run ls "$here/auto/auto_none"
	[ "$status" -eq 2 ] && [[ $output == *'No such file or directory' ]]
	result $? 'autofs: no such map'
	unused() { ! grep -q " $here/auto/" /proc/mounts; }
	soon unused
	result $? 'autofs: what nobody uses is unmounted'
fi

finish
