#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mount.bpffs -o pinonly: a pin of the object in a mount of type bpf. It needs
# root and bpf(2) but no bpffs, so it runs on the host as well. As TAP.

# Out of sight of everybody else, gone with the last process.
if [ -z "$BPFFS_PRIVATE" ]; then
	unshare -mn true 2>&- || exit 4
	BPFFS_PRIVATE=1 exec unshare -mn "$0"
fi

. "$(dirname "$0")/tap.sh"
object=$(dirname "$0")/../recipes/guard.bpf.o
[ -e "$object" ] || object=${BUILD:-$(dirname "$0")/../build}/tests/guard.bpf.o
here=$(mktemp -d)
mnt=$here/mnt
pins=$here/pins
other=

cleanup()
{
	[ -z "$other" ] || kill -9 "$other"
	umount -q "$mnt" "$pins"
	rm -rf "$here"
}
trap cleanup EXIT

# By BPF_F_RDONLY.
opens_read_only() # PIN
{
	python3 - "$1" <<- 'EOF'
		import ctypes, struct, sys
		bpf = ctypes.CDLL("libbpf.so.1")
		opts = struct.pack("@NII", 16, 8, 0)
		sys.exit(bpf.bpf_obj_get_opts(sys.argv[1].encode(), opts) < 0)
	EOF
}

mkdir "$mnt" "$pins"
mount -t bpf bpf "$pins" 2>&- || exit 4
bpftool map create "$pins/one" type hash key 4 value 8 entries 16 name pinonly_one 2>&- || exit 4
bpftool map update pinned "$pins/one" key 1 0 0 0 value 2 0 0 0 0 0 0 0 || exit 4
id=$(bpftool -j map show pinned "$pins/one" | sed -E 's/.*"id":([0-9]+).*/\1/')

run mount.bpffs "$pins/one" "$mnt" -o pinonly
# Some kernels preload iterators: maps.debug and progs.debug.
[ "$status" -eq 0 ] && [ -z "$output" ] && [ "$(ls -A -I '*s.debug' "$mnt")" = map ]
result $? 'it has a pin, and nothing else'
grep -qE "^$pins/one $mnt bpf rw,.*nosuid,nodev,noexec" /proc/mounts
result $? 'of type bpf, with the SOURCE as it was given'
[ "$(stat -c '%a %u' "$mnt")" = '1700 0' ] && [ "$(stat -c '%a %u' "$mnt/map")" = '600 0' ]
result $? 'for root alone'
run bpftool -j map dump pinned "$mnt/map"
[ "$status" -eq 0 ] && [[ $output == *0x02* ]] &&
	[[ $(bpftool -j map show pinned "$mnt/map") == *"\"id\":$id,"* ]]
result $? 'bpftool opens it'
bpftool map update pinned "$mnt/map" key 1 0 0 0 value 3 0 0 0 0 0 0 0
result $? 'and writes'

# The mount alone holds it now.
rm "$pins/one"
bpftool map show id "$id" > /dev/null
result $? 'it keeps the map'
umount "$mnt"
for _ in {1..100}; do
	bpftool map show id "$id" > /dev/null 2>&1 || break
	sleep 0.1
done
! bpftool map show id "$id" > /dev/null 2>&1
result $? 'plain umount lets it go'

bpftool map create "$pins/one" type hash key 4 value 8 entries 16 name pinonly_one
bpftool map update pinned "$pins/one" key 1 0 0 0 value 2 0 0 0 0 0 0 0
run mount.bpffs "$pins/one" "$mnt" -o pinonly,ro,key=auto,x-comment,noauto
[ "$status" -eq 0 ] && ! rm "$mnt/map" 2>&- && ! mkdir "$mnt/dir" 2>&-
result $? 'ro: nothing can be removed or made'
! bpftool map update pinned "$mnt/map" key 1 0 0 0 value 3 0 0 0 0 0 0 0 2>&-
result $? 'ro: nor opened for writing'
umount -q "$mnt"

# With the options of fstab, as mount(8) has it called.
run mount.bpffs "$pins/one" "$mnt" -o pinonly
run mount.bpffs "$pins/one" "$mnt" -o pinonly,nofail,remount,ro
[ "$status" -eq 0 ] && [ "$(grep -c " $mnt bpf ro" /proc/mounts)" -eq 1 ] &&
	findmnt -n -o FS-OPTIONS "$mnt" | grep -q ^ro && ! rm "$mnt/map" 2>&-
result $? 'remount,ro'
run mount.bpffs "$pins/one" "$mnt" -o pinonly,remount,rw
[ "$status" -eq 0 ] && findmnt -n -o FS-OPTIONS "$mnt" | grep -q ^rw &&
	bpftool map update pinned "$mnt/map" key 1 0 0 0 value 2 0 0 0 0 0 0 0
result $? 'remount,rw'
umount -q "$mnt"
# The /proc there does not know who mounts.
unshare -mpf --mount-proc sleep 1000 2>&- &
for _ in {1..600}; do
	other=$(pgrep -P $! -x sleep) && break
	sleep 0.1
done
run mount.bpffs -N "/proc/$other/ns/mnt" "$pins/one" "$mnt" -o pinonly,snapshot
[ "$status" -eq 0 ] && ! mountpoint -q "$mnt" && grep -q " $mnt bpf " "/proc/$other/mounts"
result $? '-N: in another name space'
kill -9 "$other"
wait
other=

refuses 'remount of no mount' 32 'not the root of a mount of type bpf' \
	mount.bpffs "$pins/one" "$mnt" -o pinonly,remount,ro
refuses 'remount of another type' 32 'not the root of a mount of type bpf' \
	mount.bpffs none /proc -o pinonly,remount,ro

run mount.bpffs "$pins/one" "$mnt" -o pinonly,snapshot
bpftool map update pinned "$pins/one" key 1 0 0 0 value 3 0 0 0 0 0 0 0
[ "$status" -eq 0 ] && [[ $(bpftool -j map dump pinned "$mnt/map") == *0x02* ]] &&
	! bpftool map update pinned "$mnt/map" key 1 0 0 0 value 3 0 0 0 0 0 0 0 2>&-
result $? 'with snapshot: a pin of the copy'
umount -q "$mnt"

# A program and a link of it, where they could be built: not on every host.
if [ -e "$object" ] && run bpftool prog load "$object" "$pins/prog" && [ "$status" -eq 0 ] &&
   run attach_xdp "$pins/prog" "$pins/attached" && [ "$status" -eq 0 ]; then
	run mount.bpffs "$pins/prog" "$mnt" -o pinonly
	[ "$status" -eq 0 ] && rm "$pins/prog" &&
		bpftool prog pin pinned "$mnt/prog" "$pins/prog"
	result $? 'a program'
	umount -q "$mnt"
	run mount.bpffs "$pins/prog" "$mnt" -o pinonly,ro
	[ "$status" -eq 0 ] && ! rm "$mnt/prog" 2>&- && opens_read_only "$mnt/prog"
	result $? 'a program, ro'
	umount -q "$mnt"
	run mount.bpffs "$pins/attached" "$mnt" -o pinonly
	# What bpftool prints counts: the status of 7.5's is 255 all the same.
	[ "$status" -eq 0 ] && rm "$pins/attached" && run bpftool link show pinned "$mnt/link" &&
		[[ $output == *xdp* ]]
	result $? 'a link'
	bpftool link pin pinned "$mnt/link" "$pins/attached"
	umount -q "$mnt"
	refuses 'a link, ro' 32 'can only be opened read-write' \
		mount.bpffs "$pins/attached" "$mnt" -o pinonly,ro
else
	result 0 'a program, a link # SKIP'
fi

run mount.bpffs -f -v "$pins/one" "$mnt" -o pinonly
[ "$status" -eq 0 ] && [[ $output == *'would mount a pin of map:id:'* ]] && ! mountpoint -q "$mnt"
result $? '-f -v'

for option in key=u32 value=u64 uid=1 gid=1 mode=0644 percpu=sum bogus; do
	refuses "$option is refused" 32 'would do nothing with pinonly' \
		mount.bpffs "$pins/one" "$mnt" -o "pinonly,$option"
done
refuses 'as= is refused' 32 'would do nothing with pinonly' \
	mount.bpffs "$pins/one" "$mnt" -o pinonly,as=value.x:u8
refuses 'an error of libmount'\''s own' 1 'failed to parse mount options' \
	mount.bpffs "$pins/one" "$here/made" -o pinonly,X-mount.mkdir=x
refuses 'no value' 32 'takes no value' mount.bpffs "$pins/one" "$mnt" -o pinonly=1
refuses 'a quote without an end' 32 'a quote is not closed: x-a="b,bogus' \
	mount.bpffs "$pins/one" "$mnt" -o 'pinonly,x-a="b,bogus'
refuses 'no BPF object' 32 'not a BPF map, program or link' \
	mount.bpffs none "$mnt" -o pinonly,fd=0
[ "$(find "$here" -xdev -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ] &&
	[ "$(grep -c " $here" /proc/mounts)" -eq 1 ]
result $? 'refused, it leaves nothing'

finish
