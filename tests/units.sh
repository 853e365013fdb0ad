#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The units of docs/examples are what systemd understands. It needs systemd's
# tools, but it need not run: a test of the host. As TAP.

. "$(dirname "$0")/tap.sh"
command -v systemd-analyze > /dev/null || exit 4
cd "$(dirname "$0")/../docs/examples" || exit 4
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# What systemd makes of units: itself, and the rest it says meanwhile.
verify() # UNIT...
{
	SYSTEMD_LOG_LEVEL=debug run systemd-analyze verify --man=no "$@"
}

for unit in srv-conns.mount srv-conns.path; do
	run systemd-analyze verify --man=no "./$unit"
	[ "$status" -eq 0 ] && [ -z "$output" ]
	result $? "$unit"
done

verify ./srv-conns.mount ./srv-conns.path
[[ $output == *'TriggeredBy: srv-conns.path '* ]]
result $? 'the path unit starts the mount unit'
[[ $output != *'.device ('* ]]
result $? 'no unit waits for a device'

# Else the comment in it, and docs/systemd.rst, are out of date.
sed 's,^What=.*,What=/sys/fs/bpf/conns,' srv-conns.mount > "$here/srv-conns.mount"
verify "$here/srv-conns.mount"
[[ $output == *'Requires: sys-fs-bpf-conns.device '* ]]
result $? 'of a path in /sys, it would'

# Of metrics. That bpffs is installed is not asked for.
sed 's,^ExecStart=/usr/bin/bpffs ,ExecStart=/bin/true ,' bpffs-export.service > "$here/bpffs-export.service"
cp bpffs-export.timer srv-conns.mount "$here"
run systemd-analyze verify --man=no "$here/bpffs-export.service" "$here/bpffs-export.timer"
[ "$status" -eq 0 ] && [ -z "$output" ]
result $? 'bpffs-export.service, bpffs-export.timer'
verify "$here/bpffs-export.timer"
[[ $output == *'Triggers: bpffs-export.service '* ]]
result $? 'the timer unit starts the service'
verify "$here/bpffs-export.service"
[[ $output == *'Requires: srv-conns.mount '* ]]
result $? 'the service requires the mount'

finish
