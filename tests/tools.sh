#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bpffs open, which hands the object to a command, -o snapshot, which mounts a
# frozen copy, and what the shell completes. As TAP.

. "$(dirname "$0")/tap.sh"
here=$(mktemp -d)
mnt=$here/mnt
copy=$here/copy
pins=$here/pins

cleanup()
{
	umount -q "$mnt" "$copy" "$pins"
	rm -rf "$here"
}
trap cleanup EXIT

id_of() # PIN
{
	bpftool -j map show pinned "$pins/$1" | sed -E 's/.*"id":([0-9]+).*/\1/'
}

mkdir "$mnt" "$copy" "$pins"
mount -t bpf bpf "$pins" || exit 4

# --- bpffs open ---

bpftool map create "$pins/one" type hash key 4 value 8 entries 16 name one || exit 4
id=$(id_of one)
mount -t bpffs -o key=u32,value=n=u64 "$pins/one" "$mnt" || exit 4

# Of the descriptor that is inherited: number, flags, which map.
# shellcheck disable=SC2016
tell='echo "$BPFFS_FD" $(sed -n "s/^flags:\|^map_id://p" "/proc/self/fdinfo/$BPFFS_FD")'

run bpffs open "$mnt" -- sh -c "$tell"
[ "$status" -eq 0 ] && [ "$output" = "3 02 $id" ]
result $? 'open: descriptor 3 is the map'
run bpffs open "$mnt" -- sh -c "$tell" 3< /dev/null 4< /dev/null
[ "$status" -eq 0 ] && [ "$output" = "5 02 $id" ]
result $? 'open: what the caller has there stays'
run bpffs open -r "$mnt" -- sh -c "$tell"
[ "$status" -eq 0 ] && [ "$output" = "3 00 $id" ]
result $? 'open -r: read-only'
run bpffs open "$mnt" -- sh -c 'ls /proc/self/fd | wc -l'
# 0, 1, 2, 3, and the one of the directory.
[ "$output" -eq 5 ]
result $? 'open: nothing else is inherited'
run bpffs open "$mnt" -- echo -- -r x
[ "$output" = '-- -r x' ]
result $? 'open: arguments are the command'\''s own'
run bpffs open "$mnt" -- sh -c 'exit 42'
[ "$status" -eq 42 ] && [ -z "$output" ]
result $? 'open: the status of the command'
refuses_here() # As refuses, but what is mounted stays.
{
	local mnt=$here

	refuses "$@"
}
refuses_here 'open: no command' 127 'No such file' bpffs open "$mnt" -- /none/such
refuses_here 'open: none that can run' 126 'Permission denied' \
	bpffs open "$mnt" -- /etc/passwd
refuses_here 'open: no mount' 125 'not the root of a bpffs mount' \
	bpffs open /proc -- true
refuses_here 'open: without --' 2 'DIR -- CMD is needed' bpffs open "$mnt" true
mount -o remount,ro "$mnt"
refuses_here 'open: of a read-only mount' 125 'read-only mount' bpffs open "$mnt" -- true
umount "$mnt"

# --- -o snapshot ---

# How many there are of the names that are used here: this machine may have others.
maps()
{
	bpftool map list | grep -cE \
		'^[0-9]+: .* name (one|array|hash|large|lru|none|percpu|percpu_array|percpu_hash|queue|sparse|tiny|trie|outer) '
}

# Whatever it has is there, does not change, and goes with the mount.
snapshot() # PIN
{
	local bad=0 maps

	maps=$(maps)
	mount -t bpffs "$pins/$1" "$mnt" || bad=1
	run mount -t bpffs -o snapshot "$pins/$1" "$copy"
	[ "$status" -eq 0 ] || bad=1
	run grep "$copy" /proc/mounts
	[[ $output == "$pins/$1 $copy $fstype "* && $output != *snapshot* ]] || bad=1
	sort "$mnt/.bpf/table" > "$here/before"
	sort "$copy/.bpf/table" > "$here/copy.1"
	[ -s "$here/before" ] && cmp "$here/before" "$here/copy.1" || bad=1
	bpftool map update pinned "$pins/$1" key "${key[@]}" value "${value[@]}" || bad=1
	sort "$mnt/.bpf/table" > "$here/after"
	sort "$copy/.bpf/table" > "$here/copy.2"
	! cmp -s "$here/before" "$here/after" || bad=1
	cmp "$here/copy.1" "$here/copy.2" || bad=1
	# Not even root writes.
	for file in "$copy"/*; do
		! cat "$file" 2>&- > "$file" || bad=1
		break
	done
	for file in key value key_size value_size max_entries flags name; do
		cmp "$mnt/.bpf/$file" "$copy/.bpf/$file" || bad=1
	done
	output=
	umount "$mnt" "$copy" || bad=1
	for _ in {1..100}; do
		[ "$(maps)" -gt "$maps" ] || break
		sleep 0.1
	done
	# Without the module, those of the test before may have gone meanwhile.
	[ "$(maps)" -le "$maps" ] || bad=1
	result "$bad" "snapshot: $1"
}

# Another value than fill gives.
read -ra one <<< "$(bytes 4 1)"
key=("${one[@]}")
value=(9 9 9 9 9 9 9 9)

fill() # PIN KEYS
{
	local i key

	for i in $(seq 0 $(($2 - 1))); do
		key="$((i & 255)) $((i >> 8)) 0 0"
		[ "${one[0]}" -eq 1 ] || key="0 0 $((i >> 8)) $((i & 255))"
		printf 'map update pinned %s key %s value %d 0 0 0 0 0 0 1\n' \
			"$pins/$1" "$key" $((i & 127))
	done > "$here/commands"
	bpftool batch file "$here/commands" > /dev/null
}

for type in hash array percpu_hash percpu_array; do
	bpftool map create "$pins/$type" type "$type" key 4 value 8 entries 300 name "$type"
	fill "$type" 300
	snapshot "$type"
done

# Full, so that the copy would have to throw some away.
bpftool map create "$pins/lru_hash" type lru_hash key 4 value 8 entries 1000 name lru
fill lru_hash 1000
snapshot lru_hash

# Of this type, the kernel lets nobody look without use; of the copy, anybody.
bpftool map create "$pins/lru_percpu" type lru_percpu_hash key 4 value 8 entries 300 name percpu
fill lru_percpu 300
run mount -t bpffs -o snapshot "$pins/lru_percpu" "$copy"
found=$(bpftool map dump pinned "$pins/lru_percpu" | sed -nE 's/^Found ([0-9]+) elem.*/\1/p')
[ "$status" -eq 0 ] && [ "$found" -gt 0 ] && [ "$(wc -l < "$copy/.bpf/table")" -eq "$found" ]
result $? 'snapshot: lru_percpu_hash'
umount -q "$copy"

# One bucket may have more than fit into a batch of a small map's size.
bpftool map create "$pins/tiny" type hash key 4 value 8 entries 2 name tiny
fill tiny 2
snapshot tiny

bpftool map create "$pins/sparse" type hash key 4 value 8 entries 4096 flags 1 name sparse
fill sparse 1000
snapshot sparse

bpftool map create "$pins/trie" type lpm_trie key 8 value 8 entries 100 flags 1 name trie
read -ra prefix <<< "$(bytes 4 32)"
for i in {1..100}; do
	bpftool map update pinned "$pins/trie" key "${prefix[@]}" 10 0 0 "$i" \
		value "$i" 0 0 0 0 0 0 0
done
key=("${prefix[@]}" 10 0 0 7)
snapshot trie

# Large values: each is a batch of its own.
bpftool map create "$pins/large" type array key 4 value 1048584 entries 3 name large
mount -t bpffs "$pins/large" "$mnt"
run mount -t bpffs -o snapshot "$pins/large" "$copy"
# shellcheck disable=SC2046
name=$(printf %02x $(bytes 4 2))
[ "$status" -eq 0 ] && cmp "$mnt/$name" "$copy/$name"
result $? 'snapshot: values of 1 MiB'
umount -q "$mnt" "$copy"

bpftool map create "$pins/none" type hash key 4 value 8 entries 10 name none
run mount -t bpffs -o snapshot "$pins/none" "$copy"
[ "$status" -eq 0 ] && [ -z "$(ls "$copy")" ] && ! touch "$copy/01000000" 2>&-
result $? 'snapshot: no elements'
umount -q "$copy"

# As tar sees it: nothing changes while it reads.
mount -t bpffs -o snapshot "$pins/hash" "$copy"
run tar -C "$copy" -cf "$here/tar" .
[ "$status" -eq 0 ] && [ "$(tar -tf "$here/tar" | wc -l)" -eq 301 ]
result $? 'snapshot: tar'
run mount -o remount,ro "$copy"
[ "$status" -eq 0 ] && findmnt -n -o OPTIONS "$copy" | grep -q '^ro,'
result $? 'snapshot: remount'
umount -q "$copy"

run mount -f -v -t bpffs -o snapshot "$pins/one" "$mnt"
[ "$status" -eq 0 ] && [[ $output == *"would mount a copy of map:id:$id "* ]]
result $? 'snapshot: -f -v'

maps=$(maps)
bpftool map create "$pins/queue" type queue key 0 value 8 entries 4 name queue
refuses 'snapshot: a queue' 32 'of type queue cannot be copied' \
	mount -t bpffs -o snapshot "$pins/queue" "$mnt"
bpftool map create "$pins/outer" type hash_of_maps key 4 value 4 entries 4 name outer \
	inner_map pinned "$pins/one"
refuses 'snapshot: a map of maps' 32 'the maps inside would go on changing' \
	mount -t bpffs -o snapshot "$pins/outer" "$mnt"
refuses 'snapshot: a value' 32 'takes no value' \
	mount -t bpffs -o snapshot=1 "$pins/one" "$mnt"
refuses 'snapshot: a wrong option, after the copy' 32 bogus \
	mount -t bpffs -o snapshot,bogus "$pins/one" "$mnt"
refuses 'snapshot: with a pin, which a read-only mount has not' 32 'a read-only mount' \
	mount -t bpffs -o snapshot,pin "$pins/one" "$mnt"
for _ in {1..100}; do
	[ "$(maps)" -gt $((maps + 2)) ] || break
	sleep 0.1
done
[ "$(maps)" -le $((maps + 2)) ]
result $? 'snapshot: refused, it leaves nothing'

# --- Completion ---

# shellcheck source=mount_helper/tool/completion.bash
. "${COMPLETION:-/usr/share/bash-completion/completions/mount.bpffs}"
# Of a shell with a terminal only.
compopt() { :; }

completes() # NAME WORD FUNCTION WANTED...
{
	local name=$1 cur=$2 function=$3 COMP_WORDBREAKS='' COMPREPLY=()

	shift 3
	"$function"
	output=$(printf '%s\n' "${COMPREPLY[@]}" | sort)
	[ "$output" = "$(printf '%s\n' "$@" | sort)" ]
	result $? "completion: $name"
}

# Anybody may make a directory in there, if it is mounted so.
# shellcheck disable=SC2016
evil='$(touch run)'
mkdir "$pins/$evil"
cd "$here" || exit 1
completes 'a pin'\''s name is not run' "$pins/\$" _bpffs_complete_source \
	"$pins/$(printf %q "$evil")"
[ ! -e run ]
result $? 'completion: nor has it been'
mkdir "$pins/a b"
completes 'a blank' "$pins/a" _bpffs_complete_source "$pins/array" "$pins/a\\ b"
completes 'a blank, as quoted' "$pins/a\\" _bpffs_complete_source "$pins/a\\ b"
completes map:id: map:id _bpffs_complete_source map:id:
completes prog:tag: prog:t _bpffs_complete_source prog:tag:
completes map:NAME map:spars _bpffs_complete_source map:sparse
mkdir "$here/d e"
mount -t bpffs "$pins/one" "$here/d e"
mounts() { _bpffs_reply < <(_bpffs_mounts "$fstype"); }
completes 'a mount point' "$here/d" mounts "$here/d\\ e"
umount "$here/d e"

finish
