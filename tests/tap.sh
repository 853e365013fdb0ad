# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the test scripts share: results as TAP, and a link. It is sourced.

count=0
failed=0
output=
# As /proc/mounts has it, of the home that is tested.
fstype=bpffs
[ "${BACKEND:-}" != fuse ] || fstype=fuse.bpffs

result() # STATUS NAME
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$count" "$2"
	else
		printf 'not ok %d - %s\n' "$count" "$2"
		[ -z "$output" ] || printf '# %s\n' "${output//$'\n'/$'\n# '}"
		failed=1
	fi
}

skip() # NAME WHY
{
	count=$((count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$count" "$1" "$2"
}

# Out of sight of everybody else, gone with the last process: the script again, in name
# spaces of its own; or a skip, where that or another DEVICE is not to be had.
in_private() # NAME [DEVICE]
{
	[ -z "${BPFFS_PRIVATE:-}" ] || return 0
	if ! unshare -mn true 2>&- || [ ! -c "${2:-/dev/null}" ] ||
	   ! bpftool map > /dev/null 2>&1; then
		printf '1..0 # SKIP %s: no root, bpf(2)%s here\n' "$1" "${2:+ or $2}"
		exit 4
	fi
	BPFFS_PRIVATE=1 exec unshare -mn "$0"
}

# A condition that comes soon, such as the end of a process: on an idle machine, within
# milliseconds.
soon() # COMMAND...
{
	for _ in {1..200}; do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}

# Both descriptors, and the status.
run() # COMMAND...
{
	output=$("$@" 2>&1)
	status=$?
}

# The bytes of a number below 256, as bpftool takes them, in the order of this machine.
bytes() # SIZE NUMBER
{
	local zeros

	zeros=$(seq 2 "$1" | sed 's/.*/0/' | xargs)
	if [ "$(printf '\1\0' | od -An -tu2)" -eq 1 ]; then
		printf '%d %s\n' "$2" "$zeros"
	else
		printf '%s %d\n' "$zeros" "$2"
	fi
}

# It fails with @STATUS and one line, which @TEXT is part of.
refuses() # NAME STATUS TEXT COMMAND...
{
	local name=$1 wanted=$2 text=$3

	shift 3
	run "$@"
	[ "$status" -eq "$wanted" ] && [ "$(wc -l <<< "$output")" -eq 1 ] &&
		[[ $output == *"$text"* ]]
	result $? "$name"
	! mountpoint -q "${mnt:?}" || umount "$mnt"
}

# Of lo; the pin @LINK keeps it.
attach_xdp() # PROG LINK
{
	python3 - "$@" <<- 'EOF'
		import ctypes, socket, sys
		bpf = ctypes.CDLL("libbpf.so.1")
		prog = bpf.bpf_obj_get(sys.argv[1].encode())
		link = bpf.bpf_link_create(prog, socket.if_nametoindex("lo"), 37, None)
		sys.exit(bpf.bpf_obj_pin(link, sys.argv[2].encode()) != 0)
	EOF
}

# The last line, and the exit status.
finish()
{
	printf '1..%d\n' "$count"
	exit "$failed"
}
