#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What bpffs shows of the maps of programs that know nothing of it: of three of Debian's
# libbpf-tools, while they run. As TAP.

. "$(dirname "$0")/tap.sh"
if ! command -v runqlat > /dev/null; then
	echo '1..0 # SKIP programs: no runqlat (libbpf-tools)'
	exit 4
fi
in_private programs
here=$(mktemp -d)
maps=$here/maps
tool=

cleanup()
{
	cd /
	[ -z "$tool" ] || kill "$tool"
	bpffs all -u "$maps"
	rm -rf "$here"
}
trap cleanup EXIT

mkdir "$maps"
ip link set lo up
# Where libbpf looks for tracepoints.
tracing=/sys/kernel/tracing
[ -e "$tracing/events" ] || mount -t tracefs tracefs "$tracing" 2>&-

# Something to see: processes, system calls, and connections to somebody who listens.
exec 7< <(exec python3 -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    server.accept()[0].close()')
server=$!
read -r -u 7 port
work() # COUNT
{
	python3 -c "
import socket
for i in range($1):
    socket.create_connection(('127.0.0.1', $port)).close()"
}

has_keys() # MAP
{
	grep -qs . "$maps/$1/.bpf/table"
}

# Its maps are mounted, and something is in this one of them.
has_counted() # MAP
{
	work 3
	bpffs all -o "backend=${BACKEND:-auto},ro${more:-}" "$maps" "pid:$tool" > "$here/all" 2>&1
	! kill -0 "$tool" 2>&- || has_keys "$1"
}

# False: there is nothing to see. It may be older than the kernel is.
begin_tool() # MAP COMMAND...
{
	local map=$1

	shift
	name=$1
	"$@" > "$here/log" 2>&1 &
	tool=$!
	soon has_counted "$map"
	if ! kill -0 "$tool" 2>&-; then
		skip "$name: its maps" "it does not run here: $(tail -n 1 "$here/log")"
		tool=
		bpffs all -u "$maps"
		return 1
	fi
	output=$(cat "$here/all" "$here/log")
	has_keys "$map"
	result $? "$name: its maps are mounted"
}

end_tool()
{
	kill "$tool"
	wait "$tool" 2>&-
	tool=
	run bpffs all -u "$maps"
	[ "$status" -eq 0 ] && [ -z "$(ls "$maps")" ]
	result $? "$name: all -u"
}

# A column of numbers, by its title.
column() # TITLE
{
	awk -v title="$1" '
		NR == 2 { sub(/ [v^] /, " "); for (i = 1; i <= NF; i++) if ($i == title) n = i; next }
		NR > 2 && n { print $n }'
}

# Each verb.
see() # MAP LAYOUT FIELD [OPTION-OF-EXPORT...]
{
	local map=$1 layout=$2 field=$3 id tables

	shift 3
	id=$(cat "$maps/$map/.bpf/id")
	run cat "$maps/$map/.bpf/value"
	[ "$output" = "$layout" ]
	result $? "$name: layout of the values, by BTF"
	run bpffs list --json -o kind,id,name,used,mounted,processes,programs
	output=$(jq -c ".objects[] | select(.kind == \"map\" and .id == $id)" <<< "$output")
	[ "$(jq -r '[.name, .used > 0, .mounted[0], (.programs | length > 0)] | join(" ")' <<< "$output")" = \
		"$map true $maps/$map true" ] &&
		jq -e ".processes | index(\"${name}[$tool]\")" <<< "$output" > /dev/null
	result $? "$name: list: its map, its programs, its process"
	run bpffs top -b -n 1 -d 0.1 "$maps/$map"
	[[ $output == "$map (hash, id $id): "* ]] &&
		column "$field" <<< "$output" | sort -n | tail -n 1 | grep -q '^[1-9][0-9]*$'
	result $? "$name: top"
	exec 8< <(exec bpffs watch -i 0.1 "$maps/$map")
	for _ in {1..100}; do
		work 1
		! read -r -t 0.1 -u 8 output || break
	done
	kill $!
	exec 8<&-
	# Of a field without a name, there is nothing in front.
	[[ $output =~ ^[~+]\ [^\ ]+\ (.*\ )?(${field/value/}(\.[0-9]+)?=)?[0-9]+ ]]
	result $? "$name: watch"
	run bpffs export --prometheus --prefix=p "$@" "$maps/$map"
	[ "$status" -eq 0 ] && grep -qE "^p_${field}(_value)?(_total)?\{.+\} [1-9]" <<< "$output" &&
		{ ! command -v promtool > /dev/null || run promtool check metrics <<< "$output"; } &&
		[ "$status" -eq 0 ]
	result $? "$name: export"
	run bpffs json "$maps/$map"
	[ "$status" -eq 0 ] && [ "$(wc -l <<< "$output")" -ge 1 ] &&
		jq -es 'all(.value | numbers, (.'"$field"'? | numbers, arrays[0]) | . >= 0)' <<< "$output" > /dev/null
	result $? "$name: json"
	run bpffs save "$maps"/* "$here/tar"
	tables=$(tar -tf "$here/tar" | grep -c "/id$")
	[ "$status" -eq 0 ] && [ "$tables" -eq "$(ls "$maps" | wc -l)" ] &&
		tar -xOf "$here/tar" "$map-$id/table" | grep -q .
	result $? "$name: save, of all its maps"
}

# --- A histogram, by its logarithm ---

if begin_tool hists runqlat; then
	see hists slots=u32[26]:comm=str16 slots
	run bpffs export --type=slots=histogram "$maps/hists"
	[ "$status" -eq 0 ] && grep -qE '_bucket\{key="[0-9]+",le="\+Inf"\} [1-9]' <<< "$output" &&
		[[ $output == *'# TYPE bpffs_hists_slots histogram'* ]]
	result $? 'runqlat: export: a histogram'
	end_tool
fi

# --- Counters, and text ---

if begin_tool data syscount -P; then
	see data count=u64:total_ns=u64:comm=str16 count --type=count=counter --nanoseconds=total_ns
	run bpffs top -b -n 1 -d 0.1 "$maps/data"
	grep -qE '^ [0-9]+ .* python3$' <<< "$output"
	result $? 'syscount: top: a process by its number, with its name'
	# It counts all the time, so that only a snapshot is the same for each.
	mkdir "$here/snapshot"
	mount.bpffs -o "backend=${BACKEND:-auto},ro,snapshot" \
		"map:id:$(cat "$maps/data/.bpf/id")" "$here/snapshot"
	work 20
	sums=$(bpffs top -b -n 1 -d 0.1 "$here/snapshot" | grep TOTAL | awk '{ print $2 }'
	bpffs export "$here/snapshot" | awk '/^bpffs_.*_count_value\{/ { n += $NF } END { print n }'
	sed 's/.* count=\([0-9]*\) .*/\1/' "$here/snapshot/.bpf/table" | awk '{ n += $1 } END { print n }'
	bpffs json "$here/snapshot" | jq -s 'map(.value.count) | add')
	later=$(sed 's/.* count=\([0-9]*\) .*/\1/' "$maps/data/.bpf/table" | awk '{ n += $1 } END { print n }')
	output="$(xargs <<< "$sums"), then $later"
	[ "$(sort -u <<< "$sums" | wc -l)" -eq 1 ] && [ "$(wc -l <<< "$sums")" -eq 4 ] &&
		[ "$later" -gt "${sums%%$'\n'*}" ]
	result $? 'syscount: totals of top, export, the table and json agree, while it counts'
	umount "$here/snapshot"
	end_tool
fi

# --- Addresses ---

if more=,as=key.dport:be16 begin_tool ipv4_count tcpconnect -c; then
	[ "$(ls "$maps/ipv4_count")" = "127.0.0.1,127.0.0.1,0,$port" ]
	result $? 'tcpconnect: addresses, and a port'
	see ipv4_count u64 value
	end_tool
fi
kill "$server"

finish
