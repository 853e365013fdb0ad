#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that others have made to test file systems and kernels, on mounts of both homes:
# stress-ng, fio and trinity do what they do, the elements are as they must be, and nothing
# is left. As TAP. "run" puts it where the programs are.
# shellcheck source=tests/tap.sh
. /usr/libexec/bpffs/tests/tap.sh
tools=$(cd "$(dirname "$0")" && pwd)
here=$(mktemp -d)
pins=$here/pins
mnt=$here/mnt
export PATH=$PATH:$tools/bin
libraries=$tools/lib
fuse=
[ "${BACKEND:-}" != fuse ] || fuse=1

cleanup()
{
	cd /
	umount -ql "$here"/rooms/* "$mnt" "$pins" 2>&-
	rm -rf "$here"
}
trap cleanup EXIT
chmod 0755 "$here"
mkdir "$pins" "$mnt" "$here"/{rooms,work}
chmod 1777 "$here/work"
mount -t bpf none "$pins"
cd "$here/work" || exit

note() { printf '# %s\n' "$*"; }

# --- A map, its elements, and its end ---

no_map() { ! bpftool map show id "$id" > /dev/null 2>&1; }
no_daemon() { [ -z "$fuse" ] || ! pgrep -x bpffs-fuse > /dev/null; }
no_process() { ! pgrep -x "$1" > /dev/null; }
unmounted() { umount "$mnt" 2>&-; }

new_map() # KEY_SIZE VALUE_SIZE OPTIONS
{
	bpftool map create "$pins/map" type hash key "$1" value "$2" entries 20000 name foreign &&
		mount.bpffs -o "$3" "$pins/map" "$mnt" || exit
	id=$(bpftool -j map show pinned "$pins/map" | jq .id)
}

# All of it, as bpf(2) has it: a line each, the key's bytes and the value's, in order.
by_bpf()
{
	bpftool -j map dump pinned "$pins/map" |
		jq -r '.[] | [.key, .value | map(ltrimstr("0x")) | add] | join(" ")' | sort
}

# The same by .bpf/table, of a key and a value in hex.
by_table() { sort "$mnt/.bpf/table"; }

# After @PROGRAM, the mount goes, and the map with it.
released() # PROGRAM
{
	local left=

	soon no_process "$1" || left="a process of $1"
	# Who has been killed may still have a file open for a moment.
	soon unmounted || left+=" the mount"
	rm "$pins/map"
	soon no_map || left+=" the map"
	soon no_daemon || left+=" the daemon"
	output="left: $left"
	[ -z "$left" ]
	result $? "$1: no process is left, the mount and the map go"
}

# What @PROGRAM would have tested.
absent() # PROGRAM
{
	[ ! -x "$tools/bin/$1" ] || return 1
	skip "$1" 'the package cannot be had'
}

# --- stress-ng: calls on names and files, several processes at once ---

# The bogo operations of all of them; nothing where it has not come to them.
stress() # NAME PROCESSES OPERATIONS SECONDS
{
	local arguments=("--$1" "$2" "--$1-ops" "$3")

	[ "$1" != fstat ] || arguments+=(--fstat-dir "$mnt")
	rm -f "$here/yaml"
	run env LD_LIBRARY_PATH="$libraries" LD_PRELOAD="$tools/rooms.so" ROOMS="$here/rooms" \
		MAP="$mnt" timeout -k 10 "$(($4 + 120))" stress-ng --verify --no-rand-seed \
		--temp-path "$here/rooms" --timeout "$4" --metrics --yaml "$here/yaml" "${arguments[@]}"
	operations=$(sed -nE 's/^ +bogo-ops: //p' "$here/yaml" 2>&-)
}

stay()
{
	local name

	for name in stays.{1..9}; do
		[ "$(cat "$mnt/$name" 2>&1)" = "value.of.$name" ] || return
	done
}

stressors()
{
	local name how why total=0 many=0 refused=0 bad='' all

	new_map 64 64 key=str64,value=str64
	for name in stays.{1..9}; do
		echo "value.of.$name" > "$mnt/$name"
	done
	while IFS=$'\t' read -r name how why; do
		case $name,$how in
		'#'*|*,no)
			;;
		*,refused)
			stress "$name" 4 20 2
			refused=$((refused + 1))
			# By a signal, or it does not end.
			[ "$status" -lt 100 ] && stay || bad+="$name: status $status, $output"$'\n'
			find "$mnt" -type f -not -name 'stays.*' -delete
			[ "$(find "$here/rooms" -mindepth 1)" = '' ] || bad+="$name: rooms are left"$'\n'
			# What the text says could be wrong.
			note "$name: ${operations:-0} operations; $why"
			;;
		*)
			stress "$name" "$how" 200 100
			[ "$status" -eq 0 ] && [ "${operations:-0}" -ge 200 ] && stay
			result $? "stress-ng $name: ${operations:-no} operations"
			total=$((total + ${operations:-0}))
			many=$((many + 1))
			;;
		esac
	done < "$tools/stressors"
	output=$bad
	[ -z "$bad" ] && [ "$refused" -gt 0 ]
	result $? "stress-ng: $refused stressors that cannot, and what is there stays"
	find "$mnt" -type f -not -name 'stays.*' -delete
	output=$(by_bpf | wc -l)
	[ "$output" -eq 9 ] && stay
	result $? 'stress-ng: the elements are as they were'
	all=$(LD_LIBRARY_PATH=$libraries stress-ng --class 'filesystem?' --class 'io?' 2>&1 |
		sed -nE "s/^class '[a-z]+' stressors: //p" | xargs -n 1)
	note "stress-ng: not in the list:" \
		"$(grep -vxFf <(cut -f 1 "$tools/stressors") <<< "$all" | xargs)"
	note "stress-ng: $total operations of $many stressors"
	released stress-ng
}

# --- fio: reads and writes of whole texts, which it compares ---

text() # DIGIT: of a value of 32 bytes
{
	printf '%064d' "$1"
}

# Reads and writes of two jobs, each of 100 files and a value of its own.
fio_rw() # ENGINE
{
	cat > "$here/job" <<- END
		[global]
		ioengine=$1
		directory=$mnt
		rw=randrw
		bs=65
		filesize=65
		nrfiles=100
		openfiles=20
		file_service_type=random
		io_size=$((65 * rounds))
		fallocate=none
		invalidate=0
		verify=pattern
		verify_fatal=1
		[one]
		filename_format=1\$filenum
		verify_pattern="$(text 1)"0x0a
		[two]
		filename_format=2\$filenum
		verify_pattern="$(text 2)"0x0a
	END
	do_fio "$here/job"
}

do_fio() # ARGUMENT...
{
	rm -f "$here/json"
	run env LD_LIBRARY_PATH="$libraries" timeout -k 10 300 fio --output-format=json \
		--output="$here/json" "$@"
	read -r reads writes errors < <(jq -r '[[.jobs[].read.total_ios], [.jobs[].write.total_ios],
		[.jobs[].error]] | map(add) | join(" ")' "$here/json" 2>&-)
	output+=$(head -n 50 "$here/json" 2>&-)
	total=$((total + ${reads:-0} + ${writes:-0}))
}

# A hundred of each value, as bpf(2) has them.
two_values()
{
	output=$(by_bpf | cut -d ' ' -f 2 | sort | uniq -c | awk '{ print $1, $2 }')
	[ "$output" = "100 $(text 1)"$'\n'"100 $(text 2)" ]
}

# fio's names, 1 or 2 before a number.
file_jobs()
{
	local engine key total=0 rounds=1000

	[ ! -d /run/vm ] || rounds=300
	new_map 4 32 key=u32,value=hex32
	for key in {0..99}; do
		text 1 > "$mnt/1$key"
		text 2 > "$mnt/2$key"
	done
	for engine in sync psync vsync pvsync pvsync2 splice libaio posixaio io_uring; do
		fio_rw "$engine"
		[ "$status" -eq 0 ] && [ "$errors" = 0 ] && [ "$((reads + writes))" -ge "$((2 * rounds))" ] &&
			[ "$writes" -gt 0 ] && two_values
		result $? "fio $engine: ${reads:-no} reads, ${writes:-no} writes, all compared"
	done
	fio_rw mmap
	[ "$status" -ne 0 ] && [ "$errors" -eq $((2 * 19)) ] && two_values
	result $? 'fio mmap: ENODEV'
	# It does compare.
	text 2 > "$mnt/150"
	do_fio --name=wrong --ioengine=psync --directory="$mnt" --rw=read --bs=65 --filesize=65 \
		--nrfiles=100 --filename_format='1$filenum' --invalidate=0 --verify=pattern \
		--verify_fatal=1 --verify_pattern="\"$(text 1)\"0x0a"
	[ "$status" -ne 0 ] && [ "$errors" -eq 84 ]
	result $? 'fio psync: finds a value that is another'
	text 1 > "$mnt/150"
	for engine in filecreate:400 filestat:400 filedelete:200; do
		do_fio --name=files --ioengine="${engine%:*}" --directory="$mnt" --rw=read --bs=65 \
			--filesize=65 --nrfiles=200 --openfiles=1 --fallocate=none --filename_format='5000$filenum'
		output+=$(ls -U "$mnt")
		[ "$status" -eq 0 ] && [ "$errors" = 0 ] && [ "$reads" -eq 200 ] &&
			[ "$(ls -U "$mnt" | wc -l)" -eq "${engine#*:}" ]
		result $? "fio ${engine%:*}: ${reads:-no} files"
	done
	two_values
	result $? 'fio: the elements are as they were'
	note "fio: $total operations"
	released fio
}

# --- trinity: system calls with whatever comes, on the files of a mount ---

# Those for files, on the mount's and none else: in the virtual machine also as root, on
# another one as a user whose memory, files and processes are few. But for permissions by
# fanotify, which taint the kernel, as a fault does.
fuzz() # USER OPTIONS ARGUMENT...
{
	local user=$1 lines files key calls=20000 limits=() before after

	[ ! -d /run/vm ] || calls=5000
	new_map 4 32 "key=hex,value=hex,uid=$user"
	for key in {0..99}; do
		printf '%s\n' "$(text "$key")" > "$mnt/$(printf '%08d' "$key")"
	done
	[ "$2" = rw ] || mount.bpffs -o "remount,$2" none "$mnt"
	before=$(by_bpf)
	[ -n "${VIRTUAL_MACHINE:-}" ] ||
		limits=(prlimit --as=4000000000 --fsize=1000000 --nproc=200 --core=0)
	run "${limits[@]}" setpriv --reuid "$user" --regid "$user" --clear-groups \
		env -C "$here/work" timeout -k 10 400 trinity -q -l off -g vfs -C 4 -N "$calls" -s 1 \
		-V "$mnt" --disable-fds=sockets --disable-fds=perf -x fanotify_init "${@:3}"
	files=$(sed -nE 's/.*Added ([0-9]+) filenames.*/\1/p' <<< "$output")
	lines=$(sed -nE 's/.*Ran ([0-9]+) syscalls. Successes: ([0-9]+) +Failures: ([0-9]+).*/\1 \2 \3/p' \
		<<< "$output")
	output=$(tail -n 20 <<< "$output")
	read -r ran worked refused <<< "$lines"
	total=$((total + ${ran:-0}))
	[ "$status" -eq 0 ] && [ "${ran:-0}" -ge "$calls" ] && [ "${worked:-0}" -gt 0 ] &&
		[ "${files:-0}" -gt 100 ]
	result $? "trinity as $user, $2: ${ran:-no} calls, ${worked:-0} worked, ${refused:-0} did not"
	soon no_process trinity
	# Whoever may remove may make, and the text of a value may come by chance; but what is
	# there is the same, whoever looks. And what may only be read stays.
	after=$(by_bpf)
	output=$(diff <(echo "$after") <(by_table))
	[ -z "$output" ]
	result $? "trinity as $user, $2: .bpf/table and bpf(2) agree, on $(grep -c . <<< "$after") elements"
	if [ "$2" = ro ]; then
		output=$(diff <(echo "$before") <(echo "$after"))
		[ -z "$output" ]
		result $? "trinity as $user, $2: nothing has changed"
	else
		output=$(grep -vxFf <(echo "$before"; sed -E 's/ .*/ '"$(text 0)/" <<< "$after") <<< "$after")
		[ -z "$output" ]
		result $? "trinity as $user, $2: what is left has its value, or has been made"
	fi
	released trinity
	rm -rf "$here"/work/*
}

# ------------------------------------------------------------------------------

absent stress-ng || stressors
absent fio || file_jobs
if ! absent trinity; then
	total=0
	fuzz 1000 rw
	fuzz 1000 ro
	if [ -n "${VIRTUAL_MACHINE:-}" ]; then
		# Who mounts with "mand" is warned by the kernel, as if it were a fault.
		root=(--dangerous -x mount -x umount -x move_mount)
		fuzz 0 rw "${root[@]}"
		fuzz 0 ro "${root[@]}"
	else
		skip 'trinity as 0, rw' 'not on a machine that others use'
		skip 'trinity as 0, ro' 'not on a machine that others use'
	fi
	note "trinity: $total calls"
fi

if [ -n "${VIRTUAL_MACHINE:-}" ] && [ -z "$fuse" ]; then
	no_module() { rmmod bpffs 2>&-; }
	soon no_module
	result $? 'the module goes'
fi
finish
