#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Mounts without the module: how bpffs-fuse starts, what is left to it, how it ends.
# It needs root, bpf(2) and /dev/fuse of this machine, but no bpffs. FRAME is
# bpffs-fuse with a file system for the test (fuse/frame.c). As TAP.

. "$(dirname "$0")/tap.sh"
in_private fuse /dev/fuse
here=$(mktemp -d)
mnt=$here/mnt
pins=$here/pins
top=$(dirname "$0")/..
user=65534
# Ends with every process of this test, whatever happened to it.
export BPFFS_FUSE_DAEMON=${FRAME:?}

cleanup()
{
	umount -q "$mnt" "$pins" "$here/sbin"
	rm -rf "$here"
}
trap cleanup EXIT

new_map()
{
	rm -f "$pins/map"
	bpftool map create "$pins/map" type array key 4 value 8 entries 1 name fuse_test
	chmod 0666 "$pins/map"
	id=$(bpftool -j map show pinned "$pins/map" | jq .id)
}

no_map() { ! bpftool map show id "$id" > /dev/null 2>&1; }

# The two processes of the mount: one serves and has /dev/fuse open, one keeps.
processes()
{
	server=
	keeper=
	local pid parent

	for pid in $(pgrep -f '^bpffs-fuse '); do
		[ "$(readlink "/proc/$pid/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] || continue
		parent=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
		if [ "$(tr '\0' ' ' < "/proc/$parent/cmdline")" = "bpffs-fuse $pins/map " ]; then
			server=$pid
			keeper=$parent
		fi
	done
	[ -n "$server" ]
}

ended() { ! kill -0 "$1" 2>&- || grep -q '^State:.Z' "/proc/$1/status" 2>&-; }

mounted() { mountpoint -q "$mnt"; }
unmounted() { ! mounted; }

mount_it() # OPTION...
{
	run mount.bpffs "$@" "$pins/map" "$mnt"
}

mkdir "$mnt" "$pins"
mount -t bpf -o mode=0755 none "$pins"

# By the library, which was not installed.
umount=(python3 -c 'import ctypes, os, sys
lib = ctypes.CDLL(os.environ.get("LIB", "libbpffs.so.0"))
lib.bpf_mount_error.restype = ctypes.c_char_p
if lib.bpf_umount(sys.argv[1].encode(), 0):
    sys.exit(lib.bpf_mount_error().decode())' "$mnt")

# --- starting ---

new_map
mount_it -v -o backend=fuse
[ "$status" -eq 0 ] && [[ $output == *'by FUSE, without the module (as asked for)'* ]]
result $? 'mount.bpffs mounts, and says by what'
run findmnt -no FSTYPE,SOURCE "$mnt"
[ "$output" = "fuse.bpffs $pins/map" ]
result $? 'findmnt shows fuse.bpffs and the source'
[ "$(cat "$mnt/first")" = 0 ] && echo 12 > "$mnt/first" && [ "$(cat "$mnt/first")" = 12 ] &&
	bpftool map dump pinned "$pins/map" | grep -q 'value: 0c 00'
result $? 'what is written is in the map'

# --- what is left to it ---

processes
result $? 'one process serves, one keeps'
output=$(getpcaps "$server" "$keeper" 2>&1)
[[ $output == *"$server: ="$'\n'"$keeper: cap_sys_admin=ep" ]]
result $? 'the server has no capability, the keeper the one to unmount'
output=$(cat "/proc/$server/status")
[[ $output == *NoNewPrivs:?1* && $output == *Seccomp:?2* ]]
result $? 'the server gets no privileges and has a filter of calls'
output=$(ls -l "/proc/$server/fd" | sed -nE 's/.* -> //p' | LC_ALL=C sort |
	uniq -c | tr -s ' ' | tr '\n' ,)
[ "$output" = ' 1 /dev/fuse, 3 /dev/null, 1 anon_inode:bpf-map,' ]
result $? 'the server has the map and /dev/fuse open, and nothing else'
output=$(ls -l "/proc/$keeper/fd" | sed -nE 's/.* -> //p' | uniq -c | tr -s ' ')
[ "$output" = ' 3 /dev/null' ]
result $? 'the keeper has nothing open'
[ "$(readlink "/proc/$server/cwd" "/proc/$keeper/cwd")" = $'/\n/' ]
result $? 'both have / for a working directory'
[ "$(stat -c %u "/proc/$server/fd")" = 0 ] && grep -q 'core file size *0 *0' "/proc/$server/limits"
result $? 'no core is dumped'
output=$(grep -v ENOSYS "$mnt/calls")
[ "$output" = 'mmap works' ]
result $? 'files, sockets, processes, BPF programs cannot be opened any more'

calls_are_listed()
{
	local tracer calls readers=()

	strace -f -qq -o "$here/trace" -p "$server" 2> "$here/strace" &
	tracer=$!
	soon grep -q '^TracerPid:.[1-9]' "/proc/$server/status" || return
	for _ in {1..8}; do
		cat "$mnt/first" "$mnt/first" > /dev/null &
		readers+=($!)
	done
	echo 3 > "$mnt/first"
	wait "${readers[@]}"
	umount "$mnt"
	wait "$tracer"
	calls=$(sed -nE 's/^[0-9]+ +(<\.\.\. )?([a-z_0-9]+)[( ].*/\2/p' "$here/trace" | sort -u)
	output=$(comm -23 <(echo "$calls") <("$FRAME" --calls | cut -f 1 | sort -u))
	[ -n "$calls" ] && [ -z "$output" ]
}

if command -v strace > /dev/null; then
	calls_are_listed
	result $? 'strace shows only calls of the list, to the end'
else
	umount "$mnt"
	skip 'strace shows only calls of the list, to the end' 'no strace'
fi
diff <("$FRAME" --calls) <(awk '/^SYSTEM CALLS/ { table = 1 }
	table && /^``/ { name = $0; gsub("`", "", name) }
	/^    / && name { sub("^    ", ""); print name "\t" $0 }
	/^SEE ALSO/ { exit }' "$top/docs/man/bpffs-fuse.8.rst") > "$here/diff" 2>&1
output=$(cat "$here/diff")
[ ! -s "$here/diff" ]
result $? 'the manual has these calls and reasons'

# --- ending ---

rm "$pins/map"
soon no_map && soon ended "$server" && soon ended "$keeper"
result $? 'after umount, there is neither map nor process'

new_map
mount_it -o backend=fuse
processes
rm "$pins/map"
kill -TERM "$server"
soon unmounted && soon no_map && soon ended "$server" && soon ended "$keeper"
result $? 'SIGTERM of the server unmounts'

new_map
mount_it -o backend=fuse
processes
rm "$pins/map"
exec 5< "$mnt/first"
kill -TERM "$keeper"
soon unmounted && [ "$(cat <&5)" = 0 ] && ! ended "$server"
result $? 'SIGTERM of the keeper unmounts, what is open goes on'
exec 5<&-
soon no_map && soon ended "$server" && soon ended "$keeper"
result $? 'and ends with its last file'

new_map
mount_it -o backend=fuse
processes
rm "$pins/map"
kill -KILL "$server"
soon no_map && soon ended "$keeper"
result $? 'SIGKILL releases the map'
run cat "$mnt/first"
[[ $output == *'Transport endpoint is not connected' ]]
result $? 'and leaves a mount that says ENOTCONN'
run "${umount[@]}"
[ "$status" -eq 0 ] && unmounted
result $? 'which bpf_umount() clears'

# --- refusals ---

new_map
refuses 'what the file system refuses comes as it says it' 32 'mode: "mode=999" is refused' \
	mount.bpffs -o backend=fuse,mode=999 "$pins/map" "$mnt"
FRONT_DIES=1 refuses 'a server that dies has mounted nothing' 32 'ended before the mount stood' \
	mount.bpffs -o backend=fuse "$pins/map" "$mnt"
BPFFS_FUSE_DAEMON=$here/none refuses 'without bpffs-fuse, it is said' 32 'package bpffs-fuse' \
	mount.bpffs -o backend=fuse "$pins/map" "$mnt"
refuses 'no such backend' 32 'none of auto, kernel and fuse' \
	mount.bpffs -o backend=cloud "$pins/map" "$mnt"
refuses 'pin is of the module' 32 'pinonly' mount.bpffs -o backend=fuse,pin "$pins/map" "$mnt"
refuses 'pinonly has no backend' 32 'would do nothing' \
	mount.bpffs -o backend=fuse,pinonly "$pins/map" "$mnt"
refuses 'a directory that is not there' 32 'No such file' \
	mount.bpffs -o backend=fuse "$pins/map" "$mnt/none/such"
! processes
result $? 'after refusals there is no process'

if ! grep -q '\bbpffs$' /proc/filesystems; then
	refuses 'backend=kernel asks for the module' 32 'no file system bpffs' \
		mount.bpffs -o backend=kernel "$pins/map" "$mnt"
	mount_it -v
	[ "$status" -eq 0 ] && [[ $output == *'the kernel has no file system bpffs'* ]]
	result $? 'without the module, FUSE it is'
	umount "$mnt"
else
	skip 'backend=kernel asks for the module' 'it is loaded'
	skip 'without the module, FUSE it is' 'it is loaded'
fi

# --- ro, rw, other names ---

mount_it -o backend=fuse,ro
[[ $(findmnt -no OPTIONS "$mnt") == ro,* ]] && ! echo 1 2>&- > "$mnt/first"
result $? 'ro'
umount "$mnt"
mount_it -o backend=fuse
run mount.bpffs -o remount,ro,key=hex "$pins/map" "$mnt"
[ "$status" -eq 0 ] && ! echo 1 2>&- > "$mnt/first"
result $? 'remount ro'
run mount.bpffs -o "remount,rw,user_id=0,group_id=0,default_permissions,allow_other" \
	"$pins/map" "$mnt"
[ "$status" -eq 0 ] && echo 1 2>&- > "$mnt/first"
result $? 'remount rw, as mount(8) calls it'
umount "$mnt"
ln -s "$(command -v mount.bpffs)" "$here/mount.fuse.bpffs"
run "$here/mount.fuse.bpffs" "$pins/map" "$mnt"
[ "$status" -eq 0 ] && [ "$(cat "$mnt/first")" = 1 ] &&
	[ "$(findmnt -no FSTYPE "$mnt")" = fuse.bpffs ]
result $? 'mount.fuse.bpffs'
umount "$mnt"

# --- mount(8) ---

# It looks in /sbin, where there may be another one, or none.
mkdir "$here/sbin"
if mount -t tmpfs tmpfs "$here/sbin" && mkdir "$here"/sbin/{upper,work} &&
   mount -t overlay -o "lowerdir=/usr/sbin,upperdir=$here/sbin/upper,workdir=$here/sbin/work" \
	overlay /usr/sbin; then
	helper=$(command -v mount.bpffs)
	rm -f /usr/sbin/mount.bpffs /usr/sbin/mount.fuse.bpffs
	cp "$helper" /usr/sbin/mount.bpffs
	ln -s mount.bpffs /usr/sbin/mount.fuse.bpffs
	echo "$pins/map $mnt fuse.bpffs ro,key=hex,noauto 0 0" > "$here/fstab"
	run mount -T "$here/fstab" "$mnt"
	[ "$status" -eq 0 ] && ! echo 1 2>&- > "$mnt/first"
	result $? 'fstab: type fuse.bpffs'
	# The object was opened for reading only, as ro asked for.
	run mount -o remount,rw "$mnt"
	[ "$status" -eq 0 ] && [[ $(findmnt -no OPTIONS "$mnt") == rw,* ]] &&
		! echo 1 2>&- > "$mnt/first"
	result $? 'mount -o remount,rw, of what was mounted read-only'
	run mount -T "$here/fstab" -o remount,ro "$mnt"
	[ "$status" -eq 0 ] && ! echo 1 2>&- > "$mnt/first"
	result $? 'mount -o remount,ro with what fstab has'
	run umount "$mnt"
	[ "$status" -eq 0 ] && unmounted
	result $? 'umount(8)'
	echo "$pins/none $mnt bpffs backend=fuse,nofail 0 0" > "$here/fstab"
	run mount -a -T "$here/fstab"
	[ "$status" -eq 0 ] && unmounted
	result $? 'nofail'
	unshare -m sleep 1000 &
	other=$!
	soon eval '[ "$(readlink /proc/$other/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]'
	run mount -t bpffs -o backend=fuse -N "$other" "$pins/map" "$mnt"
	[ "$status" -eq 0 ] && unmounted && nsenter -m -t "$other" mountpoint -q "$mnt" &&
		[ "$(nsenter -m -t "$other" cat "$mnt/first")" = 1 ]
	result $? '-N: in another name space'
	kill "$other"
	wait "$other" 2>&-
	umount /usr/sbin
else
	skip 'mount(8)' 'no overlay file system here'
fi

# --- the library ---

run python3 - "$pins/map" << 'EOF'
import ctypes, os, sys
class Opts(ctypes.Structure):
    _fields_ = [("sz", ctypes.c_size_t)] + [(n, ctypes.c_char_p)
        for n in ("source", "options", "key", "value", "backend")]
lib = ctypes.CDLL(os.environ.get("LIB", "libbpffs.so.0"))
lib.bpf_mount_error.restype = ctypes.c_char_p
bpf = ctypes.CDLL("libbpf.so.1")
opts = Opts(sz=ctypes.sizeof(Opts), source=sys.argv[1].encode(), backend=b"fuse")
mnt = lib.bpf_mount_fd_detached(bpf.bpf_obj_get(sys.argv[1].encode()), ctypes.byref(opts))
if mnt < 0:
    sys.exit(lib.bpf_mount_error().decode())
print(os.read(os.open("first", os.O_RDONLY, dir_fd=mnt), 10))
EOF
[ "$status" -eq 0 ] && [ "$output" = "b'1\\n'" ] && soon eval '! processes'
result $? 'a detached mount is read, and goes with its descriptor'

many()
{
	for _ in {1..100}; do
		mount.bpffs -o backend=fuse "$pins/map" "$mnt" && umount "$mnt" || return
	done
	soon eval '! processes' && unmounted
}

many
result $? '100 mounts leave no process'

# --- an ordinary user ---

as_user() # COMMAND...
{
	setpriv --reuid "$user" --regid "$user" --clear-groups env BPFFS_FUSE_DAEMON="$FRAME" \
		PATH="$PATH" "$@"
}

if command -v fusermount3 > /dev/null && as_user test -x "$FRAME"; then
	# Where /dev is no udev's, it may be root's.
	mknod -m 0666 "$here/fuse" c 10 229
	mount --bind "$here/fuse" /dev/fuse
	chmod 0755 "$here"
	chown "$user" "$mnt"
	run as_user mount.bpffs -v "$pins/map" "$mnt" 6< /etc/passwd 9< /etc/passwd
	[ "$status" -eq 0 ] && [ "$(as_user cat "$mnt/first")" = 1 ]
	result $? 'an ordinary user mounts on a directory of theirs'
	processes
	output=$(ls -l "/proc/$server/fd" "/proc/$keeper/fd")
	[[ $output != *passwd* ]]
	result $? 'nothing else that the caller has open comes along'
	run cat "$mnt/first"
	[ "$status" -ne 0 ]
	result $? 'and nobody else sees it'
	processes
	[[ $(getpcaps "$server" "$keeper" 2>&1) == *"$server: ="$'\n'"$keeper: =" ]]
	result $? 'none of its processes has a capability'
	run as_user fusermount3 -u "$mnt"
	[ "$status" -eq 0 ] && unmounted && soon ended "$server" && soon ended "$keeper"
	result $? 'fusermount3 -u unmounts'
	as_user mount.bpffs "$pins/map" "$mnt"
	run as_user env LIB="${LIB:-libbpffs.so.0}" "${umount[@]}"
	[ "$status" -eq 0 ] && unmounted
	result $? 'so does bpf_umount()'
	as_user mount.bpffs "$pins/map" "$mnt"
	processes
	kill -TERM "$server"
	soon unmounted && soon ended "$server" && soon ended "$keeper"
	result $? 'so does SIGTERM'
	echo user_allow_other > "$here/fuse.conf"
	mount --bind "$here/fuse.conf" /etc/fuse.conf
	as_user mount.bpffs "$pins/map" "$mnt"
	[ "$(cat "$mnt/first")" = 1 ]
	result $? 'others see it if root allows that'
	umount "$mnt" /etc/fuse.conf
	chown 0 "$mnt"
	refuses 'not on a directory of root' 32 'fusermount3' \
		as_user mount.bpffs "$pins/map" "$mnt"
	soon eval '! processes'
	result $? 'after which there is no process'
	umount /dev/fuse
else
	skip 'an ordinary user' 'no fusermount3, or the program is out of their reach'
fi

finish
