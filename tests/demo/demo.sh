#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The demo: a BPF program counts real traffic, its map is a directory. Every
# command is printed as it would be typed, and its output is checked.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
PATH=$here:$PATH

KEY=ip4:be16:u8{tcp=6/udp=17}:pad1
VALUE=packets=u64:bytes=u64

CONNS=/mnt/conns
SERVICE=/srv/conns
HOST=10.1.0.1
CLIENT=10.1.0.2
UDP1=$CONNS/$CLIENT,4001,udp
UDP2=$CONNS/$CLIENT,4002,udp
TCP=$CONNS/$CLIENT,4003,tcp

background=()

die()
{
	printf 'demo: FAILED: %s\n' "$*" >&2
	exit 1
}

say()
{
	printf '\n%s\n' "$*"
}

# Type a command: print it, run it, keep output and status for the checks.
type_in()
{
	printf '# %s\n' "$1"
	status=0
	output=$(bash -c "$1" 2>&1) || status=$?
	[ -z "$output" ] || printf '%s\n' "$output"
}

works()
{
	type_in "$1"
	[ "$status" -eq 0 ] || die "exit status $status of: $1"
}

fails()
{
	type_in "$1"
	[ "$status" -ne 0 ] || die "it should have failed: $1"
}

shows()
{
	grep -Eq -e "$1" <<< "$output" || die "the output does not show: $1"
}

hides()
{
	! grep -Eq -e "$1" <<< "$output" || die "the output should not show: $1"
}

# Wait until a condition holds; only a bound of 30 s, no measure of time.
await()
{
	local tries=300

	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || die "never became true: $*"
		sleep 0.1
	done
}

field() # FILE NAME
{
	awk -F= -v name="$2" '$1 == name { print $2 }' "$1"
}

over() # FILE PACKETS
{
	[ -e "$1" ] && [ "$(field "$1" packets)" -gt "$2" ]
}

start() # COMMAND, in the background
{
	printf '# %s &\n' "$1"
	bash -c "exec $1" &
	background+=("$!")
}

stop() # the last one started
{
	kill "${background[-1]}"
	wait "${background[-1]}" || true
	unset 'background[-1]'
}

gone() # prog|map ID
{
	! bpftool "$1" show id "$2" > /dev/null 2>&1
}

listening()
{
	[ -n "$(ss -Hltn "src $HOST:9000")" ]
}

mounted()
{
	findmnt -t bpffs,fuse.bpffs "$1" > /dev/null
}

clean_up()
{
	local pid dir

	for pid in "${background[@]}"; do
		kill "$pid" || true
	done
	for dir in "$CONNS" "$SERVICE"; do
		! mounted "$dir" || umount "$dir"
	done
	ip netns del client 2> /dev/null || true
}

make_network()
{
	say 'Two network namespaces, this one and "client", joined by a veth pair.'
	works "ip netns add client"
	works "ip link add veth0 type veth peer name eth0 netns client"
	works "ip addr add $HOST/24 dev veth0; ip link set veth0 up"
	works "ip -n client addr add $CLIENT/24 dev eth0; ip -n client link set eth0 up"
	start "traffic.py serve $HOST"
	await listening
}

load()
{
	say 'The loader attaches the counter to veth0, mounts its map, and exits.'
	works "mkdir -p $CONNS $SERVICE"
	works "demo-load veth0 $KEY $VALUE $CONNS $SERVICE,uid=1000,mode=0400,ro"
	map=$(cat "$CONNS/.bpf/id")
	prog=$(ip -j link show veth0 | jq '.[0].xdp.prog.id')

	if [ "$(findmnt -no FSTYPE "$CONNS")" = bpffs ]; then
		say 'The map is a file system of its own; the options say which map it is.'
		works "findmnt $CONNS"
		shows "bpffs .*id=$map,name=conns"
	else
		say 'The map is a file system of its own, here by FUSE; files say which map it is.'
		works "findmnt -o TARGET,SOURCE,FSTYPE $CONNS"
		shows "conns +fuse.bpffs"
		works "cat $CONNS/.bpf/id $CONNS/.bpf/name"
		[ "$output" = "$map"$'\nconns' ] || die "another map"
	fi
}

list_and_read()
{
	say 'Frames of 100 bytes arrive: 3 from UDP port 4001, 5 from 4002.'
	works "ip netns exec client traffic.py burst $HOST 4001 3"
	works "ip netns exec client traffic.py burst $HOST 4002 5"
	await over "$UDP1" 2
	await over "$UDP2" 4

	say 'Each key is a file; its name is the key: address, port, protocol.'
	works "ls $CONNS"
	[ "$(sort <<< "$output")" = "$CLIENT,4001,udp"$'\n'"$CLIENT,4002,udp" ] ||
		die "not exactly these two keys"

	say 'The value is its text, one field a line.'
	works "cat $UDP1"
	[ "$output" = $'packets=3\nbytes=300' ] || die "not exactly 3 packets"
}

watch_it_grow()
{
	local before

	say 'Traffic starts, UDP from port 4001 and TCP from 4003: the value grows.'
	start "ip netns exec client traffic.py flow $HOST 4001 4003"
	await over "$UDP1" 9
	works "cat $UDP1"
	before=$(field "$UDP1" packets)
	await over "$UDP1" "$((before + 20))"
	works "cat $UDP1"
	[ "$(awk -F= '/^packets=/ { print $2 }' <<< "$output")" -gt "$before" ] ||
		die "the counter did not grow"
	await over "$TCP" 9
	works "ls $CONNS"
	shows "^$CLIENT,4003,tcp\$"

	say 'bpffs top shows it on the terminal, with rates; here once, as for a pipe.'
	works "bpffs top -b -n 1 -s packets/s $CONNS"
	shows "^ $CLIENT,4001,udp +[0-9]+ +[1-9]"
	say 'And bpffs watch what changes.'
	works "bpffs watch -n 1 $CONNS"
	shows "^~ $CLIENT,4001,udp packets=[0-9]+->[0-9]+ bytes=[0-9]+->[0-9]+\$"

	stop
	say 'The sender has stopped. What has every connection together sent?'
}

sum_up()
{
	local sum='{ n[$1] += $2 } END { print n["packets"], "packets,", n["bytes"], "bytes" }'

	works "awk -F= '$sum' $CONNS/*"
	shows '^[1-9][0-9]+ packets, [1-9][0-9]+ bytes$'
}

take_elsewhere()
{
	local dir=${CONNS%/*}/all

	say 'Who has it? Which other maps does the program have?'
	works "bpffs list -o kind,id,type,name,size,mounted,programs"
	shows "^map +$map +hash +conns +1024 +$CONNS "
	works "mkdir -p $dir; bpffs all -o ro $dir prog:id:$prog; ls $dir; bpffs all -u $dir"
	shows '^conns$'
	say 'As JSON, as metrics for Prometheus, as a tar for a report.'
	works "bpffs json $CONNS | jq -c .value.packets | sort -n"
	shows '^5$'
	works "bpffs export --field=packets --type=packets=counter $CONNS"
	shows "^bpffs_conns_packets_total\{key_0=\"$CLIENT\",key_1=\"4002\",key_2=\"udp\"\} 5\$"
	works "bpffs save $CONNS - | tar -xO conns-$map/table | sort"
	shows "^$CLIENT,4002,udp packets=5 bytes=500\$"
}

change()
{
	local bytes

	say 'Writing one field resets it; the other one stays as it is.'
	bytes=$(field "$UDP1" bytes)
	works "echo packets=0 > $UDP1"
	works "cat $UDP1"
	[ "$output" = $'packets=0\nbytes='"$bytes" ] || die "not just reset"

	say 'Removing a file deletes the element.'
	works "rm $UDP2"
	works "ls $CONNS"
	hides "^$CLIENT,4002,udp\$"
	shows "^$CLIENT,4001,udp\$"
}

count_elements()
{
	say 'How full is the map? Elements are inodes.'
	works "df -i $CONNS"
	if [ "$(df --output=itotal "$CONNS" | tail -n 1)" -gt 0 ]; then
		shows 'conns +1024 +2 +1022 '
	else
		echo "(Linux $(uname -r) keeps no count of a hash's elements, so none is shown.)"
	fi
}

refuse()
{
	say 'What is not a value is refused whole, and .bpf/error says why.'
	fails "echo packets=12x > $UDP1"
	shows 'Invalid argument'
	works "cat $CONNS/.bpf/error"
	shows "$CLIENT,4001,udp: .*12x"
	[ "$(field "$UDP1" packets)" = 0 ] || die "the refused write changed it"
}

serve_a_user()
{
	local as="setpriv --clear-groups --regid 1000 --reuid"

	say 'The second mount belongs to the user 1000, who may only read it,'
	works "$as 1000 cat $SERVICE/$CLIENT,4001,udp"
	shows '^packets=0$'
	fails "$as 1000 rm $SERVICE/$CLIENT,4001,udp"
	shows 'Read-only file system'
	say 'and not the first one; other users may read neither.'
	fails "$as 1000 cat $UDP1"
	shows 'Permission denied'
	fails "$as 1001 ls $SERVICE"
	shows 'Permission denied'
}

release()
{
	say 'An attached program keeps its map too. Without it, the mounts alone do.'
	works "ip link set veth0 xdp off"
	await gone prog "$prog"
	fails "bpftool prog show id $prog"
	works "bpftool map show id $map"
	shows "^$map: hash +name conns"
	works "cat $UDP1"

	say 'umount is the release: with the last mount, the map goes.'
	works "umount $SERVICE"
	works "bpftool map show id $map"
	works "umount $CONNS"
	await gone map "$map"
	fails "bpftool map show id $map"
	shows 'No such file'
}

trap clean_up EXIT
make_network
load
list_and_read
watch_it_grow
sum_up
take_elsewhere
change
count_elements
refuse
serve_a_user
release
say 'demo: every step showed what it should.'
