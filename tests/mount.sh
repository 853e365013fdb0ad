#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mount.bpffs as mount(8) calls it, and the tool bpffs: each SOURCE, fstab,
# remount, and what is refused, with one sentence and an exit status. As TAP.

. "$(dirname "$0")/tap.sh"
object=$(cd "$(dirname "$0")" && pwd)/../recipes/guard.bpf.o
# Without a dot, which libbpf would replace in the path of a pin.
here=$(mktemp -d -t mountXXXXXX)
mnt=$here/mnt
pins=$here/pins
fstab=/etc/fstab
other=

cleanup()
{
	[ -z "$other" ] || kill -9 "$other"
	umount -q "$mnt" "$here/made" 2>/dev/null
	rm -f "$pins/attached"
	umount -q "$pins"
	[ ! -e "$here/fstab" ] || cp "$here/fstab" "$fstab"
	rm -rf "$here"
}
trap cleanup EXIT

# Mount and unmount; in between, /proc/mounts has the SOURCE as it was given.
mounts() # NAME SOURCE [OPTIONS]
{
	local bad=0

	run mount -t bpffs ${3:+-o "$3"} "$2" "$mnt"
	[ "$status" -eq 0 ] || bad=1
	grep -qF "$2 $mnt $fstype" /proc/mounts || bad=1
	umount "$mnt" 2>/dev/null || bad=1
	result "$bad" "$1"
}

bpf_map() # PIN NAME
{
	bpftool map create "$pins/$1" type hash key 4 value 8 entries 16 name "$2"
}

id_of() # PIN
{
	bpftool -j map show pinned "$pins/$1" | sed -E 's/.*"id":([0-9]+).*/\1/'
}

mkdir "$mnt" "$pins"
mount -t bpf bpf "$pins" || exit 4
bpf_map one fifteen_letters &&
	bpf_map first twins &&
	bpf_map second twins || exit 4
id=$(id_of one)
twins="map:id:$(id_of first) (hash, 16 entries) and map:id:$(id_of second) (hash, 16 entries)"

mounts 'the path of a pin' "$pins/one"
mounts 'map:id:N' "map:id:$id"
mounts 'map:NAME' map:fifteen_letters
refuses 'map:NAME, longer than what anybody knows' 32 \
	"keeps only 15 characters of a name, and which it is nobody knows; give map:id:$id (hash, 16 entries), if that is meant" \
	mount -t bpffs map:fifteen_letters_and_more "$mnt"
refuses 'map:NAME, longer than a short one' 32 'there is no such map' \
	mount -t bpffs map:twinsandmore "$mnt"
mounts 'key=auto, given' map:fifteen_letters key=auto,value=auto
mounts 'a layout by hand' map:fifteen_letters key=u32,value=n=u64
mounts 'what is fstab only' map:fifteen_letters x-a=b,noauto,_netdev,nofail

# A program, once and then twice, and a link of it.
load_prog() # PIN
{
	bpftool prog load "$object" "$pins/$1"
}

attribute() # NAME: of the program, as .bpf has it
{
	bpftool -j prog show pinned "$pins/prog" | sed -E "s/.*\"$1\":\"?([0-9a-f]+).*/\1/"
}

load_prog prog && attach_xdp "$pins/prog" "$pins/attached" || exit 4
prog="prog:id:$(attribute id)"
tag=$(attribute tag)
link=link:id:$(bpftool -j link show pinned "$pins/attached" | sed -E 's/.*"id":([0-9]+).*/\1/')

mounts 'the path of a pinned program' "$pins/prog"
mounts 'the path of a pinned link' "$pins/attached"
mounts 'prog:id:N' "$prog"
mounts 'prog:NAME' prog:guard
mounts 'prog:tag:TAG' "prog:tag:$tag"
mounts 'prog:tag:TAG, in capitals' "prog:tag:${tag^^}"
mounts 'link:id:N' "$link"

run mount -t bpffs "$link" "$mnt"
[ "$(cat "$mnt/prog_id")" = "${prog#prog:id:}" ]
result $? 'link:id:N is that link'
umount -q "$mnt"

load_prog again
refuses 'a name of two programs' 32 "prog:guard is the name of 2 programs: $prog (xdp, tag $tag) and prog:id:" \
	mount -t bpffs prog:guard "$mnt"
refuses 'a tag of two programs' 32 'give one of these' mount -t bpffs "prog:tag:$tag" "$mnt"

# --- Names of more than 15 characters: those of BTF ---

long=$(dirname "$object")/../mount

load_long() # OBJECT DIRECTORY
{
	mkdir "$pins/$2" && bpftool prog load "$long/$1" "$pins/$2/prog" pinmaps "$pins/$2"
}

load_long long.bpf.o a || exit 4
bytes=map:id:$(id_of a/calls_in_total_bytes)
mounts 'a long name of a map' map:calls_in_total_bytes
run mount -t bpffs map:calls_in_total_depth "$mnt"
[ "$status" -eq 0 ] && [ "$(cat "$mnt/.bpf/id")" = "$(id_of a/calls_in_total_depth)" ]
result $? 'a long name of a map: the one of these types'
umount -q "$mnt"
refuses 'a long name of no map' 32 'map:calls_in_total_count: there is no such map' \
	mount -t bpffs map:calls_in_total_count "$mnt"
# as= by what the text shows, of a real map. On a big-endian machine, bit-fields are hex.
bits='u32{up.1/.31}' up='value.up is a bit-field, which has no other type'
[ "$(bytes 2 1)" = '1 0' ] || bits=bits=hex1:pad3 up='no member value.up'
run mount -t bpffs -o as=value.hits:x32 map:shared_addresses "$mnt"
[ "$status" -eq 0 ] && [ "$(cat "$mnt/.bpf/key")" = vip6=ip6:port=be16:proto=u8:pad1 ] &&
	[ "$(cat "$mnt/.bpf/value")" = "hits=x32:$bits" ]
result $? 'as: a member of a union without a name'
umount -q "$mnt"
run mount -t bpffs -o as=key.vip4:ip4 map:shared_addresses "$mnt"
[ "$status" -eq 0 ] && [ "$(cat "$mnt/.bpf/key")" = vip4=ip4:pad12:port=be16:proto=u8:pad1 ]
result $? 'as: a smaller member of a union'
umount -q "$mnt"
refuses 'as: a bit-field' 32 "$up" \
	mount -t bpffs -o as=value.up:bool map:shared_addresses "$mnt"
# Maps in a map: their layouts, and all that there is as JSON.
# shellcheck disable=SC2046
bpftool map update pinned "$pins/a/flows_of_one" key hex 0a 00 00 01 01 bb 06 00 \
	value $(bytes 8 7)
# shellcheck disable=SC2046
bpftool map update pinned "$pins/a/flows_of_two" key hex 0a 00 00 02 00 35 11 00 \
	value $(bytes 8 9)
run bpffs layout map:flows_by_tenant
[ "$output" = 'key=u32{one=1/two=2}
inner_key=saddr=ip4:dport=be16:proto=u8:pad1
inner_value=u64' ]
result $? 'a map of maps: layouts'
run bpffs layout map:flows_by_slot
[ "$output" = 'key=u32
inner_key=saddr=ip4:dport=be16:proto=u8:pad1
inner_value=u64' ]
result $? 'a map of maps: layouts of one that is empty'
mount -t bpffs map:flows_by_tenant "$mnt"
output=$(cd "$mnt" && grep -r . . | sort)
[ "$output" = './one/10.0.0.1,443,6:7
./two/10.0.0.2,53,17:9' ]
result $? 'a map of maps: by the BTF of those inside'
run bpffs json "$mnt"
[ "$(sort <<< "$output")" = '{"name":"one/10.0.0.1,443,6","outer":"one","key":{"saddr":"10.0.0.1","dport":443,"proto":6},"value":7}
{"name":"two/10.0.0.2,53,17","outer":"two","key":{"saddr":"10.0.0.2","dport":53,"proto":17},"value":9}' ]
result $? 'a map of maps: bpffs json'
run bpffs json "$mnt/one"
[ "$output" = '{"name":"10.0.0.1,443,6","key":{"saddr":"10.0.0.1","dport":443,"proto":6},"value":7}' ]
result $? 'a map of maps: bpffs json of one inside'
umount "$mnt"
run mount -t bpffs -o inner_value=hex,as=inner_key.saddr:x32 map:flows_by_tenant "$mnt"
output+=$(cat "$mnt/two/.bpf/key" "$mnt/two/.bpf/value" "$mnt/.bpf/key")
[ "$output" = $'saddr=x32:dport=be16:proto=u8:pad1\nhex\nu32{one=1/two=2}' ]
result $? 'a map of maps: what is given counts'
umount "$mnt"
refuses 'a map of maps: no such member' 32 'has no member inner_value.x' \
	mount -t bpffs -o as=inner_value.x:u8 map:flows_by_tenant "$mnt"
refuses 'a map of maps: a layout and a type of a member' 32 'goes with inner_key=auto only' \
	mount -t bpffs -o inner_key=hex,as=inner_key.saddr:x32 map:flows_by_tenant "$mnt"
refuses 'no map of maps' 32 'has no member inner_key.saddr' \
	mount -t bpffs -o as=inner_key.saddr:x32 map:flows_of_one "$mnt"
mounts 'a long name of a program' prog:handle_connect_entry
mounts 'a long name of a program, as it is kept' prog:handle_connect_
refuses 'a long name of no program' 32 'prog:handle_connect_exit: there is no such program' \
	mount -t bpffs prog:handle_connect_exit "$mnt"
load_long long2.bpf.o b || exit 4
mounts 'a long name of one of several maps' map:calls_in_total_count
refuses 'what is kept of several names' 32 "$bytes (calls_in_total_bytes, hash, 8 entries)" \
	mount -t bpffs map:calls_in_total_ "$mnt"
mounts 'a long name of one of several programs' prog:handle_connect_exit
refuses 'what is kept of several programs' 32 '(handle_connect_entry, socket_filter, tag ' \
	mount -t bpffs prog:handle_connect_ "$mnt"
refuses 'a long name of either of two maps' 32 \
	"(packets_of_all_in or packets_of_all_out, hash, 8 entries)" \
	mount -t bpffs map:packets_of_all_in "$mnt"

run mount.bpffs map:fifteen_letters "$mnt" -o key=u32,uid=service,gid=service
touch "$mnt/7" && [ "$(stat -c %U:%G "$mnt/7")" = service:service ]
result $? 'uid= and gid= by name, as busybox gives them'
umount -q "$mnt"
run busybox mount -t bpffs -o uid=service map:fifteen_letters "$mnt"
[ "$status" -eq 0 ] && [ "$(stat -c %U "$mnt")" = service ]
result $? 'busybox mount'
umount -q "$mnt"

run mount -t bpffs -o X-mount.mkdir map:fifteen_letters "$here/made"
mountpoint -q "$here/made" && umount "$here/made"
result $? 'X-mount.mkdir'

run mount -f -v -t bpffs map:fifteen_letters "$mnt"
[ "$status" -eq 0 ] && [[ $output == *"would mount map:id:$id "* ]] && ! mountpoint -q "$mnt"
result $? '-f -v says what would be done, and does nothing'

run mount -t bpffs -o nofail map:none_such "$mnt"
[ "$status" -eq 0 ] && [ -z "$output" ] && ! mountpoint -q "$mnt"
result $? 'nofail: no SOURCE, no failure'

run mount -t bpffs -o nofail "$pins/one/none" "$mnt"
[ "$status" -eq 0 ] && [ -z "$output" ] && ! mountpoint -q "$mnt"
result $? 'nofail: no directory where SOURCE would be'

POSIXLY_CORRECT=1 run mount -t bpffs -o key=u32 map:fifteen_letters "$mnt"
[ "$status" -eq 0 ] && [ "$(cat "$mnt/.bpf/key")" = u32 ]
result $? 'POSIXLY_CORRECT: options behind the arguments'
umount -q "$mnt"

# --- Read-only: a descriptor that may only read, which is all that it needs ---

# What root without the power over all files may do.
mount_ro() # ARGUMENTS of mount
{
	run setpriv --bounding-set=-dac_override,-dac_read_search mount -t bpffs "$@"
	[ "$status" -eq 0 ] && umount "$mnt"
}

chown service "$pins/first" && chmod 0444 "$pins/first"
mount_ro -o ro "$pins/first" "$mnt"
result $? 'ro: a pin that may be read'
mount_ro -o rw,ro "$pins/first" "$mnt"
result $? 'ro: the last one wins'
mount_ro -o snapshot "$pins/first" "$mnt"
result $? 'snapshot: a pin that may be read'
! mount_ro -o ro,rw "$pins/first" "$mnt"
result $? 'rw: not of a pin that may only be read'
mount_ro -o pinonly,ro "$pins/first" "$mnt"
result $? 'pinonly,ro: a pin that may be read'
chmod 0000 "$pins/first"
! mount_ro -o ro "$pins/first" "$mnt"
result $? 'ro: not of a pin that may not be read'
chmod 0600 "$pins/first" && chown root "$pins/first"
mount -o remount,ro "$pins"
for pin in one prog; do
	run mount -t bpffs -o ro "$pins/$pin" "$mnt"
	[ "$status" -eq 0 ] && umount "$mnt"
	result $? "ro: $pin in a read-only file system of pins"
done
refuses 'rw: a pin in a read-only file system' 32 'may only be read: mount it with ro' \
	mount -t bpffs "$pins/one" "$mnt"
mount -o remount,rw "$pins"
mounts 'ro: a link, which has no such descriptor' "$pins/attached" ro
for source in "$pins/one" map:fifteen_letters "map:id:$id"; do
	run mount -t bpffs -o ro "$source" "$mnt"
	[ "$status" -eq 0 ] && run mount -o remount,rw "$mnt"
	[ "$status" -eq 32 ] && [[ $output == *'descriptor read-only'* ]]
	result $? "ro: asks for no more, $(sed -E "s,$pins,the path of a pin,; s/[0-9]+//" <<< "$source")"
	umount "$mnt"
done

run mount -t bpffs map:fifteen_letters "$mnt"
run mount -o remount,ro "$mnt"
[ "$status" -eq 0 ] && findmnt -n -o OPTIONS "$mnt" | grep -q '^ro,' && ! touch "$mnt/new" 2>&-
result $? 'remount,ro'
run mount -o remount,rw "$mnt"
[ "$status" -eq 0 ] && findmnt -n -o OPTIONS "$mnt" | grep -q '^rw,'
result $? 'remount,rw'
run mount -o remount,mode=0777 "$mnt"
[ "$status" -eq 32 ] && [[ $output == *'mode: cannot change'* ]]
result $? 'remount changes nothing else'
umount "$mnt"

cp "$fstab" "$here/fstab" 2>/dev/null || : > "$here/fstab"
echo "map:fifteen_letters $mnt bpffs mode=0640,nofail,x-a=b 0 0" > "$fstab"
run mount -a
[ "$status" -eq 0 ] && run mount -a && [ "$(grep -cF " $mnt $fstype" /proc/mounts)" -eq 1 ]
result $? 'fstab: mount -a twice mounts once'
run mount -o remount,ro "$mnt"
[ "$status" -eq 0 ] && findmnt -n -o OPTIONS "$mnt" | grep -q '^ro,'
result $? 'fstab: remount'
umount "$mnt" && run mount "$mnt" && [ "$status" -eq 0 ] && umount "$mnt"
result $? 'fstab: mount DIR'
# Such a mount is of another type.
echo "map:fifteen_letters $mnt bpffs pinonly,nofail 0 0" > "$fstab"
mount "$mnt"
run mount -o remount,ro "$mnt"
[ "$status" -eq 0 ] && [ "$(findmnt -n -o FSTYPE "$mnt")" = bpf ] &&
	findmnt -n -o FS-OPTIONS "$mnt" | grep -q '^ro'
result $? 'fstab: remount of pinonly'
umount -q "$mnt"
echo "map:fifteen_letters $mnt bpffs mode=0640 0 0" > "$fstab"
run mount -o mode=0444 "$mnt"
[ "$status" -eq 0 ] && touch "$mnt/01000000" && [ "$(stat -c %a "$mnt/01000000")" = 444 ]
result $? 'fstab: -o changes an option'
rm -f "$mnt/01000000"
umount -q "$mnt"
cp "$here/fstab" "$fstab"

# Where another has its own mounts and, more, its own /proc without our descriptors.
unshare -mpf --mount-proc sleep 1000 2>&- &
for _ in {1..600}; do
	other=$(pgrep -P $! -x sleep) && break
	sleep 0.1
done
run mount -N "$other" -t bpffs -o snapshot,key=u32 map:fifteen_letters "$mnt"
[ "$status" -eq 0 ] && ! mountpoint -q "$mnt" &&
	grep -qF "map:fifteen_letters $mnt $fstype ro" "/proc/$other/mounts"
result $? '-N: a copy'
run nsenter -t "$other" -m umount "$mnt"
run mount -N "$other" -t bpffs "$link" "$mnt"
[ "$status" -eq 0 ] && ! mountpoint -q "$mnt" &&
	grep -qF "$link $mnt $fstype rw" "/proc/$other/mounts"
result $? '-N: a link'
run mount.bpffs -N "/proc/$other/ns/mnt" -o remount,ro "$link" "$mnt"
[ "$status" -eq 0 ] && grep -qF "$link $mnt $fstype ro" "/proc/$other/mounts"
result $? '-N: remount'
kill -9 "$other"
wait
other=
# Without the module, what was mounted last goes a moment later, with the programs that
# store its fields.
for _ in {1..600}; do
	[ "$(bpftool map list | grep -c ' name fifteen_letters ')" -gt 1 ] || break
	sleep 0.1
done

on_full()
{
	mount.bpffs "$@" > /dev/full
}
refuses 'a help that cannot be written' 2 'standard output: No space left' on_full -h
refuses 'likewise a version' 2 'standard output: No space left' on_full -V
refuses 'no object' 32 'give a path of a pinned object' mount -t bpffs none "$mnt"
refuses 'a descriptor that is not open' 32 'descriptor 99 is not open' \
	mount -t bpffs -o fd=99 none "$mnt"
refuses 'a descriptor that is no number' 1 'is not a descriptor' \
	mount -t bpffs -o fd=x none "$mnt"
refuses 'a descriptor of something else' 32 'not a BPF map, program or link' \
	mount -t bpffs -o fd=0 none "$mnt"
refuses 'two descriptors' 1 'given twice' mount -t bpffs -o fd=0,fd=1 none "$mnt"
refuses 'a name of no map' 32 'there is no such map' mount -t bpffs map:none_such "$mnt"
refuses 'a name of two maps' 32 "is the name of 2 maps: $twins; give one of these" \
	mount -t bpffs map:twins "$mnt"
refuses 'an id of no map' 32 'there is no such map' mount -t bpffs map:id:4294967295 "$mnt"
refuses 'an id that is none' 32 'is not an id' mount -t bpffs map:id:x "$mnt"
refuses 'a tag of no program' 32 'there is no such program' \
	mount -t bpffs prog:tag:0123456789abcdef "$mnt"
refuses 'an id of no link' 32 'there is no such link' mount -t bpffs link:id:4294967295 "$mnt"
refuses 'a path of nothing' 32 'No such file' mount -t bpffs "$pins/none" "$mnt"
refuses 'a path of something else' 32 'not a pinned BPF object' \
	mount -t bpffs /etc/passwd "$mnt"
refuses 'an unknown option' 32 "bogus" mount -t bpffs -o bogus map:fifteen_letters "$mnt"
refuses 'an error of libmount'\''s own' 1 'failed to parse mount options' \
	mount.bpffs -o X-mount.mkdir=x map:fifteen_letters "$here/none"
refuses 'a layout too short' 32 'covers 1 of 8 bytes' \
	mount -t bpffs -o value=u8 map:fifteen_letters "$mnt"
refuses 'a member of no BTF' 32 'has no member value.x' \
	mount -t bpffs -o as=value.x:u8 map:fifteen_letters "$mnt"
refuses 'a directory that is none' 32 'Not a directory' \
	mount.bpffs map:fifteen_letters /etc/passwd
refuses 'remounting another type' 32 'not the root of a bpffs mount' \
	mount.bpffs -o remount,ro none /proc

run mount -s -t bpffs -o bogus map:fifteen_letters "$mnt"
[ "$status" -eq 0 ] && umount "$mnt"
result $? '-s: an unknown option is ignored'

run mount -t bpffs -o key=u32,value=n=u64 "$pins/one" "$mnt"
echo n=9007199254740993 > "$mnt/7"
run bpffs json "$mnt"
[ "$output" = '{"name":"7","key":7,"value":{"n":"9007199254740993"}}' ]
result $? 'bpffs json'
run bpffs check "$mnt"
result "$status" 'bpffs check: the same object'
umount "$mnt"
# To one who may find the object, but not read what is mounted.
mount -t bpffs -o uid=service "$pins/one" "$mnt"
run setpriv --bounding-set=-dac_override,-dac_read_search bpffs check "$mnt"
[ "$status" -eq 2 ] && [[ $output == *'Permission denied' ]]
result $? 'bpffs check: not allowed to look'
rm "$pins/one"
run bpffs check "$mnt"
[ "$status" -eq 1 ]
result $? 'bpffs check: no object any more'
bpf_map one another
run bpffs check "$mnt"
[ "$status" -eq 1 ] && [[ $output == *'another object now'* ]]
result $? 'bpffs check: another object'
run bpffs layout "$pins/one"
[ "$output" = $'key=hex\nvalue=hex' ]
result $? 'bpffs layout: without BTF'
bpftool map create "$pins/outer" type hash_of_maps key 4 value 4 entries 4 name outer \
	inner_map pinned "$pins/one"
run bpffs layout "$pins/outer"
[ "$status" -eq 0 ] && [ "$output" = key=hex ]
result $? 'bpffs layout: a map of maps without BTF'
# On a terminal, an empty directory is explained.
bpftool map create "$pins/progs" type prog_array key 4 value 4 entries 4 name progs
on_terminal() # COMMAND...
{
	run python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$@" < /dev/null
	umount -q "$mnt"
}
on_terminal mount -t bpffs "$pins/progs" "$mnt"
[ "$status" -eq 0 ] && [[ $output == "mount.bpffs: $mnt: a map of type prog_array shows no elements, but for what is in .bpf: see bpffs(5)"? ]]
result $? 'on a terminal, an empty directory is explained'
on_terminal mount -t bpffs -o nofail "$pins/progs" "$mnt"
[ "$status" -eq 0 ] && [ -z "$output" ]
result $? 'nofail: nothing is said'
on_terminal mount -t bpffs -o pinonly "$pins/progs" "$mnt"
[ "$status" -eq 0 ] && [ -z "$output" ]
result $? 'pinonly: nothing is said'
on_terminal mount -t bpffs "$pins/second" "$mnt"
[ "$status" -eq 0 ] && [ -z "$output" ]
result $? 'on a terminal, others say nothing'
run mount -t bpffs "$pins/progs" "$mnt"
[ "$status" -eq 0 ] && [ -z "$output" ]
result $? 'without a terminal, nothing is said'
umount "$mnt"
bpftool map create "$pins/bloom" type bloom_filter key 0 value 8 entries 4 name bloom
run bpffs layout "$pins/bloom"
[ "$status" -eq 0 ] && [ "$output" = key=hex ]
result $? 'bpffs layout: a bloom filter'

finish
