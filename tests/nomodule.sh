#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bpffs-fuse as it is installed, from the mount to the umount: what its users do, what is
# left of it, what it may do. Of the second home only. As TAP.
[ "${BACKEND:-}" = fuse ] || exit 4
. "$(dirname "$0")/tap.sh"
here=$(mktemp -d)
mnt=$here/mnt
pins=$here/pins
daemon=/usr/libexec/bpffs/bpffs-fuse
sanitized() { grep -qaE '__[at]san_init' "$daemon"; }
# A virtual machine without KVM is slow, and so is a sanitizer's start.
many=1000
writes=1000
! sanitized || many=100
[ ! -d /run/vm ] || many=50 writes=300

cleanup()
{
	cd /
	umount -q "$mnt" "$pins"
	rm -rf "$here"
}
trap cleanup EXIT

chmod 0755 "$here"
mkdir "$mnt" "$pins"
mount -t bpf -o mode=0755 none "$pins"

no_map() { ! bpftool map show id "$id" > /dev/null 2>&1; }
no_process() { ! pgrep -x bpffs-fuse > /dev/null; }

# The server has /dev/fuse open; its parent is the keeper.
find_server()
{
	local pid

	server=
	for pid in $(pgrep -x bpffs-fuse); do
		[[ $(readlink /proc/"$pid"/fd/*) != */dev/fuse* ]] || server=$pid
	done
	[ -n "$server" ] && keeper=$(awk '/^PPid:/ { print $2 }' "/proc/$server/status")
}

export PYTHONPATH=$PWD PYTHONDONTWRITEBYTECODE=1

# --- A program makes a map, mounts it and ends ---

run python3 - "$mnt" << 'END'
from library import *
fd = hash_map(b"acceptance", 64)
for key in range(1, 9):
    put(fd, key, key * 10, key * 100)
mount(fd, sys.argv[1].encode())
END
[ "$status" -eq 0 ] && [ "$(findmnt -no SOURCE,FSTYPE "$mnt")" = 'map:acceptance fuse.bpffs' ]
result $? 'a program mounts its map, and ends'
id=$(cat "$mnt/.bpf/id")
bpftool map show id "$id" | grep -q acceptance
result $? 'the mount keeps the map'
[ "$(ls "$mnt" | sort -n | xargs)" = '1 2 3 4 5 6 7 8' ] &&
	[ "$(cat "$mnt/3")" = $'a=30\nb=300' ]
result $? 'ls, cat'
# shellcheck disable=SC2046
echo a=31 > "$mnt/3" &&
	[ "$(bpftool -j map lookup id "$id" key $(bytes 4 3) | jq -c '.value[:8] - ["0x00"]')" = '["0x1f"]' ] &&
	rm "$mnt/4" && ! bpftool map lookup id "$id" key $(bytes 4 4) 2>&- | grep -q '^value:'
result $? 'echo >, rm'
run tar -C "$mnt" -cf "$here/tar" .
[ "$status" -eq 0 ] && [ -z "$output" ] && [ "$(tar -tf "$here/tar" | wc -l)" -eq 8 ] &&
	rm "$mnt"/[1-3] && tar -C "$mnt" --overwrite -xf "$here/tar" &&
	[ "$(cat "$mnt/3")" = $'a=31\nb=300' ]
result $? 'tar'
mkdir "$here/copy"
rsync -a "$mnt/" "$here/copy/" && echo a=7 b=8 > "$here/copy/9" &&
	rsync -a --inplace "$here/copy/" "$mnt/" && [ "$(cat "$mnt/9")" = $'a=7\nb=8' ]
result $? 'rsync --inplace'
[ "$(wc -l < "$mnt/.bpf/table")" -eq 8 ] && grep -qx '9 a=7 b=8' "$mnt/.bpf/table" &&
	echo '9 a=1' > "$mnt/.bpf/table" && [ "$(cat "$mnt/9")" = $'a=1\nb=8' ]
result $? '.bpf/table'
cat "$mnt/.bpf/raw" > "$here/raw" && rm "$mnt"/* && [ -z "$(ls "$mnt")" ] &&
	cat "$here/raw" > "$mnt/.bpf/raw" && [ "$(ls "$mnt" | wc -l)" -eq 8 ] &&
	[ "$(cat "$mnt/9")" = $'a=1\nb=8' ]
result $? '.bpf/raw'
run bpffs json "$mnt"
[ "$status" -eq 0 ] && [ "$(wc -l <<< "$output")" -eq 8 ] &&
	grep -qxF '{"name":"9","key":9,"value":{"a":1,"b":8}}' <<< "$output"
result $? 'bpffs json'
umount "$mnt" && soon no_map
result $? 'umount, and the map is gone'

# --- What it may do ---

bpftool map create "$pins/map" type hash key 4 value 16 entries 64 name acceptance
mount_it() { run mount.bpffs -o backend=fuse,key=u32,value=a=u64:b=u64 "$pins/map" "$mnt"; }

mount_it
find_server
# As bpffs-fuse(8) says.
output=$(getpcaps "$server" "$keeper" 2>&1)
[[ $output == *"$server: ="$'\n'"$keeper: cap_sys_admin=ep" ]]
result $? 'getpcaps: nothing for who serves, CAP_SYS_ADMIN for who unmounts'
use_everything()
{
	echo a=1 b=2 > "$mnt/1"
	echo a=2 >> "$mnt/1"
	echo a+=1 > "$mnt/1"
	cat "$mnt/1"
	echo a=x > "$mnt/1"
	: > "$mnt/2"
	touch "$mnt/2"
	truncate -s 0 "$mnt/2"
	mv "$mnt/2" "$mnt/3"
	ls -la "$mnt"
	stat -f "$mnt"
	tar -C "$mnt" -cf - .
	grep -r . "$mnt/.bpf"
	cat "$mnt/.bpf/raw" > "$here/raw"
	cat "$here/raw" > "$mnt/.bpf/raw"
	cat "$mnt/.bpf/table" > "$here/table"
	cat "$here/table" > "$mnt/.bpf/table"
	bpffs json "$mnt"
	rm "$mnt"/*
} > "$here/used" 2>&1
calls_are_listed()
{
	local tracer calls

	strace -f -qq -o "$here/trace" -p "$server" 2> "$here/strace" &
	tracer=$!
	soon grep -q '^TracerPid:.[1-9]' "/proc/$server/status" || return
	use_everything
	umount "$mnt"
	wait "$tracer"
	calls=$(sed -nE 's/^[0-9]+ +(<\.\.\. )?([a-z_0-9]+)[( ].*/\2/p' "$here/trace" | sort -u)
	output=$(comm -23 <(echo "$calls") <("$daemon" --calls | cut -f 1 | sort -u) |
		while read -r call; do grep -m 3 "$call(" "$here/trace"; done)
	[ "$(wc -w <<< "$calls")" -gt 3 ] && [ -z "$output" ] &&
		! grep -q 'SIGSYS\|ENOSYS' "$here/trace"
}
if command -v strace > /dev/null && ! sanitized; then
	calls_are_listed
	result $? 'strace: only calls of its list, and none that it is refused'
else
	umount "$mnt"
	skip 'strace: only calls of its list, and none that it is refused' 'no strace, or a sanitizer'
fi
soon no_process
result $? 'nothing runs any more'
refuses 'a list of calls that cannot be written' 1 'standard output: No space left' \
	sh -c '"$1" --calls > /dev/full' - "$daemon"

# --- A user ---

as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; }

if command -v fusermount3 > /dev/null && [ -w /dev/fuse ]; then
	mkdir "$here/theirs"
	chown 1000:1000 "$here/theirs"
	# fusermount3 is set-uid, which a bounding set without capabilities makes useless.
	as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all "$@"; }
	cat > "$here/user.py" << 'END'
from library import *
import subprocess
fd = hash_map(b"given", 16)
put(fd, 1, 2, 3)
os.dup2(fd, 9)
os.set_inheritable(9, True)
sys.exit(subprocess.call(sys.argv[1:], pass_fds=[9]))
END
	run python3 "$here/user.py" setpriv --reuid 1000 --regid 1000 --clear-groups \
		mount.bpffs -o fd=9,key=u32,value=a=u64:b=u64 none "$here/theirs"
	[ "$status" -eq 0 ] && [ "$(as_user cat "$here/theirs/1")" = $'a=2\nb=3' ]
	result $? 'user 1000 mounts the descriptor that it was given'
	as_user sh -c "echo a=5 > '$here/theirs/1' && echo a=1 b=1 > '$here/theirs/2' &&
		rm '$here/theirs/2'" && [ "$(as_user cat "$here/theirs/1")" = $'a=5\nb=3' ]
	result $? 'and writes, and removes'
	id=$(as_user cat "$here/theirs/.bpf/id")
	run setpriv --reuid 1001 --regid 1001 --clear-groups ls "$here/theirs"
	[ "$status" -ne 0 ] && run ls "$here/theirs" && [ "$status" -ne 0 ]
	result $? 'others cannot enter, root neither'
	run as_user fusermount3 -u "$here/theirs"
	[ "$status" -eq 0 ] && soon no_map && soon no_process
	result $? 'and unmounts: the map is gone'
else
	skip 'a user' 'no fusermount3, or /dev/fuse is not for everybody'
fi

# --- What is left ---

processes() { pgrep -c .; }
before=$(processes)
run python3 - "$mnt" "$many" << 'END'
from library import *
directory, many = sys.argv[1].encode(), int(sys.argv[2])
fd = hash_map(b"acceptance", 4)
descriptors = len(os.listdir("/proc/self/fd"))
for i in range(many):
    mount(fd, directory)
    must(lib.bpf_umount(directory, 0))
if len(os.listdir("/proc/self/fd")) != descriptors:
    sys.exit("descriptors are left")
print(map_id(fd))
END
id=$output
[ "$status" -eq 0 ] && soon no_map && soon no_process && [ "$(processes)" -le "$before" ]
result $? "$many mounts and umounts leave neither process, nor descriptor, nor map"

# --- Killed while elements are written ---

run python3 - "$mnt" "$writes" << 'END'
from library import *
import signal, subprocess, threading, time
directory, many = sys.argv[1], int(sys.argv[2])

def server():
    for pid in subprocess.check_output(["pgrep", "-x", "bpffs-fuse"]).split():
        path = "/proc/%d/fd" % int(pid)
        if any(os.readlink(path + "/" + n) == "/dev/fuse" for n in os.listdir(path)):
            return int(pid)

def write(done):
    try:
        for key in range(many):
            with open("%s/%d" % (directory, key), "w") as f:
                f.write("a=%d b=%d\n" % (key, key))
            done.append(key)
    except OSError:
        pass

def kill(part):
    fd = hash_map(b"acceptance", many)
    mount(fd, directory.encode())
    victim = server()
    done = []
    thread = threading.Thread(target=write, args=[done])
    thread.start()
    while len(done) < many * part // 6:
        time.sleep(0.0005)
    os.kill(victim, signal.SIGKILL)
    thread.join()
    must(lib.bpf_umount(directory.encode(), 0))
    found = [get(fd, key) for key in range(many)]
    for key in range(many):
        if found[key] not in (None, (key, key)):
            sys.exit("%d has %s" % (key, found[key]))
    for key in done:
        if not found[key]:
            sys.exit("%d was written, and is not there" % key)
    os.close(fd)
    return len(done) < many

# On a busy machine, this thread may come too late.
for part in range(1, 6):
    if not any(kill(part) for _ in range(20)):
        sys.exit("nothing was in the middle")
END
[ "$status" -eq 0 ]
result $? "SIGKILL in the middle of $writes writes leaves whole elements only"
soon no_process
result $? 'and no process'

finish
