#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Elements of maps as files, without the module: bpffs-fuse with core and bpf(2), on maps
# of this machine. It needs root, bpf(2) and /dev/fuse. As TAP.

. "$(dirname "$0")/tap.sh"
in_private elements /dev/fuse
here=$(mktemp -d)
mnt=$here/mnt
pins=$here/pins
export ASAN_OPTIONS=log_path=$here/san UBSAN_OPTIONS=log_path=$here/san

cleanup()
{
	cd /
	umount -q "$mnt" "$pins"
	rm -rf "$here"
}
trap cleanup EXIT

mkdir "$mnt" "$pins"
mount -t bpf none "$pins"

# Fails where "! COMMAND" would not, as bash does not end for that.
no='no() { if eval "$1" 2>&-; then echo "$1"; return 1; fi; }'

# A map of 8 elements, mounted, and a shell's commands in it.
in_map() # NAME TYPE KEY-SIZE FLAGS OPTIONS COMMANDS
{
	rm -f "$pins/map"
	bpftool map create "$pins/map" type "$2" key "$3" value 16 entries 8 name elements \
		flags "$4"
	run mount.bpffs -o "backend=fuse,$5" "$pins/map" "$mnt"
	if [ "$status" -eq 0 ]; then
		run bash -ec "cd '$mnt'; $no; $6"
		umount "$mnt"
	fi
	result "$status" "$1"
}

value='value=packets=u64:bytes=u64'

# Made, read, changed, added to, removed.
changes='echo packets=20 bytes=2000 > 1.2.3.4
[ "$(ls)" = 1.2.3.4 ]
echo packets=0 > 1.2.3.4
echo packets+=5 > 1.2.3.4
echo bytes-=1 > 1.2.3.4
[ "$(tr "\n" " " < 1.2.3.4)" = "packets=5 bytes=1999 " ]
[ "$(stat -c %s 1.2.3.4)" -eq "$(wc -c < 1.2.3.4)" ]
rm 1.2.3.4
[ -z "$(ls)" ]
[ ! -e 1.2.3.4 ]'
in_map 'hash' hash 4 0 "$value,key=ip4" "$changes"
in_map 'lru_hash' lru_hash 4 0 "$value,key=ip4" "$changes"
in_map 'percpu_hash, the sum' percpu_hash 4 0 "$value,key=ip4,percpu=sum" "$changes"
# shellcheck disable=SC2016
in_map 'array' array 4 0 "$value,key=u32" '[ "$(ls | wc -l)" -eq 8 ]
echo packets+=7 > 3
[ "$(head -n 1 3)" = packets=7 ]
no "rm 3"
no ": > 8"
no ": > x"'
# shellcheck disable=SC2016
in_map 'percpu_array' percpu_array 4 0 "$value,key=u32" 'echo cpu0.packets=7 > 3
echo cpu0.packets+=2 > 3
[ "$(head -n 1 3)" = cpu0.packets=9 ]'
# shellcheck disable=SC2016
in_map 'lpm_trie' lpm_trie 8 1 "$value,key=plen:ip4" 'echo packets=1 bytes=2 > 10.0.0.0-8
echo bytes=3 > 10.0.0.0-8
[ "$(tail -n 1 10.0.0.0-8)" = bytes=3 ]
[ ! -e 10.1.0.0-16 ]
[ "$(ls)" = 10.0.0.0-8 ]
no ": > 10.0.0.1-8"
rm 10.0.0.0-8'
in_map 'a text that is refused changes nothing' hash 4 0 "$value,key=ip4" \
	'echo packets=1 bytes=2 > 1.1.1.1
no "echo packets=3 bytes=x > 1.1.1.1"
grep -qx packets=1 1.1.1.1
no "echo packets=1 > name"
echo packets=1 > 2.2.2.2
[ ! -e 2.2.2.2 ]'
in_map 'touch, a text in pieces, a full map' hash 4 0 "$value,key=ip4" 'touch 1.1.1.1
grep -qx bytes=0 1.1.1.1
{ printf "packets=7\nby"; printf "tes=8\n"; } > 2.2.2.2
grep -qx bytes=8 2.2.2.2
for i in 3 4 5 6 7 8; do touch $i.0.0.0; done
no "echo packets=1 bytes=2 > 9.0.0.0"'
in_map 'cp, mv, tar, rsync' hash 4 0 "$value,key=ip4" 'echo packets=1 bytes=2 > 1.1.1.1
cp 1.1.1.1 2.2.2.2
mv 2.2.2.2 3.3.3.3
mkdir '"$here"'/copy
tar c . | tar x -C '"$here"'/copy
diff -r . '"$here"'/copy
rsync --inplace 3.3.3.3 4.4.4.4
grep -qx bytes=2 4.4.4.4
find . -type f -delete
[ -z "$(ls)" ]'
in_map 'uid=, mode=' hash 4 0 "$value,key=ip4,uid=5,gid=6,mode=0640" 'touch 1.1.1.1
[ "$(stat -c %u,%g,%a 1.1.1.1)" = 5,6,640 ]'
in_map 'queue' queue 0 0 "$value" '[ "$(echo *)" = "peek pop push" ]
no "cat pop"
[ -z "$(cat peek)" ]
echo packets=1 bytes=2 > push
printf "packets=3 bytes=4\\npackets=5 bytes=6\\n" > push
[ "$(head -n 1 peek)" = packets=1 ]
[ "$(head -n 1 <>pop)" = packets=1 ]
[ "$(cat <>pop)" = "packets=3
bytes=4" ]
[ "$(cat <>pop)$(cat <>pop)" = "packets=5
bytes=6" ]
no "echo packets=x > push"
grep -q "packets: .*; nothing was pushed" .bpf/error
no ": > x"'
in_map 'a text that ends when it is closed' queue 0 0 value=hex 'printf "%032d" 7 > push
[ "$(cat peek)" = "$(printf "%032d" 7)" ]'
in_map 'stack' stack 0 0 "$value" 'printf "packets=%d bytes=0\\n" 1 2 3 > push
grep -qx packets=3 peek'
in_map 'bloom_filter' bloom_filter 0 0 key=u64:u64 'touch 1,2
[ -e 1,2 ]
[ ! -e 3,4 ]
[ -z "$(ls)" ]
no "rm 1,2"'
# shellcheck disable=SC2016
table='printf "1.1.1.1 packets=1 bytes=2\\n2.2.2.2 packets=3 bytes=4\\n" > .bpf/table
[ "$(sort .bpf/table | tail -n 1)" = "2.2.2.2 packets=3 bytes=4" ]
sed "s/packets=.*bytes/bytes/; s/bytes=2/bytes=7/" .bpf/table > .bpf/table
[ "$(cat 1.1.1.1)" = "packets=1
bytes=7" ]
no "echo 3.3.3.3 packets=9 > .bpf/table"
grep -q "table: line 1: " .bpf/error
for i in 3 4 5 6 7 8; do echo $i.0.0.0 packets=$i bytes=0; done > .bpf/table
[ "$(wc -l < .bpf/table)" -eq 8 ]
cp .bpf/table '"$here"'/table
find . -type f -delete
[ -z "$(cat .bpf/table)" ]
cat '"$here"'/table > .bpf/table
sort .bpf/table | cmp - <(sort '"$here"'/table)
[ -z "$(ls -A)" ]'
table=${table%
*}
in_map 'the table of a hash' hash 4 0 "$value,key=ip4" "$table"
in_map 'the table of a trie' lpm_trie 8 1 "$value,key=plen:ip4" \
	"$(sed -E 's/([0-9]\.[0-9]\.[0-9]\.[0-9])\b/\1-32/g; s/\$i.0.0.0/&-32/' <<< "$table")"
# shellcheck disable=SC2016
in_map 'the table of an array' array 4 0 "$value,key=u32" '[ "$(wc -l < .bpf/table)" -eq 8 ]
echo 3 packets=5 > .bpf/table
[ "$(sed -n 4p .bpf/table)" = "3 packets=5 bytes=0" ]'
# shellcheck disable=SC2016
raw='for i in 1 2 3; do echo packets=$i bytes=$i > $i.0.0.0; done
cp .bpf/table '"$here"'/table
cat .bpf/raw > '"$here"'/raw
find . -type f -delete
head -c 100 '"$here"'/raw > .bpf/raw || true
grep -q "^raw: " .bpf/error
cat '"$here"'/raw > .bpf/raw
sort .bpf/table | cmp - <(sort '"$here"'/table)'
in_map 'a hash as a stream' hash 4 0 "$value,key=ip4" "$raw"
in_map 'an lru_percpu_hash as a stream' lru_percpu_hash 4 0 "$value,key=ip4,percpu=sum" "$raw"
in_map 'names that are longer than a file can have' hash 200 0 "$value,key=hex" \
	'touch "$(printf "%0400d" 1)" && exit 1
printf "%0400d packets=1 bytes=2\\n" 1 > .bpf/table
name=$(ls)
[ ${#name} -eq 255 ]
grep -qx bytes=2 "$name"
echo packets=3 > "$name"
grep -q packets=3 .bpf/table
rm "$name"
[ -z "$(ls)" ]'
# Where the kernel counts, and a program may ask.
if grep -q ' bpf_map_sum_elem_count$' /proc/kallsyms; then
	# shellcheck disable=SC2016
	in_map 'df -i' hash 4 0 "$value,key=ip4" 'touch 1.1.1.1 2.2.2.2 3.3.3.3
rm 2.2.2.2
[ "$(df --output=itotal,iused,iavail . | tail -n 1 | tr -s " ")" = " 8 2 6" ]'
else
	skip 'df -i' 'this kernel does not tell'
fi
# shellcheck disable=SC2016
in_map 'the attributes' hash 4 0 "$value,key=ip4" 'touch 1.1.1.1
[ "$(cat .bpf/type .bpf/name .bpf/count .bpf/value)" = "hash
elements
1
packets=u64:bytes=u64" ]
grep -qx "frozen:.0" .bpf/info
grep -qx "map_id:.$(cat .bpf/id)" .bpf/info
grep -qx "[1-9][0-9]*" .bpf/memlock
no "echo 5 > .bpf/name"
no ": > .bpf/new"
no "rm -f .bpf/id"
[ ! -e .bpf/memory ]
[ ! -e .bpf/fd ]'
in_map 'single values of lru_percpu_hash' lru_percpu_hash 4 0 "$value,key=ip4,percpu=sum" \
	"$changes"

# What bpf(2) shows, and a module must not.
bpftool map create "$pins/dev" type devmap key 4 value 4 entries 8 name devices
bpftool map update pinned "$pins/dev" key 2 0 0 0 value 1 0 0 0
mount.bpffs -o backend=fuse,key=u32,value=u32 "$pins/dev" "$mnt"
# shellcheck disable=SC2016
run bash -ec "cd '$mnt'; $no"'
[ "$(ls)" = 2 ]
[ "$(cat 2 .bpf/count .bpf/table)" = "1
1
2 1" ]
no "echo 1 > 2"
no ": > 3"
rm 2
[ -z "$(ls)" ]'
umount "$mnt"
result "$status" 'devmap'

# Maps of maps, with a map that takes the place of another.
bpftool map create "$pins/in1" type hash key 4 value 16 entries 8 name one
bpftool map create "$pins/in2" type hash key 4 value 16 entries 9 name two
bpftool map create "$pins/out" type hash_of_maps inner_map pinned "$pins/in1" key 4 value 4 \
	entries 8 name outer
mount.bpffs -o "backend=fuse,key=u32,inner_key=ip4,inner_$value" "$pins/out" "$mnt"
bpftool map update pinned "$pins/out" key 1 0 0 0 value pinned "$pins/in1"
bpftool map update pinned "$pins/in1" key 1 2 3 4 value 7 0 0 0 0 0 0 0 8 0 0 0 0 0 0 0
# shellcheck disable=SC2016
run bash -ec "cd '$mnt'; pins='$pins'; $no"'
[ "$(find . -type f)" = ./1/1.2.3.4 ]
[ "$(tr "\n" " " < 1/1.2.3.4)" = "packets=7 bytes=8 " ]
[ "$(cat 1/.bpf/table)" = "1.2.3.4 packets=7 bytes=8" ]
no "touch 1/5.6.7.8"
grep -qx "max_entries:.8" 1/.bpf/info
cd 1
bpftool map update pinned "$pins/out" key 1 0 0 0 value pinned "$pins/in2"
[ "$(cat .bpf/name ../1/.bpf/name)" = "one
two" ]
grep -qx "max_entries:.9" ../1/.bpf/info
cd ..
rmdir 1
[ -z "$(ls)" ]
no "rmdir .bpf"
no "mkdir 1"'
umount "$mnt"
result "$status" 'hash_of_maps'
bpftool map update pinned "$pins/out" key 1 0 0 0 value pinned "$pins/in1"
refuses 'a layout of inner maps that is refused' 32 'inner_key: the layout covers 16 bytes' \
	mount.bpffs -o backend=fuse,inner_key=ip6 "$pins/out" "$mnt"
rm "$pins/dev" "$pins/in1" "$pins/in2" "$pins/out"

# An ordinary user, who may not load the program, is told.
user='setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all'
rm -f "$pins/map"
bpftool map create "$pins/map" type hash key 4 value 16 entries 8 name elements
chmod 755 "$here" "$pins"
chmod 666 "$pins/map"
chown 65534 "$mnt"
if [ "$(stat -c %a /dev/fuse)" = 666 ] && command -v fusermount3 > /dev/null; then
	# shellcheck disable=SC2086
	run $user mount.bpffs -o "backend=fuse,key=ip4,$value" "$pins/map" "$mnt"
	grep -q 'which can lose what others store meanwhile: loading a BPF program needs CAP_BPF' \
		<<< "$output" && $user bash -ec "cd '$mnt'; $changes"
	result $? 'a user without the right to load a program'
	$user fusermount3 -u "$mnt"
else
	skip 'a user without the right to load a program' 'no fusermount3, or /dev/fuse is not theirs'
fi
chown 0 "$mnt"

refuses 'an option that is unknown' 32 "Unknown parameter 'foo'" \
	mount.bpffs -o backend=fuse,foo=1 "$pins/map" "$mnt"
refuses 'a layout that is refused' 32 'unknown type "ip5" (column 1)' \
	mount.bpffs -o backend=fuse,key=ip5 "$pins/map" "$mnt"
rm "$pins/map"
sleep 1
output=$(cat "$here"/san* 2>&-)
[ -z "$output" ]
result $? 'the sanitizers have nothing to say'

finish
