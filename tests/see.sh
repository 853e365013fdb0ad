#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What bpffs shows of mounted maps: metrics, changes, and which there are. With BPFFS, the tool is that program. Where
# the module is not, by FUSE: it needs root and bpf(2), and no more. As TAP.

# Out of sight of everybody else, gone with the last process.
if [ -z "$BPFFS_PRIVATE" ]; then
	if ! unshare -mn true 2>&- || ! bpftool map > /dev/null 2>&1; then
		echo '1..0 # SKIP see: no root or bpf(2) here'
		exit 4
	fi
	BPFFS_PRIVATE=1 exec unshare -mn "$0"
fi

. "$(dirname "$0")/tap.sh"
# libbpf pins maps at no path with a dot.
here=$(mktemp -d "${TMPDIR:-/tmp}/bpffs_XXXXXX")
chmod 755 "$here"
mnt=$here/mnt
pins=$here/pins
tool=$(command -v "${BPFFS:-bpffs}")
# A sanitizer's report is a failure at the end.
export ASAN_OPTIONS=log_path=$here/san UBSAN_OPTIONS=log_path=$here/san
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

skip() # NAME WHY
{
	count=$((count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$count" "$1" "$2"
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

wrong 'DIR is missing' bpffs export
wrong 'only one DIR' bpffs export / /
wrong 'no option --none' bpffs export --none /
wrong '--type needs a value' bpffs export --type
wrong 'not FIELD=gauge' bpffs export --type=packets=sum /
wrong 'not NAME=TEXT' bpffs export --label=a-b=c /
wrong 'not a name of a metric' bpffs export --prefix=0 /
wrong 'not a name of a metric' bpffs export --field=packets=a.b /
wrong 'not in a mount of type bpffs' bpffs export /
mount_it conns 'key=hex,value=a={b=u64}:a_b=u64:hex24'
wrong 'no field "packets"' bpffs export --type=packets=counter "$mnt"
wrong 'is not a number' bpffs export --field=value "$mnt"
wrong 'no array of up to 64 numbers' bpffs export --type=a.b=histogram "$mnt"
wrong 'two metrics would be called bpffs_conns_a_b' bpffs export "$mnt"
wrong "$here/none/x" bpffs export --field=a.b -o "$here/none/x" "$mnt"
umount "$mnt"

# Each type: its elements as bytes of raw or, where there is none, lines of the table. (*: by
# FUSE there are elements, by the module there are none.)
every_type()
{
	local type flags key value elements bad=0

	bpftool map create "$pins/inner" type hash key 4 value 8 entries 4 name inner
	bpftool map update pinned "$pins/inner" key 1 0 0 0 value 5 0 0 0 0 0 0 0
	while read -r type key value flags elements; do
		rm -f "$pins/map"
		# shellcheck disable=SC2046
		if ! bpftool map create "$pins/map" type "$type" key "$key" value "$value" \
			entries 4096 name every flags "$flags" \
			$([[ $type != *_of_maps ]] || echo inner_map pinned "$pins/inner") 2>&-; then
			echo "# this kernel, or bpftool, makes no $type"
			continue
		fi
		case $type in
		lpm_trie)	bpftool map update pinned "$pins/map" key 8 0 0 0 10 0 0 0 \
					value 5 0 0 0 0 0 0 0 ;;
		*_of_maps)	bpftool map update pinned "$pins/map" key 1 0 0 0 \
					value pinned "$pins/inner" ;;
		*percpu*|*hash|array)	[[ $type == dev* || $type == sock* ]] ||
				bpftool map update pinned "$pins/map" key 1 0 0 0 \
					value 5 0 0 0 0 0 0 0 ;;
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
rm "$pins/map"
bpftool map create "$pins/map" type hash_of_maps key 4 value 4 entries 4 name outer \
	inner_map pinned "$pins/inner"
bpftool map update pinned "$pins/map" key 7 0 0 0 value pinned "$pins/inner"
mount_it map key=u32,inner_key=outer=u32,inner_value=n=u64
run bash -c "'$tool' export '$mnt' | grep ^bpffs_outer"
is 'export: a map of maps' 'bpffs_outer_n{outer="7",outer_2="1"} 5'
umount "$mnt"

# Who has nothing but the right to read the files.
mount_it conns ro,mode=0444,key=hex,value=packets=u64:hex32
run as_user "$tool" export "$mnt"
[ "$status" -eq 0 ] && [[ $output == *'bpffs_conns_packets{key="'* ]]
result $? 'export: without privileges'

# node_exporter, as the timer of docs/systemd.rst feeds it.
if command -v prometheus-node-exporter > /dev/null; then
	ip link set lo up
	mkdir "$here/prom"
	prometheus-node-exporter --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory="$here/prom" --web.listen-address=127.0.0.1:9100 \
		> "$here/exporter" 2>&1 &
	exporter=$!
	bpffs export --prometheus --type=packets=counter -o "$here/prom/conns.prom" "$mnt"
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
begin_watch() # ARGUMENT...
{
	exec 7< <(exec "$tool" watch -i 0.05 "$@" "$mnt")
	watcher=$!
	line=
	until [ -n "$line" ]; do
		echo n+=1 > "$mnt/beat"
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
run bpffs watch -n 2 -i 0.01 "$mnt"
is 'watch: nothing changes' ''
umount "$mnt"
exec 7< <(exec "$tool" watch -i 0.05 / 2>&1)
read -r -u 7 output
is 'watch: no mount' 'bpffs: /: not in a mount of type bpffs'
exec 7<&-
mount_it conns ro,mode=0444,key=hex
run as_user "$tool" watch -n 1 -i 0.01 "$mnt" '0*'
is 'watch: without privileges' ''
umount "$mnt"
wrong 'DIR is missing' bpffs watch
wrong 'no time' bpffs watch -i 0 /
wrong 'no time' bpffs watch --interval=1x /
wrong 'no number' bpffs watch -n 0 /
wrong 'no option -x' bpffs watch -x /
bpftool map create "$pins/ring" type ringbuf entries 4096 name ring
mount.bpffs -o "backend=${BACKEND:-auto}" "$pins/ring" "$mnt"
refuses 'wrong: bpffs watch, a ring buffer' 2 'no keys and values are shown here' \
	bpffs watch "$mnt"

# --- bpffs list ---

object=$(dirname "$0")/../recipes/guard.bpf.o
[ -e "$object" ] || object=${GUARD:-none}
mount_it conns key=hex
mkdir "$pins/progs" "$pins/maps"
bpftool prog loadall "$object" "$pins/progs" pinmaps "$pins/maps" > "$here/log" 2>&1
run cat "$here/log"
[ -e "$pins/maps/conns" ]
result $? 'list: a program to look at'
bpftool map update pinned "$pins/maps/blocked" key 8 0 0 0 10 0 0 0 value 0 0 0 0
exec 7< <(exec "$tool" open "$mnt" -- sh -c 'echo; exec sleep 1000')
holder=$!
read -r -u 7
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
	"hash conns 100 3 $memory $mnt $pins/conns"
shows 'the process that holds it' \
	'select(.kind == "map" and .id == '"$id"') | .processes[] | select(startswith("sleep"))' \
	"sleep[$holder]"
shows 'a map of a program' \
	'select(.kind == "map" and .id == '"$(pin_of map maps/blocked)"') | [.name, .size, .programs[]] | map(tostring) | join(" ")' \
	"blocked 1024 guard[$(pin_of prog progs/guard)]"
shows 'a program' \
	'select(.kind == "prog" and .id == '"$(pin_of prog progs/guard)"') | [.type, .name, .pinned[]] | join(" ")' \
	"xdp guard $pins/progs/guard"
run bash -c "'$tool' list -nr -o id,used,fill,kind | grep '^$(pin_of map maps/blocked) '"
is 'list: columns' "$(pin_of map maps/blocked) 1 0% map"
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
wrong 'there are none' bpffs list /
wrong '"x" is no column' bpffs list -o id,x
wrong 'comes twice' bpffs list -o id,id
wrong 'two forms' bpffs list -J -r
wrong '-o needs a value' bpffs list -o

# ---

cat "$here"/san* > "$here/reports" 2>&-
output=$(cat "$here/reports")
[ -z "$output" ]
result $? 'no sanitizer has anything to report'

finish
