#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What bpffs shows of mounted maps: metrics, a screen, changes, tars, and which there are.
# With BPFFS, the tool is that program. Where the module is not, by FUSE: it needs root and
# bpf(2), and no more. As TAP.

. "$(dirname "$0")/tap.sh"
in_private see
# libbpf pins maps at no path with a dot.
here=$(mktemp -d "${TMPDIR:-/tmp}/bpffs_XXXXXX")
chmod 755 "$here"
mnt=$here/mnt
pins=$here/pins
tool=$(command -v "${BPFFS:-bpffs}")
# A sanitizer's report is a failure at the end, but for what ncurses keeps.
export ASAN_OPTIONS=log_path=$here/san UBSAN_OPTIONS=log_path=$here/san
echo leak:libtinfo > "$here/ncurses"
export LSAN_OPTIONS=suppressions=$here/ncurses:print_suppressions=0
user=65534

cleanup()
{
	cd /
	umount -q "$mnt" "$pins"
	rm -rf "$here"
}
trap cleanup EXIT

bpffs()
{
	"$tool" "$@"
}

mkdir "$mnt" "$pins"
mount -t bpf bpf "$pins" || exit 4

mount_it() # PIN OPTIONS
{
	mount.bpffs -o "backend=${BACKEND:-auto},$2" "$pins/$1" "$mnt"
}

is() # NAME WANTED
{
	[ "$status" -eq 0 ] && [ "$output" = "$2" ]
	result $? "$1"
}

wrong() # TEXT COMMAND...
{
	local mnt=$here text=$1

	shift
	refuses "wrong: ${*//$here/}" 2 "$text" "$@"
}

# On a terminal of ROWSxCOLUMNS that is its standard input and error, and also its standard
# output if that is no other FILE: all that comes there.
on_terminal() # ROWSxCOLUMNS FILE COMMAND...
{
	TERM=vt100 python3 -c 'import fcntl, os, pty, struct, subprocess, sys, termios
mine, its = pty.openpty()
rows, columns = map(int, sys.argv[1].split("x"))
fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
out = its if sys.argv[2] == "-" else open(sys.argv[2], "w")
child = subprocess.Popen(sys.argv[3:], stdin=its, stdout=out, stderr=its)
os.close(its)
try:
    while part := os.read(mine, 4096):
        sys.stdout.buffer.write(part)
except OSError:
    pass
sys.exit(child.wait())' "$@"
}

# With something done to its system calls; a sanitizer cannot look for leaks then.
traced=(env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -qqo "$here/calls")
traced_elements=("${traced[@]}" -P "$mnt/.bpf/raw" -P "$mnt/.bpf/table" -e trace=read)
# Long work: the elements come late.
long=("${traced_elements[@]}" -e inject=read:delay_enter=1300000:when=1)

as_user() # COMMAND...
{
	setpriv --reuid "$user" --regid "$user" --clear-groups --bounding-set -all \
		--no-new-privs "$@"
}

# --- bpffs export ---

# By what Prometheus' own tool takes, and nothing to complain of.
accepted()
{
	[ -n "$promtool" ] || return 0
	run promtool check metrics < "$1"
	[ "$status" -eq 0 ] && [ -z "$output" ]
}
promtool=$(command -v promtool)
[ -n "$promtool" ] || skip 'export: promtool check metrics' 'no promtool (prometheus)'

bpftool map create "$pins/conns" type hash key 16 value 40 entries 100 name conns || exit 4
mount_it conns 'key=saddr=ip4:be16:comm=str8:pad2,value=packets=u64:rxBytes=s32:x=x32:total_ns=u64:slots=u32[2]:on=bool:e=u8{a=1}:pad6' ||
	exit 4
value='total_ns=1500000001 x=1 slots.0=1 slots.1=2 on=true e=a'
echo "packets=18446744073709551615 rxBytes=-7 $value" > "$mnt/10.0.0.1,80,a%20%22%5C"
run bpffs export --label=host='a"b' "$mnt"
id=$(cat "$mnt/.bpf/id")
memory=$(cat "$mnt/.bpf/memlock")
labels='host="a\"b",saddr="10.0.0.1",key_1="80",comm="a \"\\"'
head_of() # NAME HELP [TYPE]
{
	printf '# HELP %s %s\n# TYPE %s %s\n' "$1" "$2" "$1" "${3:-gauge}"
}
field() # NAME FIELD
{
	head_of "bpffs_conns_$1" "$2 of the elements of the BPF map conns"
}
of_map='host="a\"b",id="'$id'",name="conns"'
is 'export: OpenMetrics' "$(head_of bpffs_map_info 'which BPF map is mounted'
echo "bpffs_map_info{$of_map,type=\"hash\"} 1"
head_of bpffs_map_entries 'elements, of a map of maps those of the maps inside'
echo "bpffs_map_entries{$of_map} 1"
head_of bpffs_map_max_entries 'how many elements the map can have'
echo "bpffs_map_max_entries{$of_map} 100"
head_of bpffs_map_memory_bytes 'memory that the kernel counts'
echo "bpffs_map_memory_bytes{$of_map} $memory"
field packets packets
echo "bpffs_conns_packets{$labels} 18446744073709551615"
field rx_bytes rxBytes
echo "bpffs_conns_rx_bytes{$labels} -7"
field total_ns total_ns
echo "bpffs_conns_total_ns{$labels} 1500000001"
field slots slots
echo "bpffs_conns_slots{$labels,index=\"0\"} 1"
echo "bpffs_conns_slots{$labels,index=\"1\"} 2"
field on on
echo "bpffs_conns_on{$labels} 1"
echo '# EOF')"

typed=(--type=packets=counter --type=slots=histogram --nanoseconds=total_ns)
echo "packets=5 rxBytes=-7 $value" > "$mnt/10.0.0.1,81,%25%0A"
echo "packets=6 rxBytes=0 $value" > "$mnt/10.0.0.1,81,%25%0A~0001"
bpffs export --field=packets --field=total_ns=time --field=slots "${typed[@]}" "$mnt" |
	grep -v map_ > "$here/metrics"
labels='saddr="10.0.0.1",key_1="81",comm="%25%0A"'
for line in "bpffs_conns_packets_total{$labels} 5" "time{$labels} 1.500000001" \
	"bpffs_conns_packets_total{$labels,padding=\"0001\"} 6" \
	"bpffs_conns_slots_bucket{$labels,le=\"1\"} 1" \
	"bpffs_conns_slots_bucket{$labels,le=\"3\"} 3" \
	"bpffs_conns_slots_bucket{$labels,le=\"+Inf\"} 3"; do
	grep -qxF -e "$line" "$here/metrics"
	result $? "export: $line"
done
bpffs export "${typed[@]}" "$mnt" > "$here/metrics"
if /usr/bin/python3 -c 'import prometheus_client' 2>&-; then
	run /usr/bin/python3 -c 'import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
print(sum(s.value for f in parse(sys.stdin.read()) for s in f.samples
          if s.name == "bpffs_conns_packets_total"))' < "$here/metrics"
	is 'export: OpenMetrics by prometheus_client' 18446744073709551626
else
	skip 'export: OpenMetrics by prometheus_client' 'no python3-prometheus-client'
fi
bpffs export --prometheus -o "$here/metrics.prom" "${typed[@]}" "$mnt" &&
	grep -q '^# TYPE bpffs_conns_packets_total counter$' "$here/metrics.prom" &&
	grep -q '^bpffs_conns_slots_count{.*} 3$' "$here/metrics.prom" &&
	accepted "$here/metrics.prom" && [ "$(ls "$here"/metrics.prom*)" = "$here/metrics.prom" ]
result $? 'export: Prometheus, into a file'
[ "$(awk '/^bpffs_conns_rx_bytes{/ { n += $NF } END { print n }' "$here/metrics")" -eq \
	"$(sed 's/.*rxBytes=\([-0-9]*\).*/\1/' "$mnt/.bpf/table" | awk '{ n += $1 } END { print n }')" ]
result $? 'export: a sum over the metrics is one over the table'
umount "$mnt"

# What is there and no regular file stays what it is.
mount_it conns key=hex,value=hex
mkdir "$here/to"
mknod "$here/to/device" c 1 3
mkfifo "$here/to/pipe"
ln -s file "$here/to/link"
cat "$here/to/pipe" > "$here/to/came" &
for file in device pipe link; do
	run bpffs export -o "$here/to/$file" "$mnt"
	is "export: into a $file" ''
done
[ -c "$here/to/device" ] && [ -h "$here/to/link" ] && grep -qx '# EOF' "$here/to/file" &&
	if [ -p "$here/to/pipe" ]; then wait $!; else kill $!; false; fi &&
	grep -qx '# EOF' "$here/to/came"
result $? 'export: into what is no file, which stays'
rm -r "$here/to"
umount "$mnt"

wrong '--type needs a value' bpffs export --type
wrong 'not FIELD=gauge' bpffs export --type=packets=sum /
wrong 'not NAME=TEXT' bpffs export --label=a-b=c /
wrong 'have le for their buckets' bpffs export --label=le=1 /
mnt=$here refuses 'wrong: export: a label that is not UTF-8' 2 'not UTF-8' \
	bpffs export --label=a=$'\xff' /
wrong 'not a name of a metric' bpffs export --prefix=0 /
wrong 'not a name of a metric' bpffs export --field=packets=a.b /
mount_it conns 'key=hex,value=a={b=u64}:a_b=u64:hex24'
wrong 'no field "packets"' bpffs export --type=packets=counter "$mnt"
wrong 'is not a number' bpffs export --field=value "$mnt"
wrong 'no array of up to 64 numbers' bpffs export --type=a.b=histogram "$mnt"
wrong 'two metrics would be called bpffs_conns_a_b' bpffs export "$mnt"
wrong "$here/none/x" bpffs export --field=a.b -o "$here/none/x" "$mnt"
umount "$mnt"

# Each type: its elements as bytes of raw or, where there is none, lines of the table. (*: by
# FUSE there are elements, by the module there are none.)
# shellcheck disable=SC2046
every_type()
{
	local type flags key value elements bad=0

	bpftool map create "$pins/inner" type hash key 4 value 8 entries 4 name inner
	bpftool map update pinned "$pins/inner" key $(bytes 4 1) value $(bytes 8 5)
	while read -r type key value flags elements; do
		rm -f "$pins/map"
		if ! bpftool map create "$pins/map" type "$type" key "$key" value "$value" \
			entries 4096 name every flags "$flags" \
			$([[ $type != *_of_maps ]] || echo inner_map pinned "$pins/inner") 2>&-; then
			echo "# this kernel, or bpftool, makes no $type"
			continue
		fi
		case $type in
		lpm_trie)	bpftool map update pinned "$pins/map" key $(bytes 4 8) 10 0 0 0 \
					value $(bytes 8 5) ;;
		*_of_maps)	bpftool map update pinned "$pins/map" key $(bytes 4 1) \
					value pinned "$pins/inner" ;;
		*percpu*|*hash|array)	[[ $type == dev* || $type == sock* ]] ||
				bpftool map update pinned "$pins/map" key $(bytes 4 1) \
					value $(bytes 8 5) ;;
		esac
		mount.bpffs -o "backend=${BACKEND:-auto}" "$pins/map" "$mnt" || { bad=1; continue; }
		bpffs export --prometheus "$mnt" > "$here/metrics" 2> "$here/errors" ||
			{ bad=1; echo "# $type: $(cat "$here/errors")"; }
		umount "$mnt"
		accepted "$here/metrics" || { bad=1; echo "# $type: $output"; }
		# shellcheck disable=SC2053
		if [[ $(sed -n 's/^bpffs_map_entries.* //p' "$here/metrics") != ${elements#-} ]]; then
			bad=1
			echo "# $type: $(grep entries "$here/metrics" | tail -1)"
		fi
	done << 'END'
hash 4 8 0 1
percpu_hash 4 8 0 1
lru_hash 4 8 0 1
lru_percpu_hash 4 8 0 1
array 4 8 0 4096
percpu_array 4 8 0 4096
lpm_trie 8 8 1 1
array_of_maps 4 4 0 1
hash_of_maps 4 4 0 1
queue 0 8 0 -
stack 0 8 0 -
bloom_filter 0 8 0 -
ringbuf 0 0 0 -
prog_array 4 4 0 *
perf_event_array 4 4 0 *
cgroup_array 4 4 0 *
stack_trace 4 8 0 *
devmap 4 4 0 *
devmap_hash 4 4 0 *
sockmap 4 4 0 *
sockhash 4 4 0 *
cpumap 4 4 0 *
xskmap 4 4 0 *
reuseport_sockarray 4 8 0 *
END
	output=
	return "$bad"
}
every_type
result $? 'export: maps of every type'

# The values, if there are fields.
rm "$pins/map"
bpftool map create "$pins/map" type percpu_array key 4 value 8 entries 1 name counts
for sum in each sum; do
	mount_it map "key=u32,value=u64,percpu=$sum"
	echo cpu0=5 2>&- > "$mnt/0" || echo 5 > "$mnt/0"
	run bash -c "'$tool' export '$mnt' | grep -v '#' | grep ^bpffs_counts | sort | head -n 1"
	if [ "$sum" = each ]; then
		is 'export: per CPU' 'bpffs_counts_value{key="0",cpu="0"} 5'
	else
		is 'export: sums' 'bpffs_counts_value{key="0"} 5'
	fi
	umount "$mnt"
done
# Of maps: 7 is the one that every_type() has made.
new_outer()
{
	rm "$pins/map"
	bpftool map create "$pins/map" type hash_of_maps key 4 value 4 entries 4 name outer \
		inner_map pinned "$pins/inner"
	# shellcheck disable=SC2046
	bpftool map update pinned "$pins/map" key $(bytes 4 7) value pinned "$pins/inner"
}
new_outer
mount_it map key=u32,inner_key=outer=u32,inner_value=n=u64
run bash -c "'$tool' export '$mnt' | grep ^bpffs_outer"
is 'export: a map of maps' 'bpffs_outer_n{outer="7",outer_2="1"} 5'
umount "$mnt"

# Who has nothing but the right to read the files.
mount_it conns ro,mode=0444,key=hex,value=packets=u64:bytes=u64:hex24
run as_user "$tool" export "$mnt"
[ "$status" -eq 0 ] && [[ $output == *'bpffs_conns_packets{key="'* ]]
result $? 'export: without privileges'

# node_exporter, as the service of docs/systemd.rst feeds it, in its own words.
unit=$(dirname "$0")/../examples/bpffs-export.service
[ -e "$unit" ] || unit=$(dirname "$0")/../docs/examples/bpffs-export.service
as_unit()
{
	local words

	read -ra words < <(sed -n 's,^ExecStart=/usr/bin/,,p' "$unit" |
		sed "s,=/var/lib/prometheus/node-exporter,=$here/prom,; s, /srv/conns\$, $mnt,")
	[ "${#words[@]}" -gt 3 ] && "${words[@]}"
}
if command -v prometheus-node-exporter > /dev/null; then
	ip link set lo up
	mkdir "$here/prom"
	prometheus-node-exporter --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory="$here/prom" --web.listen-address=127.0.0.1:9100 \
		> "$here/exporter" 2>&1 &
	exporter=$!
	run as_unit
	[ "$status" -eq 0 ] && [ "$(ls "$here/prom")" = conns.prom ]
	result $? 'export: as the unit has it'
	for _ in {1..100}; do
		run python3 -c 'import urllib.request as r
print(r.urlopen("http://127.0.0.1:9100/metrics").read().decode())'
		[ "$status" -ne 0 ] || break
		sleep 0.1
	done
	[[ $output == *'# TYPE bpffs_conns_packets_total counter'*'bpffs_conns_packets_total{key="'* ]] &&
		[[ $output == *'node_textfile_scrape_error 0'* ]]
	result $? 'export: node_exporter serves it'
	kill "$exporter"
	wait "$exporter" 2>&-
else
	skip 'export: node_exporter serves it' 'no prometheus-node-exporter'
fi
umount "$mnt"

# --- bpffs watch ---

rm "$pins/map"
bpftool map create "$pins/map" type hash key 8 value 24 entries 100 name watched
mount_it map 'key=str8,value=n=u64:s=str8:u32{a.4/b.4/.24}:pad4'
echo 'n=1 s= a=0 b=0' > "$mnt/beat"
echo 'n=1 s= a=0 b=0' > "$mnt/old"

# Until it has looked once: what it prints is read from descriptor 7.
beat='n+=1 beat'
begin_watch() # ARGUMENT...
{
	exec 7< <(exec "$tool" watch -i 0.05 "$@" "$mnt")
	watcher=$!
	line=
	until [ -n "$line" ]; do
		echo "${beat% *}" > "$mnt/${beat#* }"
		read -r -t 0.2 -u 7 line
	done
}

end_watch()
{
	kill "$watcher"
	wait "$watcher" 2>&-
	exec 7<&-
}

# Of the beat, more may come.
next_line()
{
	while read -r -t 60 -u 7 output && [[ $output == *beat* ]]; do
		:
	done
	status=0
}

begin_watch
[[ $line == '~ beat n='*'->'* ]]
result $? 'watch: a field'
echo 'n=5 s=x a=1 b=2' > "$mnt/new"
next_line
is 'watch: an element has come' '+ new n=5 s=x a=1 b=2'
echo 's=y%20 b=3' > "$mnt/new"
next_line
is 'watch: fields, bits and strings' '~ new s=x->y%20 b=2->3'
rm "$mnt/old"
next_line
is 'watch: an element has gone' '- old'
umount "$mnt" 2>&-
[ $? -ne 0 ]
result $? 'watch: the mount is in use'
end_watch
begin_watch --json
run jq -r '[.change, .new.name, (.new.value.n > .old.value.n)] | map(tostring) | join(" ")' <<< "$line"
is 'watch --json: a change' '~ beat true'
rm "$mnt/new"
next_line
is 'watch --json: gone' \
	'{"change":"-","old":{"name":"new","key":"new","value":{"n":5,"s":"y ","a":1,"b":3}}}'
echo 'n=2 s= a=0 b=0' > "$mnt/new"
next_line
is 'watch --json: come' \
	'{"change":"+","new":{"name":"new","key":"new","value":{"n":2,"s":"","a":0,"b":0}}}'
end_watch
begin_watch "$mnt" 'be?t' none
echo n=7 > "$mnt/new"
echo n=1000 > "$mnt/beat"
seen=
until [[ $output == *'->1000' ]]; do
	read -r -t 60 -u 7 output || break
	seen+="$output "
done
[[ $output == '~ beat '*'->1000' && $seen != *new* ]]
result $? 'watch: only some keys'
end_watch
for option in -i.01 -d.01 --delay=.01; do
	run bpffs watch -n 2 "$option" "$mnt"
	is "watch $option: nothing changes" ''
done
umount "$mnt"
exec 7< <(exec "$tool" watch -i 0.05 / 2>&1)
read -r -u 7 output
is 'watch: no mount' 'bpffs: /: not in a mount of type bpffs'
exec 7<&-
mount_it conns ro,mode=0444,key=hex
run as_user "$tool" watch -n 1 -i 0.01 "$mnt" '0*'
is 'watch: without privileges' ''
umount "$mnt"

# A ring buffer, with what a program puts there.
objects=${RECIPES:-$(dirname "$0")/../recipes}
object=$objects/guard.bpf.o
mkdir "$pins/progs" "$pins/maps"
bpftool prog loadall "$object" "$pins/progs" pinmaps "$pins/maps" > "$here/log" 2>&1
run cat "$here/log"
[ -e "$pins/maps/drops" ]
result $? 'watch: a program with a ring buffer'
# shellcheck disable=SC2046
bpftool map update pinned "$pins/maps/blocked" key $(bytes 4 8) 10 0 0 0 value 0 0 0 0
mount.bpffs -o "backend=${BACKEND:-auto}" "$pins/maps/guard_bss" "$mnt"
echo filter=true > "$mnt/0"
umount "$mnt"
drop() # ADDRESS BYTES
{
	python3 -c 'import sys
packet = bytes(12) + b"\x08\0" + b"\x45" + bytes(11) + bytes(map(int, sys.argv[1].split(".")))
sys.stdout.buffer.write(packet.ljust(int(sys.argv[2]), b"\0"))' "$@" > "$here/packet"
	bpftool prog run pinned "$pins/progs/guard" data_in "$here/packet" > "$here/log" 2>&1
}
mount_ring() # OPTION...
{
	mount.bpffs -o "backend=${BACKEND:-auto}$1" "$pins/maps/drops" "$mnt"
}
mount_ring
# A record of 8 bytes, which takes 16 of the buffer.
drop 10.0.0.1 60 && drop 10.0.0.2 70 && drop 10.0.0.3 80
result $? 'watch: a program that puts records there'
run bpffs watch --take --value=saddr=ip4:bytes=u32 -n 1 "$mnt"
is 'watch: a record' 'saddr=10.0.0.1 bytes=60'
run bpffs watch --take --json --value=saddr=ip4:bytes=u32 -n 1 "$mnt"
is 'watch --json: a record' '{"value":{"saddr":"10.0.0.2","bytes":70}}'
run bpffs watch --take --value=u32 -n 1 "$mnt"
is 'watch: a record of another size' "0a000003$(bytes 4 80 | xargs printf %02x)"
drop 10.0.0.4 255
run bpffs watch -t -j -n 1 "$mnt"
is 'watch --json: a record of no layout' "{\"value\":\"0a000004$(bytes 4 255 | xargs printf %02x)\"}"
exec 7< <(exec "$tool" watch --take --value=ip4:u32 "$mnt")
watcher=$!
for address in 10.0.0.5 10.0.0.6; do
	drop "$address" 90
	read -r -t 60 -u 7 output
	is "watch: $address as it comes" "$address 90"
done
end_watch
wrong 'takes it from all others' bpffs watch "$mnt"
wrong 'no keys' bpffs watch --take "$mnt" 'a*'
wrong '(column 1)' bpffs watch --take --value=u9 "$mnt"
umount "$mnt"
mount_ring ,ro
wrong 'a read-only mount hands no descriptor out' bpffs watch --take "$mnt"
umount "$mnt"
mount_ring ,uid=$user,mode=0400
run as_user "$tool" watch --take "$mnt"
[ "$status" -eq 2 ] && [ "$(wc -l <<< "$output")" -eq 1 ] && [[ $output == *permi* ]]
result $? 'wrong: bpffs watch, without privileges'
umount "$mnt"
mount_it conns key=hex
wrong 'for ring buffers' bpffs watch --take "$mnt"
wrong 'for ring buffers' bpffs watch --value=u32 "$mnt"
umount "$mnt"

# --- --resolve, of json, watch and top ---

rm "$pins/map"
bpftool map create "$pins/map" type hash key 4 value 32 entries 8 name resolved
mount_it map 'key=ifindex=u32,value=last=u64:cgroup=u64:ip=x64:name=str4:n=u8[2]:pad2'
cgroup=$here/cgroup
mkdir "$cgroup"
mount -t cgroup2 cgroup2 "$cgroup"
mkdir -p "$cgroup/bpffs-see/a b"
ip=0x$(awk '$3 == "vfs_read" { print $1; exit }' /proc/kallsyms)
now=$(python3 -c 'import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC))')
echo "last=$now cgroup=$(stat -c %i "$cgroup/bpffs-see/a b") ip=$ip name= n.0=1 n.1=0" > "$mnt/1"
echo 'last=0 cgroup=1 ip=0x1 name= n.0=0 n.1=1' > "$mnt/4000000000"
resolve=(--resolve key.ifindex=ifname --resolve=value.cgroup=cgroup --resolve value.ip=ksym
	--resolve=value.n=ifname)
resolved() # JQ
{
	run bash -c 'bpffs=$1 mnt=$2 words=$3
		shift 3
		"$bpffs" json "$@" "$mnt" | jq -rc --arg n 4000000000 "$words"' - "$tool" "$mnt" "$1" \
		"${resolve[@]}"
}
resolved 'select(.name == "1").resolved'
is 'resolve: json' '{"key.ifindex":"lo","value.cgroup":"/bpffs-see/a b","value.ip":"vfs_read+0x0","value.n":["lo",null]}'
resolved 'select(.name == $n).resolved'
is 'resolve: json, what is not known' \
	'{"key.ifindex":null,"value.cgroup":"/","value.ip":null,"value.n":[null,"lo"]}'
# Where a mount shows only one cgroup, and those below: before the whole, and over it.
in_cgroups() # SHELL COMMANDS
{
	run unshare -m bash -c 'bpffs=$1 mnt=$2 cgroup=$3
		for other in $(findmnt -rno TARGET -t cgroup2); do
			[ "$other" = "$cgroup" ] || umount "$other" 2> /dev/null
		done
		'"$1"'
		"$bpffs" json --resolve=value.cgroup=cgroup "$mnt" |
			jq -r "select(.key.ifindex == 1).resolved[\"value.cgroup\"]"' - "$tool" "$mnt" "$cgroup"
}
mkdir "$here/part"
in_cgroups 'mount --bind "$cgroup/bpffs-see/a b" "'"$here"'/part"; umount "$cgroup"
	mount -t cgroup2 cgroup2 "$cgroup"'
is 'resolve: cgroups, of several mounts' '/bpffs-see/a b'
in_cgroups 'mount --bind "$cgroup/bpffs-see" "$cgroup"'
is 'resolve: cgroups, of one that hides another' '/bpffs-see/a b'
# The time of day that it was a moment ago; the month may end meanwhile.
is_recent()
{
	local time age

	time=$(jq -r 'select(.key.ifindex == 1).resolved["value.last"]' <<< "$output")
	age=$(($(date +%s) - $(date -d "$time" +%s)))
	[[ $time == ????-??-??T??:??:??.?????????Z ]] && [ "$age" -ge 0 ] && [ "$age" -lt 3600 ]
}
run bpffs json --resolve=value.last=ktime "$mnt"
is_recent && [ "$(jq -r 'select(.key.ifindex != 1).resolved["value.last"]' <<< "$output")" = null ]
result $? 'resolve: the time of day, and none at 0'
if unshare -T true 2>&-; then
	run unshare -T --monotonic 864000 --boottime 864000 "$tool" json --resolve=value.last=ktime "$mnt"
	is_recent && run unshare -T --fork --monotonic 864000 --boottime 864000 \
		"$tool" json --resolve=value.last=ktime "$mnt" && is_recent
	result $? 'resolve: in a time namespace'
else
	skip 'resolve: in a time namespace' 'no time namespaces'
fi
# CLOCK_TAI is never behind the time of day.
echo last=1 > "$mnt/1"
run bpffs json --resolve=value.last=tai "$mnt"
[[ $output != *'"value.last":"'[!1]* ]]
result $? 'resolve: no time before 1970'
echo "last=1000000000" > "$mnt/1"
echo "last=3000000001" > "$mnt/4000000000"
for clock in ktime boottime tai; do
	run bpffs json --resolve=value.last=$clock "$mnt"
	[ "$status" -eq 0 ] && jq -r '.resolved["value.last"]' <<< "$output" | sort | python3 -c '
import sys, datetime
a, b = ((datetime.datetime.fromisoformat(t[:19]), int(t[20:29])) for t in sys.stdin)
sys.exit((b[0] - a[0]).seconds * 10**9 + b[1] - a[1] != 2 * 10**9 + 1)'
	result $? "resolve: $clock has no other length"
done
beat='last+=1 1'
begin_watch "${resolve[@]}"
[[ $line == '~ 1 last='*'->'*' # key.ifindex=lo value.cgroup=/bpffs-see/a%20b value.ip=vfs_read+0x0 value.n=lo,-' ]]
result $? 'resolve: watch'
rm "$mnt/4000000000"
while read -r -t 60 -u 7 output && [[ $output != -* ]]; do
	:
done
status=0
is 'resolve: watch, of what has gone' '- 4000000000 # key.ifindex=-'
end_watch
run bpffs top -b -n 1 -d 0.01 -s value.ip "${resolve[@]}" "$mnt"
[[ $output == *'key.ifindex value.cgroup     value.ip v   value.n'*' lo          /bpffs-see/a%20b vfs_read+0x0 lo,-'* ]]
result $? 'resolve: top'
wrong 'no field value.none' bpffs json --resolve=value.none=ktime "$mnt"
wrong 'value.name is not a number' bpffs watch --resolve=value.name=ktime "$mnt"
wrong 'two meanings of key.ifindex' bpffs top -b --resolve=key.ifindex=ifname --resolve=key.ifindex=ktime "$mnt"
for word in key key=none keys=ktime key.=ktime key.ifindex=ifnames key.ifindex=stack \
	key.ifindex=stack: =ktime key.ifindex=; do
	wrong 'not FIELD=MEANING' bpffs json --resolve="$word" "$mnt"
done
wrong 'not in a mount of type bpffs' bpffs json --resolve=value.ip=stack:/ "$mnt"
wrong 'no map of type stack_trace' bpffs json --resolve=value.ip=stack:"$mnt" "$mnt"
rmdir "$cgroup/bpffs-see/a b" "$cgroup/bpffs-see"
umount "$cgroup" "$mnt"

# By a program, of a per-CPU map, and in a map of maps.
mkdir "$pins/sleepers"
run bpftool prog loadall "$objects/sleepers.bpf.o" "$pins/sleepers" pinmaps "$pins/sleepers"
mkdir "$here/stacks"
# The module shows no stacks.
mount.bpffs -o backend=fuse,ro "$pins/sleepers/stacks" "$here/stacks" &&
	mount_it sleepers/sleeps ro
result $? 'resolve: a program that takes stacks'
BPFFS_TEST=$pins/sleepers/sleepers python3 -c 'import ctypes, os, signal
bpf = ctypes.CDLL("libbpf.so.1")
program = bpf.bpf_obj_get(os.environb[b"BPFFS_TEST"])
bpf.bpf_raw_tracepoint_open(b"sched_switch", program)
signal.pause()' &
taker=$!
# With schedule() in the middle of each, and an address only where there is no function.
for _ in {1..600}; do
	run bpffs json --resolve=key.stack=stack:"$here/stacks" --resolve=value.last=ktime "$mnt"
	stacks=$(jq -r 'select(.key.stack >= 0).resolved["key.stack"] |
		select(. and any(.[]; test("schedule[a-z_]*\\+0x[0-9a-f]+$"))) | .[0]' <<< "$output" |
		grep -c '+0x')
	[ "$stacks" -eq 0 ] || break
	sleep 0.1
done
[ "$status" -eq 0 ] && [ "$stacks" -gt 0 ]
result $? 'resolve: stacks of the kernel'
kill "$taker"
wait "$taker" 2>&-
rm -rf "$pins/sleepers"
umount "$here/stacks" "$mnt"
rm "$pins/map"
bpftool map create "$pins/map" type percpu_array key 4 value 8 entries 1 name percpu
mount_it map key=u32,value=u64
run bash -c '"$1" json --resolve=value=ifname "$2" | jq -c .resolved | grep -o "^.[^,}]*"' - "$tool" "$mnt"
is 'resolve: per CPU' '{"value.cpu0":null'
umount "$mnt"
new_outer
mount_it map key=outer=u32,inner_key=u32,inner_value=n=u64
run bpffs json --resolve=key=ifname --resolve=value.n=ifname "$mnt"
is 'resolve: a map of maps' '{"name":"7/1","outer":{"outer":7},"key":1,"value":{"n":5},"resolved":{"key":"lo","value.n":null}}'
umount "$mnt"

# --- bpffs top ---

top() # ARGUMENT...
{
	run bpffs top -b -n 1 -d 0.01 "$@" "$mnt"
	# How long it took is another time each time.
	output=$(sed -E '1s/, [0-9.]+ s//' <<< "$output")
}

rm "$pins/map"
bpftool map create "$pins/map" type hash key 4 value 40 entries 8 name topped
mount_it map 'key=u32,value=n=u64:s=s32:on=bool:pad3:slots=u32[4]:name=str8'
id=$(cat "$mnt/.bpf/id")
cat > "$mnt/.bpf/table" << 'END'
1 n=10 s=-5 on=true slots.0=0 slots.1=1 slots.2=4 slots.3=8 name=one
20 n=200 s=0 on=false slots.0=0 slots.1=0 slots.2=0 slots.3=0 name=a%20b
3 n=30 s=7 on=false slots.0=5 slots.1=0 slots.2=0 slots.3=0 name=
END
# Where numbers have a comma, options and output have a point all the same.
mkdir "$here/locales"
printf '%s\n' LC_CTYPE 'copy "POSIX"' 'END LC_CTYPE' LC_NUMERIC 'decimal_point ","' \
	'thousands_sep ""' 'grouping -1' 'END LC_NUMERIC' > "$here/comma"
localedef -c -i "$here/comma" "$here/locales/comma" > "$here/log" 2>&1
comma=(env LOCPATH="$here/locales" LC_ALL=comma)
if [ "$("${comma[@]}" /usr/bin/printf %.1f 0)" = 0,0 ]; then
	run "${comma[@]}" "$tool" top -b -n 1 -d 0.01 "$mnt"
	[ "$status" -eq 0 ] && [[ $output == *' (37%), 0.0 s'* ]]
	result $? 'top: a locale with a decimal comma'
else
	skip 'top: a locale with a decimal comma' 'no localedef'
fi
export LC_ALL=C
top -s n
is 'top -b: sorted by a number' "topped (hash, id $id): 3 elements of 8 (37%)
 KEY   n v n/s  s s/s on    slots slots/s      name
 20    200   0  0   0 false     0       0      a%20b
 3      30   0  7   0 false     5       0 @
 1      10   0 -5   0 true     13       0  .:@ one
 TOTAL 240   0  2   0          18       0"
top -s KEY -R -f 0
is 'top -b: filtered, reversed' "topped (hash, id $id): 3 elements of 8 (37%), 1 with \"0\"
 KEY ^   n n/s s s/s on    slots slots/s      name
 20    200   0 0   0 false     0       0      a%20b
 TOTAL 200   0 0   0           0       0"
top -s name
[ "$(tail -n +3 <<< "$output" | awk '{ print $1 }' | xargs)" = '3 20 1 TOTAL' ]
result $? 'top -b: sorted by a text'
bpffs export "$mnt" > "$here/metrics"
top
for field in n s; do
	awk -v field="$field" '
		NR == 2 { for (i = 1; i <= NF; i++) if ($i == field) column = i }
		$1 == "TOTAL" { print $column }' <<< "$(sed 's/ v / /' <<< "$output")"
	awk -v name="bpffs_topped_$field{" 'index($0, name) == 1 { n += $NF } END { print n }' "$here/metrics"
	sed -E "s/.* $field=([-0-9]*).*/\\1/" "$mnt/.bpf/table" | awk '{ n += $1 } END { print n }'
done | xargs > "$here/totals"
[ "$(cat "$here/totals")" = '240 240 240 2 2 2' ]
result $? 'top -b: totals of top, export and the table agree'

# Rates, and what comes and goes: a line that is so in the end.
begin_top()
{
	exec 7< <(exec "$tool" top -b -d 0.05 "$mnt")
	watcher=$!
}
line_like() # PATTERN
{
	while read -r -t 60 -u 7 output; do
		# shellcheck disable=SC2053
		[[ $output != $1 ]] || return 0
	done
	return 1
}
begin_top
line_like 'TOTAL *'
echo 'n=1 s=0 on=0 slots.0=0 slots.1=0 slots.2=0 slots.3=0 name=x' > "$mnt/7"
line_like '+7 *'
result $? 'top -b: an element has come'
echo n+=1000 > "$mnt/7"
line_like '7 * 1001 *[1-9]* 0 *'
result $? 'top -b: a rate'
rm "$mnt/7"
line_like '-7 *'
result $? 'top -b: an element has gone'
end_watch

# On a terminal of 80x24, which is read as a user would.
# A terminal that is drawn ten times a second is too much for a virtual machine by TCG; what
# is drawn does not depend on who serves the mount.
if command -v tmux > /dev/null && [ "${BACKEND:-}" = fuse ]; then
	export TMUX_TMPDIR=$here
	screen() { tmux -L "$server" capture-pane -p; }
	# Until the screen has it, a minute at most: there are slow kernels.
	sees() # TEXT
	{
		for _ in {1..600}; do
			output=$(screen)
			# shellcheck disable=SC2053
			[[ $output != *$1* ]] || return 0
			sleep 0.1
		done
		return 1
	}
	press() # NAME TEXT KEY...
	{
		local name=$1 text=$2

		shift 2
		tmux -L "$server" send-keys "$@"
		sees "$text"
		result $? "top: $name"
	}
	begin_screen() # TERM [ARGUMENT...]
	{
		local term=$1

		shift
		# The one before may not have ended yet.
		server=$term
		tmux -L "$server" -f /dev/null new-session -d -x 80 -y 24 \
			"TERM=$term '$tool' top -d 0.1 $* '$mnt'; echo status \$?; sleep 1000"
	}

	begin_screen screen
	# Rates come with the second time that it is drawn, line by line, the totals last.
	sees '37%), [0-9]*TOTAL 240 * 18 *0'
	[ "$(sed -E 's/, [0-9.]+ s$//' <<< "$output" | sed -n '1,5p;24p')" = "topped (hash, id $id): 3 elements of 8 (37%)
 KEY     n n/s v  s s/s on    slots slots/s      name
 1      10     0 -5   0 true     13       0  .:@ one
 3      30     0  7   0 false     5       0 @
 20    200     0  0   0 false     0       0      a%20b
 TOTAL 240     0  2   0          18       0" ]
	result $? 'top: a terminal of 80x24'
	press 'another column to sort by' 's v' '>'
	press 'turned round' 's ^' R
	press 'filter: it is asked for' 'filter: 0' / 0
	press 'filter' '1 with "0"' Enter
	press 'no filter' $'3 elements of 8 (37%), [0-9.]* s\n' / BSpace Enter
	press 'paused' '[[]paused]' Space
	echo n=11 > "$mnt/1"
	press 'and going on' ' 241 ' Space
	press 'counted from now on' 'counted for *TOTAL 0 ' r
	echo n+=5 > "$mnt/1"
	sees 'TOTAL 5 '
	result $? 'top: what has come since'
	press 'counted from zero' 'TOTAL 246 ' z
	tmux -L "$server" send-keys t
	for _ in {1..600}; do
		output=$(screen)
		[[ $output == *TOTAL* ]] || break
		sleep 0.1
	done
	[[ $output != *TOTAL* ]] && [[ $output == *KEY* ]]
	result $? 'top: no totals'
	press 'an element in full' '4 -> 7 *4 |#####' '<' '<' '<' R Enter
	press 'and back' 'KEY' Enter
	press help 'quit' h
	press 'help, and back' 'KEY' h
	press 'another column beside the key' 'KEY v s/s ' Right Right Right
	press 'quit' 'status 0' q
	tmux -L "$server" kill-server
	begin_screen vt100 -n 3
	sees 'status 0'
	result $? 'top: a terminal without colours, ends by itself'
	tmux -L "$server" kill-server
	begin_screen none
	sees 'not known*status 2'
	result $? 'top: a terminal that nobody knows'
	tmux -L "$server" kill-server
else
	skip 'top: a terminal' 'no tmux, or in the virtual machine'
fi
umount "$mnt"

rm "$pins/map"
bpftool map create "$pins/map" type percpu_array key 4 value 8 entries 1 name cpus
mount_it map key=u32,value=n=u64
cpus=$(wc -l < "$mnt/0")
sed 's/=.*/=3/' "$mnt/0" > "$here/value" && cat "$here/value" > "$mnt/0"
top
[[ $output == *$'\n 0 '*" $((3 * cpus)) "* ]] || [[ $output == *$'\n 0 '*" $((3 * cpus)) "*0 ]]
result $? 'top -b: sums of a per-CPU map'
top -c
[ "$(grep -c '^ 0 .* 3 ' <<< "$output")" -eq "$cpus" ] && [[ $output == *KEY*CPU*n* ]]
result $? 'top -b -c: a line for each CPU'
run bpffs top -b -n 1 -i .01 "$mnt"
[ "$status" -eq 0 ] && [[ $output == *TOTAL* ]]
result $? 'top -i: as -d'
umount "$mnt"
mount_it conns ro,mode=0444,key=hex
run as_user "$tool" top -b -n 1 -d 0.01 "$mnt"
[ "$status" -eq 0 ] && [[ $output == *TOTAL* ]]
result $? 'top: without privileges'
umount "$mnt"
mount_it conns key=hex
wrong 'no terminal' bpffs top "$mnt"
run on_terminal 24x80 - env TERM=dumb "$tool" top "$mnt"
[ "$status" -eq 2 ] && [[ $output == *'cannot move its cursor; -b needs none'* ]]
result $? 'top: a terminal that has no cursor to move'
wrong 'no column "x"' bpffs top -b -s x "$mnt"
umount "$mnt"
unset LC_ALL

# One that a machine has room for only once.
bpftool map create "$pins/large" type array key 4 value 30000000 entries 1 name large
mount_it large key=u32,value=hex
run bpffs top -b -n 1 -d 0.01 "$mnt"
[ "$status" -eq 0 ] && [[ $output == *': 1 elements of 1 (100%)'*'TOTAL'* ]]
result $? 'top: a value of megabytes'
umount "$mnt"
rm "$pins/large"

# --- bpffs plot ---

rm "$pins/map"
bpftool map create "$pins/map" type hash key 4 value 40 entries 8 name 'plotted'
mount_it map 'key=u32,value=n=u64:t=s32:slots=u32[5]:e=u8{a=1}:pad7'
id=$(cat "$mnt/.bpf/id")
printf '%s\n' '10 n=10 t=-5 slots.0=0 slots.1=1 slots.2=2 slots.3=0 slots.4=0 e=a' \
	'9 n=5 t=2 slots.0=0 slots.1=1 slots.2=8 slots.3=0 slots.4=0 e=a' > "$mnt/.bpf/table"
export LC_ALL=C
run bpffs plot "$mnt"
is 'plot: a histogram of all elements' "plotted (hash, id $id): slots
 0 -> 1  0 |
 2 -> 3  2 |##############
 4 -> 7 10 |####################################################################"
run bpffs plot "$mnt" '1*' none
is 'plot: a histogram of some' "plotted (hash, id $id): slots
 0 -> 1 0 |
 2 -> 3 1 |###################################
 4 -> 7 2 |#####################################################################"
run bpffs plot -e -f n "$mnt"
is 'plot: elements' "plotted (hash, id $id): n
 9   5 |####################################
 10 10 |########################################################################"
run bpffs plot -e -f t "$mnt"
is 'plot: what is negative has no bar' "plotted (hash, id $id): t
 9   2 |########################################################################
 10 -5 |"
run bpffs plot -f n -n 2 -i 0.01 "$mnt"
[ "$status" -eq 0 ] && [ "$(sed '$d; s/@\{20,\}/@@/' <<< "$output")" = "plotted (hash, id $id): n
     15 |@@
        |@@
        |@@
    7.5 |@@
        |@@
        |@@
        |@@
      0 |@@" ]
result $? 'plot: a series'
run bpffs plot --series -n 1 "$mnt" 9
[ "$(sed -n '1p; 2s/|.*/|/p; 10p' <<< "$output" | xargs)" = "plotted (hash, id $id): slots 10 | 0 0 s" ]
result $? 'plot: a series of an array'
# On a terminal that has no room for it, what was drawn before is not gone back over.
pictures() # WANTED ROWSxCOLUMNS
{
	run on_terminal "$2" - "$tool" plot -f n -n 2 -d .01 "$mnt"
	[ "$status" -eq 0 ] && [ "$(grep -c ": n.\?$" <<< "$output")" -eq "$1" ]
	result $? "plot: a series on a terminal of $2"
}
pictures 2 24x80
title="plotted (hash, id $id): n"
pictures 2 "11x${#title}"
pictures 1 10x80
pictures 1 "24x$((${#title} - 1))"
# What it cannot read any more: what there was is drawn nevertheless.
lost=("${traced_elements[@]}" -e inject=read:error=EIO:when=7+)
lost+=("$tool" plot -f n -n 100 -i .01)
run "${lost[@]}" "$mnt"
[ "$status" -eq 2 ] && [[ $output == plotted*" s"$'\n'"bpffs: $mnt/.bpf/"*": Input/output error" ]]
result $? 'plot: a series that cannot go on'
run "${lost[@]}" -o "$here/lost" "$mnt"
[ "$status" -eq 2 ] && [[ $output == "bpffs: $mnt/.bpf/"*": Input/output error" ]] &&
	[[ $(cat "$here/lost") == plotted*' s' ]]
result $? 'plot: a series that cannot go on, into a file'
# All that it had is what has come.
exec 7< <(exec "$tool" plot -r -i 0.5 -f n -e "$mnt")
for _ in {1..4}; do
	echo n+=1000 > "$mnt/9"
	sleep 0.2
done
run cat <&7
[[ $output == *$'n/s\n 9 '*[1-9]*'|#'*$'\n 10 '*' 0 |' ]]
result $? 'plot: rates'
exec 7<&-
# A picture: as XML, it has these numbers, and draws itself in two ways.
drawn() # NAME WANTED CLASS ARGUMENT...
{
	local name=$1 wanted=$2 class=$3

	shift 3
	bpffs plot --svg "$@" > "$here/plot.svg"
	run /usr/bin/python3 - "$here/plot.svg" "$class" << 'EOF'
import sys, xml.etree.ElementTree as xml
ns = "{http://www.w3.org/2000/svg}"
root = xml.parse(sys.argv[1]).getroot()
assert root.get("width") == "400" and "dark" in root.find(ns + "style").text
marks = [e for e in root if e.get("class") == sys.argv[2]]
print(len(marks), *[e.find(ns + "title").text for e in marks if sys.argv[2] == "bar"], sep=";")
EOF
	is "plot --svg: $name" "$wanted"
}
drawn 'a histogram' '3;0 -> 1: 0;2 -> 3: 2;4 -> 7: 10' bar "$mnt"
drawn elements '2;9: 2;10: -5' bar -e -f t "$mnt"
drawn 'a series' 1 line -s -n 2 -i 0.01 "$mnt"
bpffs plot --svg -o "$here/plot2.svg" "$mnt" && cmp "$here/plot2.svg" <(bpffs plot --svg "$mnt")
result $? 'plot: into a file'
umount "$mnt"
rm "$pins/map"
bpftool map create "$pins/map" type percpu_array key 4 value 8 entries 200 name places
mount_it map key=u32,value=u64
sed 's/=.*/=3/; s/^[0-9]*$/3/' "$mnt/2" > "$here/value" && cat "$here/value" > "$mnt/2"
run bpffs plot "$mnt"
[[ $output == *$': value\n 0 0 |\n 1 0 |\n 2 '"$((3 * cpus)) |##"* ]] && [ "${#output}" -lt 300 ]
result $? 'plot: an array is a histogram'
drawn 'one of powers of 2' "3;0 -> 1: 0;2 -> 3: 0;4 -> 7: $((3 * cpus))" bar -l "$mnt"
cat "$here/value" > "$mnt/199"
wrong '200 bars are too many' bpffs plot --svg "$mnt"
wrong 'no such elements' bpffs plot -e "$mnt" x
wrong 'only a series' bpffs plot -n 3 "$mnt"
wrong 'no field "x"' bpffs plot -f x "$mnt"
umount "$mnt"
mount_it map key=u32,value=e=x64
wrong 'no number' bpffs plot "$mnt"
wrong '"e" is not a number' bpffs plot -f e "$mnt"
umount "$mnt"
mount_it conns ro,mode=0444,key=hex,value=packets=u64:hex32
run as_user "$tool" plot -n 1 "$mnt"
[ "$status" -eq 0 ] && [[ $output == *': packets'* ]]
result $? 'plot: without privileges'
umount "$mnt"
wrong 'more than 10000' bpffs plot -n 10001 /
wrong 'two pictures' bpffs plot -e -s /
unset LC_ALL

# --- bpffs save, bpffs restore ---

rm "$pins/map"
bpftool map create "$pins/map" type hash key 4 value 16 entries 8 name saved
bpftool map create "$pins/wider" type hash key 4 value 40 entries 8 name wider
mount_it map 'key=u32,value=n=u64:s=str8'
id=$(cat "$mnt/.bpf/id")
printf '%s\n' '1 n=5 s=a%20b' '2 n=18446744073709551615 s=' > "$mnt/.bpf/table"
run bpffs save "$mnt" "$here/saved.tar"
is save ''
[ "$(stat -c %a "$here/saved.tar")" = 600 ] &&
	[ "$(tar -xOf "$here/saved.tar" "saved-$id/table" | sort)" = "$(sort "$mnt/.bpf/table")" ] &&
	[ "$(tar -xOf "$here/saved.tar" "saved-$id/value")" = n=u64:s=str8 ] &&
	bpffs save "$mnt" - | tar -tf - | grep -x "saved-$id/info" > "$here/log"
result $? 'save: as tar(1) reads it'
table=$(sort "$mnt/.bpf/table")
wrong 'the map is not empty' bpffs restore "$here/saved.tar" "$mnt"
rm "$mnt"/*
run bpffs restore "$here/saved.tar" "$mnt"
[ "$status" -eq 0 ] && [ "$(sort "$mnt/.bpf/table")" = "$table" ]
result $? 'restore'
bpffs save "$mnt" "$mnt" "$here/twice.tar"
rm "$mnt"/*
umount "$mnt"
mount_it wider 'key=u32,value=new=ip4:s=str12:n=u64:more=u8[2]:on=bool:pad13'
run bpffs restore --map="saved-$id" - "$mnt" < "$here/twice.tar"
[ "$status" -eq 0 ] && [ "$(sort "$mnt/.bpf/table")" = \
	"1 new=0.0.0.0 s=a%20b n=5 more.0=0 more.1=0 on=false
2 new=0.0.0.0 s= n=18446744073709551615 more.0=0 more.1=0 on=false" ]
result $? 'restore: members that are new'
rm "$mnt"/*
wrong 'must say which map' bpffs restore - "$mnt" < <(cat "$here/saved.tar")
wrong 'no table of x' bpffs restore --map=x "$here/saved.tar" "$mnt"
wrong 'not a tar' bpffs restore "$tool" "$mnt"
umount "$mnt"
mount_it wider 'key=u32,value=n=u64:hex32'
wrong 'no field s any more' bpffs restore "$here/saved.tar" "$mnt"
umount "$mnt"
mount_it wider 'key=ip4,value=n=u64:hex32'
wrong 'keys are u32 there' bpffs restore "$here/saved.tar" "$mnt"
umount "$mnt"
mount_it map 'key=u32,value=n=u64:s=str8,ro'
wrong 'Read-only file system' bpffs restore "$here/saved.tar" "$mnt"
umount "$mnt"
mount_it map 'key=u32,value=n=u32:m=u32:s=str8'
wrong '"18446744073709551615" is not a u32' bpffs restore "$here/saved.tar" "$mnt"
umount "$mnt"
mount_it conns key=hex,value=hex
mkdir "$here/second"
mount.bpffs -o "backend=${BACKEND:-auto}" "$pins/map" "$here/second"
bpffs save "$mnt" "$here/second" "$here/two.tar"
wrong 'several maps' bpffs restore "$here/two.tar" "$mnt"
umount "$here/second" "$mnt"
# The second block of a table does not fit into /tmp, where it is first.
bpftool map create "$pins/pages" type array key 4 value 8 entries 200 name pages
mount_it pages key=hex,value=hex
run bash -c 'cd "$1" && exec unshare -m sh -c "mount -t tmpfs -o size=4k tmpfs /tmp && exec \"\$@\"" - \
	"$2" save . - > "$3"' - "$mnt" "$tool" "$here/cut.tar"
[ "$status" -eq 2 ] && [ "$output" = 'bpffs: save: /tmp: No space left on device' ]
result $? 'save: /tmp is full'
umount "$mnt"
wrong 'DIR and FILE' bpffs save /
wrong 'FILE and DIR' bpffs restore /
wrong 'not in a mount' bpffs save / "$here/none"
[ ! -e "$here/none" ]
result $? 'save: refused, it leaves nothing'

# Packed again, and with names that a terminal would obey.
mkdir "$here/packed"
tar -C "$here/packed" -xf "$here/saved.tar"
# By name, the table is before the layout of the values.
tar -C "$here/packed" --sort=name -cf "$here/packed.tar" .
mount_it map 'key=u32,value=n=u64:s=str8'
rm -f "$mnt"/*
run bpffs restore "$here/packed.tar" "$mnt"
[ "$status" -eq 0 ] && [ "$(sort "$mnt/.bpf/table")" = "$table" ]
result $? 'restore: packed by tar(1)'
rm -f "$mnt"/*
run bash -c 'cat "$1" | "$2" restore --map="$3" - "$4"' - "$here/packed.tar" "$tool" \
	"$(ls "$here/packed")" "$mnt"
[ "$status" -eq 2 ] && [[ $output == *'no layouts before the table'* ]]
result $? 'restore: packed by tar(1), from a pipe'
mkdir "$here/to"
echo old > "$here/to/file"
"$tool" plot --series -n 3 -i 3600 -o "$here/to/file" "$mnt" &
soon eval '[ "$(ls "$here/to" | wc -l)" -eq 2 ]' && kill $! && ! wait $! 2>&- &&
	[ "$(ls "$here/to")" = file ] && [ "$(cat "$here/to/file")" = old ]
result $? 'a file that a signal ends leaves nothing'
run bash -c 'ulimit -c 0 && ulimit -f 1 && exec "$@"' - "$tool" save "$mnt" "$here/to/file"
[ "$(ls "$here/to")" = file ] && [ "$(cat "$here/to/file")" = old ]
result $? 'nor does one that would be larger than a limit'
rm -r "$here/to"
rm -f "$mnt"/*
umount "$mnt"
rm -r "$here/packed"

# --- How far long work is ---

# The same for each kernel and home; where one is emulated, it only takes long.
if [ -n "${VIRTUAL_MACHINE:-}" ]; then
	skip progress 'on the machine itself'
else
	mount_it map 'key=u32,value=n=u64:s=str8'
	printf '%s\n' '1 n=5 s=' '2 n=6 s=' '3 n=7 s=' > "$mnt/.bpf/table"
	# The line comes, and goes again.
	shows_progress() # NAME LINE COLUMNS FILE COMMAND...
	{
		local line=$2 name=$1 wanted=

		[ -z "$line" ] || wanted=$'\r'$line$'\r'${line//?/ }$'\r'
		run on_terminal "24x$3" "${@:4}"
		[ "$status" -eq 0 ] && [ "$output" = "$wanted" ]
		result $? "progress: $name"
	}
	shows_progress json 'bpffs: json: 1 of 3 elements (33%)' 80 "$here/out" "${long[@]}" "$tool" json "$mnt"
	jq -s . "$here/out" > "$here/log" && [ "$(wc -l < "$here/out")" -eq 3 ]
	result $? 'progress: beside what is printed'
	shows_progress 'a narrow terminal' 'bpffs: json: 1 of 3' 20 "$here/out" "${long[@]}" "$tool" json "$mnt"
	shows_progress 'json, not into a file' '' 80 /dev/null "${long[@]}" "$tool" json "$mnt"
	run on_terminal 24x80 - "${long[@]}" "$tool" json "$mnt"
	[ "$status" -eq 0 ] && [[ $output == '{'* && $output != *' of 3'* ]]
	result $? 'progress: json, on the terminal itself'
	shows_progress 'what is quick' '' 80 "$here/out" "$tool" json "$mnt"
	shows_progress save 'bpffs: save: 3 of 3 elements (100%)' 80 - "${long[@]}" "$tool" save "$mnt" \
		"$here/saved.tar"
	run "${long[@]}" "$tool" save "$mnt" "$here/saved.tar"
	is 'progress: none in a pipe' ''
	rm "$mnt"/*
	shows_progress restore 'bpffs: restore: 1 of 3 elements (33%)' 80 - "${long[@]}" "$tool" restore \
		"$here/saved.tar" "$mnt"
	[ "$(wc -l < "$mnt/.bpf/table")" -eq 3 ]
	result $? 'progress: what was restored'
	run on_terminal 24x80 - "${long[@]}" "$tool" restore "$here/saved.tar" "$mnt"
	[ "$status" -eq 2 ] && [ "$output" = "bpffs: $mnt: the map is not empty"$'\r' ]
	result $? 'progress: a sentence stands alone'
	umount "$mnt"
	# Which of its calls of bpf(2) copies, depends on libraries and kernels; it is behind these.
	copying=("${traced[@]}" -e trace=bpf -e inject=bpf:delay_enter=1300000:when=5+)
	copying+=(mount.bpffs -o "backend=${BACKEND:-auto},snapshot")
	shows_progress snapshot 'mount.bpffs: snapshot: 3 elements' 80 - "${copying[@]}" "$pins/map" "$mnt"
	umount "$mnt"
	bpftool map create "$pins/three" type array key 4 value 8 entries 3 name three
	shows_progress 'snapshot of an array' 'mount.bpffs: snapshot: 3 of 3 elements (100%)' 80 - \
		"${copying[@]}" "$pins/three" "$mnt"
	umount "$mnt"
fi

# --- bpffs list ---

mount_it conns key=hex
id=$(cat "$mnt/.bpf/id")
memory=$(cat "$mnt/.bpf/memlock")
# A name of which the kernel keeps a part of a character, and a path that is no line.
sleeper=$here/sleep_for_everä
odd=$here/$'o\nä'
cp "$(command -v sleep)" "$sleeper"
mkdir "$odd"
mount --bind "$mnt" "$odd"
exec 7< <(exec "$tool" open "$mnt" -- sh -c 'echo; exec "$1" 1000' - "$sleeper")
holder=$!
read -r -u 7
soon grep -q ever "/proc/$holder/comm"
run bpffs list --json
list=$output
# The objects that FILTER selects: those of other tests may be there, too.
shows() # NAME FILTER WANTED
{
	run jq -r ".objects[] | $2" <<< "$list"
	is "list: $1" "$3"
}
pin_of() { bpftool -j "$1" show pinned "$pins/$2" | jq .id; }
# shellcheck disable=SC2016
shows 'a map: mounted, pinned, held' \
	'select(.kind == "map" and .id == '"$id"') | [.type, .name, .size, .fill, .memory] + .mounted + .pinned | map(tostring) | join(" ")' \
	"hash conns 100 3 $memory $mnt ${odd/$'\n'/?} $pins/conns"
shows 'the process that holds it' \
	'select(.kind == "map" and .id == '"$id"') | .processes[] | select(startswith("sleep"))' \
	"sleep_for_ever?[$holder]"
run env LC_ALL=C.UTF-8 "$tool" list -n -o mounted
grep -qF "${odd/$'\n'/?}" <<< "$output"
result $? 'list: UTF-8 is shown as it is'
umount "$odd"
shows 'a map of a program' \
	'select(.kind == "map" and .id == '"$(pin_of map maps/blocked)"') | [.name, .size, .programs[]] | map(tostring) | join(" ")' \
	"blocked 1024 guard[$(pin_of prog progs/guard)]"
shows 'a program' \
	'select(.kind == "prog" and .id == '"$(pin_of prog progs/guard)"') | [.type, .name, .pinned[]] | join(" ")' \
	"xdp guard $pins/progs/guard"
run bash -c "'$tool' list -nr -o id,used,fill,kind | grep '^$(pin_of map maps/blocked) '"
is 'list: columns' "$(pin_of map maps/blocked) 1 0% map"
shows 'the server of a mount does not use its map' \
	'select(.kind == "map" and .id == '"$id"') | .programs | map(values) | length' 0
umount "$mnt"
mount_it conns key=hex,mode=0444
run as_user "$tool" list -nr -o kind,id,type,name,size,used,mounted,pinned
is 'list: what others see' "map $id hash conns 100 3 $mnt "
umount "$mnt"
mount_it conns key=hex
run as_user "$tool" list
is 'list: nothing of what is not theirs' ''
umount "$mnt"
kill "$holder"
exec 7<&-
wrong '"x" is no column' bpffs list -o id,x
wrong 'comes twice' bpffs list -o id,id
wrong 'two forms' bpffs list -J -r
wrong '-o needs a value' bpffs list -o

# --- bpffs all ---

below=$here/below
mkdir "$below" "$below/full"
bpftool map create "$pins/same1" type hash key 4 value 8 entries 8 name same
bpftool map create "$pins/same2" type hash key 4 value 8 entries 8 name same
bpftool map create "$pins/only" type array key 4 value 8 entries 2 name only
bpftool map create "$pins/ring2" type ringbuf entries 4096 name ringing
all() # ARGUMENT...
{
	bpffs all -o "backend=${BACKEND:-auto}${more:-}" "$below" "$@"
}
# NAME ID of each mount that is there.
there()
{
	findmnt -rno TARGET,SOURCE -t bpffs,fuse.bpffs | sed -nE "s,^$below/(.*) map:id:,\1 ,p" | sort
}
first=$(pin_of map same1)
second=$(pin_of map same2)
only=$(pin_of map only)
ring=$(pin_of map ring2)
run all "$pins/only" "$pins/same2" "$pins/same1" "map:id:$only" "$pins/ring2"
[ "$status" -eq 0 ] && [ -z "$output" ] && output=$(there) &&
	[ "$output" = "$(printf '%s\n' "only $only" "ringing $ring" "same-$first $first" "same-$second $second")" ] &&
	[ "$(cat "$below/only/.bpf/id")" = "$only" ]
result $? 'all: by name, with the id if two have it'
before=$(there)
run all "$pins/only" "$pins/same1"
[ "$status" -eq 0 ] && output+=$(there) && [ "$output" = "$before" ]
result $? 'all: again, what is there stays'
bpftool map create "$pins/only2" type array key 4 value 8 entries 2 name only
run all "$pins/only2"
[ "$status" -eq 0 ] && grep -qx "only-$(pin_of map only2) $(pin_of map only2)" <<< "$(there)"
result $? 'all: the name is another map'\''s already'
run bpffs all -u "$below"
[ "$status" -eq 0 ] && [ -z "$(there)" ] && output=$(cd "$below" && echo *) &&
	[ "$output" = full ]
result $? 'all -u: unmounted, without the directories'
mkdir "$below/same" "$below/only"
touch "$below/only/file"
more=,ro,mode=0444 run all "$pins/same1" "$pins/only"
[ "$status" -eq 0 ] && output=$(there) &&
	[ "$output" = "only-$only $only"$'\n'"same $first" ] &&
	findmnt -no OPTIONS "$below/same" | grep -q '^ro,' &&
	[ "$(stat -c %a "$below/only-$only/.bpf/info")" = 444 ]
result $? 'all -o: options of each; what is empty is used, and what is not stays'
cd "$below/same" && run bpffs all -u "$below"
cd / && [ "$status" -eq 2 ] && [[ $output == "bpffs: all: $below/same: in use" ]] &&
	[ "$(there)" = "same $first" ] && rm "$below/only/file" && run bpffs all -u "$below" &&
	[ "$status" -eq 0 ] && [ ! -e "$below/same" ] && [ -d "$below/only" ]
result $? 'all -u: one that is in use'
more=,key=u32 run all "$pins/same1" "$pins/conns" none "$pins/only"
[ "$status" -eq 2 ] && [ "$(wc -l <<< "$output")" -eq 2 ] &&
	[[ $output == *'none: is no BPF object'*"$below/conns: "* ]] &&
	output+=$(there) && [[ $output == *"only $only"$'\n'"same $first" ]] && [ ! -e "$below/conns" ]
result $? 'all: a sentence for what cannot be mounted, and the rest'
bpffs all -u "$below"
run all "$pins/progs/guard"
[ "$status" -eq 0 ] && output=$(there | cut -d' ' -f1 | xargs) &&
	[ "$output" = 'blocked conns drops guard.bss ifaces lengths' ]
result $? 'all: of a program'
bpffs all -u "$below"
mount.bpffs -o "backend=${BACKEND:-auto}" "$pins/only" "$mnt"
exec 7< <(exec "$tool" open "$mnt" -- sh -c 'echo; exec sleep 1000')
holder=$!
read -r -u 7
run all "pid:$holder"
[ "$status" -eq 0 ] && [ "$(there)" = "only $only" ]
result $? 'all: of a process'
kill "$holder"
exec 7<&-
umount "$mnt"
bpffs all -u "$below"
exec 7< <(BPFFS_TEST=$pins/progs/guard exec python3 -c '
import ctypes, os, time
ctypes.CDLL("libbpf.so.1").bpf_obj_get(os.environ["BPFFS_TEST"].encode())
print(flush=True)
time.sleep(1000)')
holder=$!
read -r -u 7
run all "pid:$holder"
[ "$status" -eq 0 ] && output=$(there | cut -d' ' -f1 | xargs) &&
	[ "$output" = 'blocked conns drops guard.bss ifaces lengths' ]
result $? 'all: of the programs of a process'
kill "$holder"
exec 7<&-
bpffs all -u "$below"
# On a machine with others, what they have would be kept.
if [ "${BACKEND:-}" != fuse ]; then
	run all
	[ "$status" -eq 0 ] && [ -z "$output" ] && output=$(there | cut -d' ' -f2 | sort) &&
		[ "$output" = "$(bpffs list -nr -o kind,id | sed -n 's/^map //p' | sort)" ]
	result $? 'all: of the system'
	bpffs all -u "$below"
else
	skip 'all: of the system' 'this machine may have maps of others'
fi
run as_user "$tool" all "$below"
[ "$status" -eq 2 ] && [[ $output == *'needs CAP_SYS_ADMIN; give a SOURCE' ]]
result $? 'all: without privileges'
[ -z "$(there)" ] && [ "$(cd "$below" && echo *)" = full ]
result $? 'all: refused, it leaves nothing'
wrong 'DIR is missing' bpffs all -u
wrong 'Not a directory' bpffs all "$tool"
wrong 'takes no SOURCE' bpffs all -u "$below" map:x
wrong 'takes no -o' bpffs all -u -o ro "$below"
wrong 'comes twice' bpffs all -o ro -o rw "$below"
wrong '-o needs a value' bpffs all -o
wrong 'mounts a pin' bpffs all -o pinonly "$below"
wrong 'fd' bpffs all -o fd=3 "$below"
wrong 'no number of a process' bpffs all "$below" pid:x
wrong 'No such process' bpffs all "$below" pid:4194999
wrong 'has no maps' bpffs all "$below" pid:1

# --- Of each command ---

if [ -n "${VIRTUAL_MACHINE:-}" ]; then
	skip 'wrong arguments' 'on the machine itself'
else
	# What its arguments are, one too many, and what is said of those that are missing.
	declare -A takes=([json]='DIR' [export]='DIR' [top]='DIR' [watch]='DIR...' [plot]='DIR...'
		[save]='DIR... FILE' [restore]='FILE DIR' [list]='' [all]='DIR...' [layout]='SOURCE'
		[check]='DIR' [open]='DIR -- CMD...')
	run bpffs --help
	verbs=$(sed -nE 's/^(usage:|      ) bpffs ([a-z]+).*/\2/p' <<< "$output" | sort -u)
	[ "$status" -eq 0 ] && output=$(printf '%s\n' "${!takes[@]}" | sort) && [ "$output" = "$verbs" ]
	result $? 'each command is one of the test'
	empty=$here/empty
	mkdir "$empty"
	for verb in $verbs; do
		arguments=${takes[$verb]}
		wrong 'there is no option --none' bpffs "$verb" --none
		wrong 'there is no option -x' bpffs "$verb" -x "$empty"
		[ "$verb" = open ] || wrong 'there is no option -x' bpffs "$verb" "$empty" -x
		case $arguments in
		'')	;;
		'DIR -- CMD...')	wrong 'DIR -- CMD is needed' bpffs "$verb" ;;
		*' '*)	wrong 'are needed' bpffs "$verb" ;;
		*)	wrong 'is missing' bpffs "$verb" ;;
		esac
		case $arguments in
		'DIR -- CMD...')
			wrong 'DIR -- CMD is needed' bpffs "$verb" "$empty"
			wrong 'DIR -- CMD is needed' bpffs "$verb" "$empty" true true
			mnt=$here refuses 'wrong: open: no mount' 125 'not the root' bpffs open "$empty" -- true
			mnt=$here refuses 'wrong: open: no such directory' 125 'No such file' \
				bpffs open "$here/none" -- true ;;
		'DIR... FILE')
			wrong 'not in a mount' bpffs "$verb" "$empty" "$here/none"
			wrong 'No such file' bpffs "$verb" "$here/none" "$here/none" ;;
		'FILE DIR')
			wrong 'not in a mount' bpffs "$verb" "$here/saved.tar" "$empty"
			wrong 'No such file' bpffs "$verb" "$here/none" "$empty"
			wrong 'No such file' bpffs "$verb" "$here/saved.tar" "$here/none"
			wrong 'are needed' bpffs "$verb" "$here/saved.tar" "$empty" "$empty" ;;
		SOURCE)	wrong 'No such file' bpffs "$verb" "$here/none"
			wrong 'only one SOURCE' bpffs "$verb" "$empty" "$empty" ;;
		'')	wrong 'is an argument' bpffs "$verb" "$empty" ;;
		DIR*)
			[ "$verb" = all ] || wrong 'not in a mount' bpffs "$verb" "$empty"
			wrong 'No such file' bpffs "$verb" "$here/none"
			[ "$arguments" != DIR ] || wrong 'only one DIR' bpffs "$verb" "$empty" "$empty" ;;
		esac
		for option in -h --help; do
			run bpffs "$verb" "$option"
			[ "$status" -eq 0 ] && [[ $output == "usage: bpffs $verb "*'See bpffs(8).' ]]
			result $? "bpffs $verb $option"
		done
	done
	for verb in top watch plot; do
		for option in -d0 -i1x --delay=-1 --interval=86401; do
			wrong 'no time' bpffs "$verb" "$option" "$empty"
		done
		for number in 0 1.5 18446744073709551616; do
			wrong 'no number' bpffs "$verb" -n "$number" "$empty"
		done
	done
	for number in '' 1e1 nan; do
		wrong 'no time' bpffs top --interval="$number" "$empty"
	done
	wrong 'no number' bpffs top --iterations=-1 "$empty"
	wrong 'no number' bpffs watch --count=x "$empty"
	wrong 'there is no command "none"' bpffs none
	mnt=$here refuses 'wrong: a sentence is one line, and obeyed by no terminal' 2 \
		'there is no command "a\012\033[31m"' bpffs $'a\n\e[31m'
	on_full()
	{
		bpffs "$@" > /dev/full
	}
	mount_it conns key=hex,value=hex
	for words in --help --version 'list --help' 'list -n' "layout $pins/conns" "check $mnt"; do
		# shellcheck disable=SC2086
		wrong 'standard output: No space left' on_full $words
	done
	wrong 'standard output: Bad file descriptor' bash -c '"$1" --version >&-' - "$tool"
	run bash -c '"$1" export -o "$2" "$3" >&-' - "$tool" "$here/out" "$mnt"
	[ "$status" -eq 0 ] && [ "$(tail -n 1 "$here/out")" = '# EOF' ]
	result $? 'a standard output that is closed is of no use for -o'
	umount "$mnt"
	run bpffs
	[ "$status" -eq 2 ] && [[ $output == 'usage: '* ]]
	result $? 'wrong: bpffs alone'
fi
bpftool map create "$pins/bloom" type bloom_filter key 0 value 8 entries 8 name bloom
bpftool map create "$pins/queue" type queue key 0 value 8 entries 8 name queue
for pin in bloom queue; do
	mount.bpffs -o "backend=${BACKEND:-auto}" "$pins/$pin" "$mnt"
	for verb in json 'top -b' watch plot; do
		# shellcheck disable=SC2086
		wrong 'no keys and values are shown here' bpffs $verb "$mnt"
	done
	umount "$mnt"
done

# ---

run grep " $here/" /proc/mounts
[ "$(wc -l <<< "$output")" -eq 1 ] && [[ $output == "bpf $pins "* ]]
result $? 'nothing else is mounted any more'
# Without llvm-symbolizer, it says so of what ncurses keeps.
grep -hv ' external symbolizer!$' "$here"/san* > "$here/reports" 2>&-
output=$(cat "$here/reports")
[ -z "$output" ]
result $? 'no sanitizer has anything to report'

finish
