#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Limits of memory, descriptors, processes and disks, many of everything, and ends at any
# moment: what is refused is refused in a sentence, nothing is lost, and nothing is left. Of
# both homes. As TAP.
#
# FULL=1 (and TIMEOUT=1500) takes full sizes: 1,000,000 keys, 10,000 mounts by the module;
# by FUSE it is 1,000, as each has twelve tasks, of which there are at most kernel.pid_max.
. "$(dirname "$0")/tap.sh"
here=$(mktemp -d)
mnt=$here/mnt
pins=$here/pins
group=
export PYTHONPATH=$PWD PYTHONDONTWRITEBYTECODE=1
# Python's own, which is no more than it needs.
export PYTHONMALLOC=malloc
fuse=
[ "${BACKEND:-}" != fuse ] || fuse=1
keys=100000 mounts=${fuse:+100} rounds=1 elements=200 step=1 processes=500
: "${mounts:=1000}"
# A virtual machine without KVM is slow.
[ ! -d /run/vm ] || keys=20000 mounts=100 elements=50 step=4 processes=100
if [ -n "${FULL:-}" ]; then
	keys=1000000 mounts=${fuse:+1000} rounds=10 elements=1000 step=1 processes=500
	: "${mounts:=10000}"
fi

cleanup()
{
	cd /
	drop_group
	umount -q "$mnt" "$pins" "$here/many" /run/mount
	umount -q "$here"/{memory,pids} 2>&-
	rm -rf "$here"
}
trap cleanup EXIT

# --- cgroups, of version 2, or of 1 where the controller is there ---

# One that has a file @NAME.FILE, which says @NUMBER; the kind without a name has none.
make_group() # [NAME FILE NUMBER]
{
	local file=/sys/fs/cgroup/cgroup.subtree_control

	group=/sys/fs/cgroup/bpffs
	if [ -n "${1:-}" ] && ! echo "+$1" 2>&- > "$file"; then
		mkdir -p "$here/$1"
		if ! mountpoint -q "$here/$1" && ! mount -t cgroup -o "$1" none "$here/$1" 2>&-; then
			group=
			return 1
		fi
		group=$here/$1/bpffs
	fi
	mkdir -p "$group" && { [ -z "${1:-}" ] || limit_group "$@"; }
}

limit_group() # NAME FILE NUMBER
{
	local file=$group/$1.$2

	[ -e "$file" ] || [ "$1.$2" != memory.max ] || file=$group/memory.limit_in_bytes
	echo "$3" > "$file"
}

in_group() { ( echo $BASHPID > "$group/cgroup.procs" && exec "$@" ); }

no_group() { [ ! -d "$group" ] || rmdir "$group" 2>&-; }

drop_group()
{
	[ -n "$group" ] || return 0
	[ ! -e "$group/cgroup.freeze" ] || echo 0 > "$group/cgroup.freeze"
	soon no_group && group=
}

# Those that are killed for memory are reported with a trace, as what is a fault: not to
# the console, on which the virtual machine's run looks for such.
quietly() # COMMAND...
{
	local levels status=0

	[ -z "${VIRTUAL_MACHINE:-}" ] || levels=$(cat /proc/sys/kernel/printk)
	[ -z "$levels" ] || echo 1 > /proc/sys/kernel/printk
	"$@" || status=$?
	[ -z "$levels" ] || echo "$levels" > /proc/sys/kernel/printk
	return "$status"
}

# --- What is there, and what is left ---

mkdir "$mnt" "$pins"
mount -t bpf -o mode=0755 none "$pins"

no_map() { ! bpftool map show id "$id" > /dev/null 2>&1; }
no_daemon() { ! pgrep -x bpffs-fuse > /dev/null; }
mounted() { mountpoint -q "$mnt" 2>&- || grep -qF " $mnt " /proc/mounts; }
nothing_left() { ! mounted && soon no_daemon; }

# Pinned, as it is what others open; with elements 0 to @COUNT - 1, @more have room.
new_map() # COUNT
{
	rm -f "$pins/map"
	python3 - "$1" "$pins/map" <<- 'END'
		from library import *
		count = int(sys.argv[1])
		fd = hash_map(b"acceptance", count + 1000)
		fill(fd, count)
		must(bpf.bpf_obj_pin(fd, sys.argv[2].encode()))
	END
	id=$(bpftool -j map show pinned "$pins/map" | jq .id)
}

options=key=u32,value=a=u64:b=u64
mount_it() { mount.bpffs -o "$options" "$pins/map" "$mnt"; }

# In whatever order: each element once, and whole.
all_there() # COUNT
{
	python3 - "$mnt/.bpf/table" "$1" <<- 'END'
		import sys
		lines = open(sys.argv[1]).read().splitlines()
		count = int(sys.argv[2])
		if len(lines) != count or set(lines) != {"%d a=%d b=%d" % (k, k, k) for k in range(count)}:
		    sys.exit("%d lines, or others than there should be" % len(lines))
	END
}

# The last of them are gone, and so is the map.
released() # NAME
{
	umount -q "$mnt"
	rm -f "$pins/map"
	soon no_map && nothing_left
	result $? "$1"
}

# Is it refused with one sentence, which names a limit, and nothing left; or does
# it work, but for a note in /run/mount? How often which is counted.
works_or_refuses() # COMMAND...
{
	run "$@"
	[[ $output != *@(Unknown error|Invalid argument|Bad file descriptor)* ]] || return
	if [ "$status" -eq 0 ] || [ "$status" -eq 16 ]; then
		worked=$((worked + 1))
		[ "$status$output" = 0 ] ||
			[[ $status$output == 16*'is mounted, but /run/mount cannot be updated: '* ]] ||
			return
		run cat "$mnt/7"
		[ "$output" = $'a=7\nb=7' ] && umount "$mnt"
	else
		refused=$((refused + 1))
		# The dynamic linker may have said why before, on a line of its own.
		output=${output#bpffs-fuse: error while loading shared libraries: *$'\n'}
		! mounted && [ "$(wc -l <<< "$output")" -eq 1 ] && [ -n "$output" ]
	fi
}

# --- RLIMIT_* of who mounts ---

new_map 100

limited() # OPTION OF ulimit, NUMBER
{
	( ulimit "$@" && mount_it )
}

# From what is not enough for anybody to what is enough for everybody.
sweep() # NAME OPTION NUMBER...
{
	local name=$1 option=$2 number

	shift 2
	worked=0 refused=0
	for number; do
		if ! works_or_refuses limited "$option" "$number"; then
			output="$option $number: status $status, $output"
			break
		fi
		output="worked $worked times, was refused $refused times"
		number=
	done
	[ -z "$number" ] && [ "$worked" -gt 0 ] && [ "$refused" -gt 0 ] && nothing_left
	result $? "$name"
}

# shellcheck disable=SC2046
if [ -z "${ASAN_OPTIONS:-}" ]; then
	sweep 'RLIMIT_AS: mounted, or refused in a sentence, and nothing left' -v \
		$(seq 3000 $((step * 1500)) 30000) $(seq 40000 $((step * 20000)) 200000) 1000000
else
	skip 'RLIMIT_AS: mounted, or refused in a sentence, and nothing left' \
		'AddressSanitizer needs all of it'
fi
# shellcheck disable=SC2046
sweep 'RLIMIT_NOFILE: mounted, or refused in a sentence, and nothing left' -n $(seq 4 "$step" 20) 64 300
works_or_refuses limited -f 0
result $? 'RLIMIT_FSIZE: mounted, or refused in a sentence'

if [ -n "$fuse" ]; then
	memory=
	[ -n "${ASAN_OPTIONS:-}" ] || memory='-Sv 1000000 -Sd 1000000'
	# shellcheck disable=SC2086
	( ulimit -St 10 -Sn 100 $memory && mount_it )
	output=$(grep -E '^Max (cpu time|address space|data size|open files)' \
		"/proc/$(pgrep -nx bpffs-fuse)/limits")
	awk '{ sub(/^Max [a-z]+ [a-z]+/, ""); if ($1 != $2) exit 1 }' <<< "$output"
	result $? "soft limits of who mounts are none of who serves others"
	umount "$mnt"
else
	skip "soft limits of who mounts are none of who serves others" 'nobody does'
fi

# --- RLIMIT_* of who reads: what the kernel does for it needs no memory of its own ---

mount_it
locking=()
# None of the memory is new when the limit comes. Of the module, .bpf/raw is the kernel's
# batch operations, which need memory in the address space of who reads: else, ENOMEM.
read_limited() # PROGRAM
{
	run "${locking[@]}" python3 - "$mnt" <<- END
		import ctypes, errno, os, resource, sys
		libc = ctypes.CDLL("libc.so.6", use_errno=True)
		room = bytearray(1 << 20)
		where = (ctypes.c_char * len(room)).from_buffer(room)
		table = os.open(sys.argv[1] + "/.bpf/table", os.O_RDONLY)
		raw = os.open(sys.argv[1] + "/.bpf/raw", os.O_RDONLY)
		root = os.open(sys.argv[1], os.O_RDONLY)
		one = os.open(sys.argv[1] + "/7", os.O_RDWR)
		$1
		sizes = [os.readv(f, [room]) for f in (table, raw, one)]
		# The first is a header.
		try:
		    sizes[1] += os.readv(raw, [room])
		except OSError as e:
		    assert e.errno == errno.ENOMEM and not "$fuse"
		    sizes[1] += 100 * 20
		total = 0
		while True:
		    n = libc.getdents64(root, where, len(room))
		    if n <= 0:
		        break
		    total += n
		wrote = os.pwrite(one, b"a=7", 0)
		sizes = ["table", sizes[0] > 1000, "raw", sizes[1] > 100 * 20, "one", sizes[2],
		         "names", n, total > 100 * 24, "wrote", wrote]
		os.write(1, (" ".join(map(str, sizes)) + "\\n").encode())
		os._exit(0)
	END
	[ "$status" -eq 0 ] && [ "$output" = 'table True raw True one 8 names 0 True wrote 3' ]
}

read_limited 'resource.setrlimit(resource.RLIMIT_AS, (0, resource.RLIM_INFINITY))'
result $? 'RLIMIT_AS of nothing: all is read and written'
# Nothing more may be mapped, as it could not be locked.
locking=(setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock)
read_limited 'assert libc.mlockall(2) == 0
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))'
result $? 'mlockall, and no more may be locked: all is read and written'
umount "$mnt"

run python3 - "$mnt" << 'END'
from library import *
libc = ctypes.CDLL("libc.so.6")
assert libc.mlockall(3) == 0
fd = hash_map(b"locked", 2000)
fill(fd, 1000)
mount(fd, sys.argv[1].encode())
assert len(os.listdir(sys.argv[1])) == 1001 - 1
assert len(open(sys.argv[1] + "/.bpf/table").readlines()) == 1000
open(sys.argv[1] + "/7", "w").write("a=8")
assert get(fd, 7) == (8, 7)
must(lib.bpf_umount(sys.argv[1].encode(), 0))
print(map_id(fd))
END
id=$output
[ "$status" -eq 0 ] && soon no_map && nothing_left
result $? 'mlockall of who mounts, reads and writes'

# --- /run/mount, where libmount notes options that no file system knows ---

full_disk() # OPTIONS of a tmpfs
{
	mkdir -p /run/mount
	mount -t tmpfs -o "$1" tmpfs /run/mount && head -c 8192 2>&- /dev/zero > /run/mount/full
	works_or_refuses mount.bpffs -o "$options,_netdev,X-note=1" "$pins/map" "$mnt" &&
		nothing_left
	status=$?
	umount -q /run/mount
	return "$status"
}

full_disk size=4k
result $? 'a full disk for /run/mount'
full_disk size=1m,nr_inodes=2
result $? 'a disk for /run/mount without an inode left'
full_disk size=4k,ro
result $? 'a disk for /run/mount that is read-only'

# --- pids: of a daemon, whose tasks are few ---

if make_group pids max max; then
	worked=0 refused=0
	for number in ${fuse:+$(seq 16)} 100; do
		limit_group pids max "$number"
		number="pids.max $number"
		if ! works_or_refuses in_group mount.bpffs -o "$options" "$pins/map" "$mnt" ||
		   ! soon no_daemon; then
			break
		fi
		number=
	done
	[ -z "$number" ] || output="$number: status $status, $output"
	[ -z "$number" ] && [ "$worked" -gt 0 ] && { [ -z "$fuse" ] || [ "$refused" -gt 8 ]; }
	result $? 'pids.max: mounted, or refused in a sentence, and no process left'
	drop_group
else
	skip 'pids.max: mounted, or refused in a sentence, and no process left' 'no controller pids'
fi
mount_it
all_there 100
result $? 'after all that was refused, all elements are there'
released 'and with umount and pin, the map is gone'

# --- A memory cgroup ---

new_map "$keys"
mount_it
count_lines() # COMMAND...: and all that is in the group is the command
{
	lines=$(in_group "$@" | wc -l)
	output="$* printed $lines lines, of $keys"
	[ "$lines" -eq "$keys" ]
}

if make_group memory max $((8 << 20)); then
	count_lines ls -1U "$mnt"
	result $? "$keys keys listed in 8 MiB"
	count_lines cat "$mnt/.bpf/table"
	result $? '.bpf/table in 8 MiB'
	[ "$(in_group cat "$mnt/.bpf/raw" | wc -c)" -ge $((keys * 20)) ]
	result $? '.bpf/raw in 8 MiB'
	[ "$(in_group cat "$mnt/.bpf/count")" -eq "$keys" ]
	result $? '.bpf/count in 8 MiB'
	count_lines bpffs json "$mnt"
	result $? 'bpffs json in 8 MiB'
	limit_group memory max $((16 << 20))
	# shellcheck disable=SC2016
	run quietly in_group python3 -c "import os
lists = [os.listdir('$mnt') for i in range(100)]"
	[ "$status" -eq 137 ]
	result $? 'the OOM killer ends who lists'
	drop_group
	all_there "$keys"
	result $? 'and then all elements are there'
	umount "$mnt"
else
	for name in "$keys keys listed in 8 MiB" '.bpf/table in 8 MiB' '.bpf/raw in 8 MiB' \
		'.bpf/count in 8 MiB' 'bpffs json in 8 MiB' 'the OOM killer ends who lists' \
		'and then all elements are there'; do
		skip "$name" 'no controller memory'
	done
	umount "$mnt"
fi

# Who serves has no memory left: each listing that somebody goes through has its keys there.
kill_for_memory()
{
	in_group mount.bpffs -o "$options" "$pins/map" "$mnt" || return
	[ "$(cat "$mnt/7")" = $'a=7\nb=7' ] || return
	run python3 - "$mnt" <<- 'END'
		import errno, os, resource, sys
		resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
		listings = []
		try:
		    for i in range(1000):
		        listings.append(os.scandir(sys.argv[1]))
		        next(listings[-1])
		except OSError as e:
		    print(errno.errorcode[e.errno])
	END
}

if [ -z "$fuse" ]; then
	skip 'the OOM killer ends who serves: ENOTCONN' 'nobody does'
	skip 'and umount clears it' 'nobody does'
elif make_group memory max $((24 << 20)); then
	kill_for_memory
	output="$status: $output, $(cat "$mnt/7" 2>&1)"
	[[ $output == '0: '@(ENOTCONN|ECONNABORTED)', '*'not connected' ]] && soon no_daemon
	result $? 'the OOM killer ends who serves: ENOTCONN'
	umount "$mnt" && nothing_left
	result $? 'and umount clears it'
	umount -q "$mnt"
	drop_group
else
	skip 'the OOM killer ends who serves: ENOTCONN' 'no controller memory'
	skip 'and umount clears it' 'no controller memory'
fi
mount_it
all_there "$keys"
result $? 'a new mount has all elements'

# --- The freezer ---

is_frozen() { grep -qx 'frozen 1' "$group/cgroup.events"; }

# Processes are there by their number: a reader that has begun cannot end, as nobody takes
# what it reads; only then it is frozen, or who serves it.
freeze_while() # WHOM COMMAND...
{
	local whom=$1 pid from lines

	shift
	coproc READ { exec "$@"; }
	pid=$READ_PID
	exec {from}<&"${READ[0]}"
	read -r -u "$from" _
	if [ "$whom" = reader ]; then
		echo "$pid" > "$group/cgroup.procs"
	else
		for whom in $(pgrep -x bpffs-fuse); do
			echo "$whom" > "$group/cgroup.procs"
		done
	fi
	echo 1 > "$group/cgroup.freeze"
	soon is_frozen || return
	if [ "$whom" = reader ]; then
		echo a=9 > "$mnt/0" && [ "$(head -n 1 "$mnt/0")" = a=9 ] && echo a=0 > "$mnt/0" &&
			! umount "$mnt" 2>&- || return
	else
		# Another one waits, and may be killed.
		cat "$mnt/7" > "$here/waits" &
		sleep 0.1
		kill -0 $! && [ ! -s "$here/waits" ] && kill -9 $! && ! wait $! 2>&- || return
		cat "$mnt/7" > "$here/waits" &
	fi
	(sleep 0.2; echo 0 > "$group/cgroup.freeze") &
	lines=$(wc -l <&"$from")
	exec {from}<&-
	wait 2>&-
	output="$((lines + 1)) lines"
	[ "$((lines + 1))" -eq "$keys" ] &&
		{ [ "$whom" = reader ] || [ "$(cat "$here/waits")" = $'a=7\nb=7' ]; }
}

make_group
if [ -e "$group/cgroup.freeze" ]; then
	freeze_while reader ls -1U "$mnt"
	result $? 'who lists is frozen, others go on; thawed, it gets all'
	freeze_while reader cat "$mnt/.bpf/table"
	result $? 'who reads the table is frozen, others go on; thawed, it gets all'
	if [ -n "$fuse" ]; then
		freeze_while server ls -1U "$mnt"
		result $? 'who serves is frozen while names are listed; thawed, all is there'
		freeze_while server cat "$mnt/.bpf/table"
		result $? 'who serves is frozen while the table is read; thawed, all is there'
	else
		skip 'who serves is frozen while names are listed; thawed, all is there' 'nobody does'
		skip 'who serves is frozen while the table is read; thawed, all is there' 'nobody does'
	fi
else
	for name in 'who lists is frozen, others go on; thawed, it gets all' \
		'who reads the table is frozen, others go on; thawed, it gets all' \
		'who serves is frozen while names are listed; thawed, all is there' \
		'who serves is frozen while the table is read; thawed, all is there'; do
		skip "$name" 'no cgroup.freeze'
	done
fi
umount "$mnt"
drop_group
mount_it
all_there "$keys"
result $? 'nothing was lost'
released 'and umount has released the map'

# --- Many mounts of one map ---

mkdir "$here/many"
mount -t tmpfs tmpfs "$here/many"
run python3 - "$here/many" "$mounts" << 'END'
from library import *
import time
top, count = sys.argv[1], int(sys.argv[2])
fd = hash_map(b"acceptance", 100)
fill(fd, 10)
began = time.monotonic()
for i in range(count):
    directory = "%s/%d" % (top, i)
    os.mkdir(directory)
    mount(fd, directory.encode())
mounted = time.monotonic()
# What one of them changes, all others show.
open(top + "/0/3", "w").write("a=5")
for i in range(count):
    text = open("%s/%d/3" % (top, i)).read()
    if text != "a=5\nb=3\n":
        sys.exit("%d has %s" % (i, text))
looked = time.monotonic()
for i in range(0, count, count // 10):
    must(lib.bpf_umount(b"%s/%d" % (top.encode(), i), 0))
print(map_id(fd), "%.1f s to mount, %.1f s to look, %.1f s to unmount ten of them" %
      (mounted - began, looked - mounted, time.monotonic() - looked))
END
id=${output%% *}
printf '# %s mounts: %s\n' "$mounts" "${output#* }"
[ "$status" -eq 0 ] && [ "$(grep -c " $here/many/[0-9]* $fstype " /proc/mounts)" -eq $((mounts - 10)) ]
result $? "$mounts mounts of a map"
umount -l "$here/many" && soon no_map && soon no_daemon
result $? 'their directory is unmounted, and all is gone with it'

# --- Many processes at once ---

new_map 500
mount_it
run python3 - "$mnt" "$processes" << 'END'
import os, sys
directory, count = sys.argv[1], int(sys.argv[2])
ready, go = os.pipe()

names_there = {str(k) for k in range(500)}
lines_there = {"%d a=%d b=%d" % (k, k, k) for k in range(500)}

def work(key):
    name = "%s/%d" % (directory, key)
    if open(name).read() != "a=%d\nb=%d\n" % (key, key):
        return "read"
    mine = "%s/%d" % (directory, 100000 + key)
    with open(mine, "w") as f:
        f.write("a=%d b=%d\n" % (key, key))
    names = os.listdir(directory)
    if str(100000 + key) not in names or not names_there <= set(names):
        return "list"
    if len(set(names)) != len(names):
        return "list twice"
    lines = open(directory + "/.bpf/table").read().splitlines()
    if not lines_there <= set(lines):
        return "table"
    os.unlink(mine)
    return None

children = {}
for key in range(count):
    pid = os.fork()
    if not pid:
        os.close(go)
        os.read(ready, 1)
        try:
            what = work(key)
        except OSError as e:
            what = str(e)
        if what:
            os.write(1, ("%d: %s\n" % (key, what)).encode())
        os._exit(1 if what else 0)
    children[pid] = key
# All at once: the end of a pipe that all read from.
os.close(go)
bad = 0
while children:
    pid, status = os.wait()
    del children[pid]
    bad += status != 0
sys.exit(bad != 0)
END
result "$status" "$processes processes read, list, make and remove at once"
all_there 500
result $? 'and all elements are there, and no others'
umount "$mnt"

mkdir "$here/at-once"
run python3 - "$here/at-once" "$pins/map" "${FULL:+500}" << 'END'
from library import *
top, count = sys.argv[1], int(sys.argv[3] or 50)
fd = must(bpf.bpf_obj_get(sys.argv[2].encode()))
ready, go = os.pipe()
children = set()
for i in range(count):
    pid = os.fork()
    if not pid:
        os.close(go)
        os.read(ready, 1)
        directory = "%s/%d" % (top, i)
        os.mkdir(directory)
        mount(fd, directory.encode())
        good = open(directory + "/%d" % (i % 500)).read() == "a=%d\nb=%d\n" % (i, i)
        must(lib.bpf_umount(directory.encode(), 0))
        os._exit(not good)
    children.add(pid)
os.close(go)
bad = 0
while children:
    pid, status = os.wait()
    children.remove(pid)
    bad += status != 0
sys.exit(bad and "%d failed" % bad)
END
[ "$status" -eq 0 ] && nothing_left
result $? 'many mount and unmount at once'

# --- SIGKILL at random, in every operation ---

# What is to be done with @mnt, which is mounted but for the first; each several times.
cat > "$here/operations" << 'END'
mount	mount.bpffs -o key=u32,value=a=u64:b=u64 $PIN $MNT
remount	mount.bpffs -o remount,ro none $MNT; mount.bpffs -o remount,rw none $MNT
snapshot	mount.bpffs -o key=u32,value=a=u64:b=u64,snapshot $PIN $MNT
umount	umount $MNT
list	ls -l $MNT > /dev/null
read	cat $MNT/* > /dev/null
write	for i in $(seq $((N / 2)) $((N - 1))); do echo a=$i b=$i > $MNT/$i; done
make and remove	for i in $(seq $N $((N + N / 5))); do echo a=$i b=$i > $MNT/$i; rm $MNT/$i; done
rename	for i in $(seq $N $((N + N / 5))); do echo a=$i b=$i > $MNT/$i; mv $MNT/$i $MNT/$((i + N / 2)); done
rm	rm -f $MNT/1*
table read	cat $MNT/.bpf/table > /dev/null
table written	cat $TABLE > $MNT/.bpf/table
raw read	cat $MNT/.bpf/raw > /dev/null
raw written	cat $RAW > $MNT/.bpf/raw
count	cat $MNT/.bpf/count > /dev/null; df -i $MNT > /dev/null
tar	tar -C $MNT -cf - . > /dev/null
bpffs json	bpffs json $MNT > /dev/null
bpffs top	bpffs top -b -n 2 -d 0.1 $MNT > /dev/null
END
new_map "$elements"
mount_it
cp "$mnt/.bpf/table" "$here/table"
cat "$mnt/.bpf/raw" > "$here/raw"
umount "$mnt"
cat > "$here/kill.py" << 'END'
from library import *
import random, signal, subprocess, time
pin, mnt, rounds, whom = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
count = int(sys.argv[6])
environ = dict(os.environ, N=str(count), PIN=pin, MNT=mnt, TABLE=sys.argv[5] + "/table", RAW=sys.argv[5] + "/raw")
fd = must(bpf.bpf_obj_get(pin.encode()))
seed = random.randrange(1 << 32)
random.seed(seed)
print("seed %d" % seed)

def servers():
    return [int(pid) for pid in subprocess.run(["pgrep", "-x", "bpffs-fuse"],
            stdout=subprocess.PIPE).stdout.split()]

def is_mounted():
    return any(line.split()[1] == mnt for line in open("/proc/mounts"))

def start(command):
    return subprocess.Popen(["bash", "-c", command], env=environ, start_new_session=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)

def unmount():
    for i in range(200):
        while is_mounted():
            subprocess.run(["umount", mnt], stderr=subprocess.DEVNULL)
        if not servers():
            return
        time.sleep(0.05)
    sys.exit("processes are left: %s" % servers())

def check(name):
    # What there is of an element is the whole, whoever was killed when; none is another's.
    for key in range(2 * count):
        found = get(fd, key)
        # What is made is zero until it is written.
        made = (0, 0) if key >= count // 2 else None
        # A copy of another, of which it has the value.
        if name == "rename" and found and key >= count:
            made = (found[0], found[0])
        if found not in (None, (key, key), made):
            sys.exit("%s: %d has %s" % (name, key, found))
        if not found and key < count and name != "rm":
            sys.exit("%s: %d is lost" % (name, key))
    if not is_mounted():
        mount(fd, mnt.encode())
    names = os.listdir(mnt)
    if len(names) != len(set(names)) or not all(n.isdigit() and int(n) < 2 * count for n in names):
        sys.exit("%s: %s" % (name, names))
    fill(fd, count)
    for key in range(count, 2 * count):
        drop(fd, key)
    if open(mnt + "/7").read() != "a=7\nb=7\n":
        sys.exit("%s: cannot be used after" % name)

mounting = ("mount", "snapshot")
for line in open(sys.argv[5] + "/operations"):
    name, command = line.rstrip("\n").split("\t")
    took = 1
    for i in range(rounds + 1):
        if is_mounted() == (name in mounting):
            unmount() if name in mounting else mount(fd, mnt.encode())
        process = start(command)
        began = time.monotonic()
        if i:
            time.sleep(random.random() * took)
            # One ends with the other, and some are no more.
            for pid in servers() if whom == "server" else [-process.pid]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        process.wait(timeout=100)
        if not i:
            took = time.monotonic() - began
        if whom == "server" and i:
            unmount()
        check(name)
unmount()
END
kill_all() # NAME WHOM
{
	run python3 "$here/kill.py" "$pins/map" "$mnt" "$rounds" "$2" "$here" "$elements"
	[ "$status" -eq 0 ] && nothing_left
	result $? "$1"
}

many=$(wc -l < "$here/operations")
kill_all "SIGKILL of who asks, at random in $many operations" client
if [ -n "$fuse" ]; then
	kill_all "SIGKILL of who serves, at random in $many operations" server
else
	skip "SIGKILL of who serves, at random in $many operations" 'nobody does'
fi
released 'and the map is released'

finish
