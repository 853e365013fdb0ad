#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The recipes of docs/recipes.rst do what they say: these very lines are run, in
# namespaces of their own. As TAP.

here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" != inside ]; then
	exec unshare --mount --net "$0" inside
fi
. "$here/tap.sh"
# The lines name maps, and these have no namespaces.
for name in blocked conns drops lengths ifaces tenants tenant7 sleeps stacks; do
	if bpftool map list | grep -qE "^[0-9]+: .* name $name "; then
		echo "1..0 # SKIP recipes: this machine has a map of the name $name"
		exit 4
	fi
done
document=$here/../recipes/recipes.rst
object=$here/../recipes/guard.bpf.o
sleepers=$here/../recipes/sleepers.bpf.o
work=$(mktemp -d)
peer=

cleanup()
{
	[ -z "$peer" ] || kill "$peer"
	cd /
	umount -q "$work/globals"
	rm -rf "$work"
}
trap cleanup EXIT

# The lines that follow ".. run: NAME" in a literal block.
lines_of() # NAME
{
	awk -v name="$1" '
		/^\.\. run: / { on = $3 == name; next }
		on && /^    / { sub(/^    /, ""); print; had = 1; next }
		on && had && /^[^ ]/ { exit }
		on && had { print }' "$document"
}

# @output is what it printed, @status 0 if each of its lines succeeded.
recipe() # NAME
{
	lines_of "$1" > "$work/lines"
	run bash -eu -o pipefail "$work/lines"
	[ -s "$work/lines" ] || status=1
	ran+=("$1")
}
ran=()

# A line of the output is exactly that.
shows() # LINE
{
	grep -qxF -e "$1" <<< "$output"
}

# Until it holds, a minute at most: there are slow kernels.
await() # COMMAND...
{
	for _ in {1..600}; do
		! "$@" || return 0
		command sleep 0.1
	done
	return 1
}

# The program has seen them when this ends.
send() # ADDRESS PORT PACKETS
{
	local seen

	seen=$(field "$work/globals/0" seen)
	nsenter --net="/proc/$peer/ns/net" python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$1', $2))
for i in range($3):
    s.sendto(bytes(58), ('10.9.0.1', 9))" &&
		await has "$work/globals/0" seen $((seen + $3))
}

field() # FILE NAME
{
	sed -n "s/^$2=//p" "$1"
}

has() # FILE NAME VALUE
{
	[ -e "$1" ] && [ "$(field "$1" "$2")" = "$3" ]
}

prepare()
{
	local dir

	# That of this network namespace, with its devices.
	mount -t sysfs sysfs /sys &&
	mount -t bpf bpf /sys/fs/bpf &&
	mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
	mount -t tmpfs tmpfs /mnt &&
	mount -t tmpfs tmpfs /srv || return
	touch /etc/fstab
	: > "$work/fstab"
	mount --bind "$work/fstab" /etc/fstab || return
	for dir in blocked conns drops ifaces lengths globals copy conns2 tenants tenant7 guard \
		sleepers stacks sleeps; do
		mkdir "/mnt/$dir"
	done
	mkdir /srv/conns
	unshare --net sleep 1000 &
	peer=$!
	# Not before it is in its own namespace.
	await sh -c "[ ! /proc/$peer/ns/net -ef /proc/self/ns/net ]" || return
	ip link set lo up
	ip link add eth0 type veth peer name eth0 netns "$peer" &&
	ip addr add 10.9.0.1/24 dev eth0 &&
	ip link set eth0 up &&
	nsenter --net="/proc/$peer/ns/net" sh -c '
		ip addr add 10.9.0.2/24 dev eth0
		ip addr add 10.9.0.3/24 dev eth0
		ip link set eth0 up' || return
	bpftool prog load "$object" /sys/fs/bpf/guard pinmaps /sys/fs/bpf &&
	bpftool net attach xdp pinned /sys/fs/bpf/guard dev eth0 &&
	mkdir "$work/globals" &&
	mount -t bpffs -o ro map:guard.bss "$work/globals" || return
	bpftool map create /sys/fs/bpf/tenant7 type hash key 4 value 8 entries 16 name tenant7 &&
	bpftool map create /sys/fs/bpf/tenant8 type hash key 4 value 8 entries 16 name tenant8 &&
	bpftool map create /sys/fs/bpf/tenants type hash_of_maps key 4 value 4 entries 16 \
		name tenants inner_map pinned /sys/fs/bpf/tenant7 || return
	bpftool batch file - > /dev/null << END
map update pinned /sys/fs/bpf/tenant7 key 10 7 0 1 value $(bytes 8 7)
map update pinned /sys/fs/bpf/tenant8 key 10 8 0 1 value $(bytes 8 8)
map update pinned /sys/fs/bpf/tenants key $(bytes 4 7) value pinned /sys/fs/bpf/tenant7
map update pinned /sys/fs/bpf/tenants key $(bytes 4 8) value pinned /sys/fs/bpf/tenant8
END
}

prepare > "$work/log" 2>&1 || {
	output=$(cat "$work/log")
	result 1 'the network, the program and its maps'
	finish
}
cd "$work" && cp "$sleepers" . || exit 1

# --- what there is ---

recipe list
[ "$status" -eq 0 ] && grep -qE '^map +[0-9]+ +lpm_trie +blocked +0% +/sys/fs/bpf/blocked +guard\[' <<< "$output" &&
	grep -qE '^prog +[0-9]+ +xdp +guard +/sys/fs/bpf/guard' <<< "$output"
result $? 'what there is: bpffs list'
recipe all
[ "$status" -eq 0 ] && [ "$(xargs <<< "$output")" = 'blocked conns drops guard.bss ifaces lengths' ] &&
	[ -z "$(ls /mnt/guard.maps)" ]
result $? 'what there is: bpffs all'

# --- a block list ---

recipe blocklist
[ "$status" -eq 0 ] && shows 10.9.0.0-24 && shows 192.0.2.1-32 &&
	shows /mnt/blocked/10.9.0.0-24:dropped=0
result $? 'a block list: touch, ls, rm'
printf '%s\n' 10.9.1.0/24 10.9.2.0/24 > blocklist.txt
recipe blocklist-file
[ "$status" -eq 0 ] && [ "$(xargs < blocklist.now)" = '10.9.0.0/24 10.9.1.0/24 10.9.2.0/24' ]
result $? 'a block list: from a file, and to it'

# --- a table of connections ---

send 10.9.0.2 4001 3
send 10.9.0.2 4002 5
send 10.9.0.3 4001 2
recipe table
[ "$status" -eq 0 ] && shows '10.9.0.2,4001,udp packets=3 bytes=300' &&
	shows '10.9.0.2,4002,udp packets=5 bytes=500' && shows '10 packets, 1000 bytes'
result $? 'a table: grep, sort, awk'
# What happens within this second.
sleep()
{
	send 10.9.0.2 4001 1
}
export -f sleep send await has field
export work peer
recipe diff
unset -f sleep
[ "$status" -eq 0 ] && shows '< 10.9.0.2,4001,udp packets=3 bytes=300' &&
	shows '> 10.9.0.2,4001,udp packets=4 bytes=400' &&
	shows '10.9.0.2,4002,udp packets=5 bytes=500'
result $? 'a table: diff, and what is idle'
recipe top
[ "$status" -eq 0 ] && [[ $output == *KEY*'packets/s v'*10.9.0.2,4001,udp* ]]
result $? 'a table: the most packets a second'
recipe watch
[ "$status" -eq 0 ] && [ -z "$output" ]
result $? 'a table: as it changes'

# --- what else was counted ---

recipe percpu
[ "$status" -eq 0 ] && shows 'eth0 packets=11 bytes=1100'
result $? 'sums over the CPUs, by interface'
recipe histogram
[ "$status" -eq 0 ] && grep -qE '^ *64\.\.127 +11 #{4}$' <<< "$output" &&
	[ "$(wc -l <<< "$output")" -eq 1 ]
result $? 'a histogram'
recipe plot
[ "$status" -eq 0 ] && grep -qE '^ *64 -> 127 11 \|#+$' <<< "$output" &&
	grep -q '<title>64 -&#62; 127: 11</title>' lengths.svg
result $? 'a histogram: plotted'
rm -f lengths.svg
recipe series
[ "$status" -eq 0 ] && [[ $output == 'conns '*': packets/s'$'\n'* ]]
result $? 'a series: plotted'

recipe backup
[ "$status" -eq 0 ] && [ "$(tar -tf conns.tar | wc -l)" -eq 4 ]
result $? 'a backup'
# By FUSE, the copy goes a moment after the umount, and has the same name.
one_conns()
{
	[ "$(bpftool map list | grep -c ' name conns ')" -eq 1 ]
}
soon one_conns

recipe reset
[ "$status" -eq 0 ] && [ "$(cd /mnt/conns && echo *)" = '10.9.0.2,4001,udp 10.9.0.2,4002,udp' ] &&
	has /mnt/conns/10.9.0.2,4001,udp packets 0 && has /mnt/conns/10.9.0.2,4001,udp bytes 0
result $? 'a table: reset'
recipe restore
[ "$status" -eq 0 ] && has /mnt/conns/10.9.0.2,4001,udp bytes 400 &&
	has /mnt/conns/10.9.0.3,4001,udp packets 2
result $? 'a backup: restored'

recipe save
[ "$status" -eq 0 ] && [[ $output == *conns-*/value* ]] && [[ $output == *blocked-*/table* ]]
result $? 'a backup: bpffs save'
rm -f report.tar
sort /mnt/conns/.bpf/table > saved
recipe restore-saved
[ "$status" -eq 0 ] && [ -s saved ] && sort /mnt/conns/.bpf/table | cmp - saved
result $? 'a backup: bpffs restore'

recipe larger
[ "$status" -eq 0 ] &&
	cmp <(sort /mnt/conns/.bpf/table) <(sort /mnt/conns2/.bpf/table) &&
	[ "$(cat /mnt/conns2/.bpf/max_entries)" -eq 65536 ]
result $? 'a larger map'
umount /mnt/conns2

# --- globals ---

recipe globals
[ "$status" -eq 0 ] && shows filter=false && shows seen=11 &&
	has /mnt/globals/0 filter true
result $? 'globals: watched and changed'
send 10.9.0.2 4001 4
await has /mnt/blocked/10.9.0.0-24 dropped 4 && has /mnt/globals/0 seen 15 &&
	has /mnt/conns/10.9.0.2,4001,udp packets 4
result $? 'globals: the program sees it, and drops what the block list names'
recipe ring
[ "$status" -eq 0 ] && [ "$output" = $'saddr=10.9.0.2 bytes=100\nsaddr=10.9.0.2 bytes=100' ]
result $? 'a ring buffer: watched'
rm /mnt/blocked/10.9.0.0-24
send 10.9.0.2 4001 4
await has /mnt/conns/10.9.0.2,4001,udp packets 8
result $? 'a block list: rm lets in again'

# --- resolved ---

recipe resolve
[ "$status" -eq 0 ] && jq -re '.resolved.key' <<< "$output" | grep -qx eth0
result $? 'sums over the CPUs: the name of the interface'
# Stacks are bpffs-fuse's only.
if [ -e /dev/fuse ] || modprobe -q fuse; then
	recipe sleepers
	[ "$status" -eq 0 ] &&
		jq -re 'select(.key.stack >= 0).resolved | .["value.last"], .["key.stack"]?[0]?' \
		<<< "$output" | grep -q '^[a-z_].*+0x'
	result $? 'where the kernel sleeps'
	[ ! -e /mnt/sleepers/type ]
	result $? 'where the kernel sleeps: no longer'
	umount /mnt/sleeps /mnt/stacks
else
	ran+=(sleepers)
	skip 'where the kernel sleeps' 'the kernel has no FUSE'
	skip 'where the kernel sleeps: no longer' 'the kernel has no FUSE'
fi

# --- to be read by others ---

recipe exporter
[ "$status" -eq 0 ] && shows 'conn_packets{conn="10.9.0.2,4002,17"} 5' &&
	[ "$(wc -l <<< "$output")" -eq 3 ]
result $? 'an exporter without privileges'
run setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'echo packets=1 > /srv/conns/10.9.0.2,4002,17'
[ "$status" -ne 0 ] && run setpriv --reuid 1001 --regid 1001 --clear-groups ls /srv/conns
[ "$status" -ne 0 ]
result $? 'an exporter: it cannot write, and others cannot read'
recipe export
[ "$status" -eq 0 ] && shows '# TYPE bpffs_conns_packets counter' &&
	[[ $output == *$'\nbpffs_conns_packets_total{'*'4002"'*'} 5'* ]]
result $? 'an exporter: OpenMetrics'
recipe container
[ "$status" -eq 0 ] && shows 10.9.0.2,4002,17 && [ -z "$(ls /srv/box/conns)" ]
result $? 'a container'
umount /srv/conns

# --- count and reset ---

total=$(awk -F'[ =]' '{ n += $3 } END { print n }' /mnt/conns/.bpf/table)
recipe drain
[ "$status" -eq 0 ] && shows "$total packets in the report" && [ "$total" -gt 0 ] &&
	[ "$(cut -d' ' -f2- /mnt/conns/.bpf/table | sort -u)" = 'packets=0 bytes=0' ]
result $? 'count and reset'
send 10.9.0.2 4001 2
await has /mnt/conns/10.9.0.2,4001,udp packets 2
result $? 'count and reset: it counts on'

# --- tenants ---

recipe tenants
[ "$status" -eq 0 ] && shows /mnt/tenants/7/10.7.0.1:packets=7 &&
	shows /mnt/tenants/8/10.8.0.1:packets=8 &&
	has /mnt/tenants/7/10.7.0.1 packets 0 && [ "$(ls /mnt/tenants)" = 7 ]
result $? 'tenants'

# --- a link ---

bpftool net detach xdp dev eth0
recipe link
[ "$status" -eq 0 ] && ip link show eth0 | grep -q 'prog/xdp'
result $? 'a link: attached while it is mounted'
umount /mnt/guard
await sh -c '! ip link show eth0 | grep -q prog/xdp'
result $? 'a link: detached by umount'

# --- fstab ---

recipe fstab
[ "$status" -eq 0 ] && run mount -a && [ "$status" -eq 0 ] &&
	[ "$(grep -c " /srv/conns $fstype ro," /proc/mounts)" -eq 1 ] &&
	run mount -o remount,rw /srv/conns && [ "$status" -eq 32 ]
result $? 'fstab'

[ "$(printf '%s\n' "${ran[@]}" | sort)" = "$(sed -n 's/^\.\. run: //p' "$document" | sort)" ]
result $? 'no recipe is forgotten'

finish
