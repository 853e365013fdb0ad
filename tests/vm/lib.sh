# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Common to the scripts in this directory.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$top/build}
# shellcheck disable=SC1091,SC2034
codename=$(. /etc/os-release; printf '%s' "${VERSION_CODENAME:-}")

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

say()
{
	printf '%s\n' "$*" >&2
}

# The words of a list file, without its comments.
list()
{
	sed 's/#.*//' "$@"
}

installed() # PACKAGE
{
	# One line for each architecture that dpkg knows it of.
	dpkg-query -W -f '${db:Status-Status} ${Architecture}\n' "$1" 2> /dev/null |
		grep -xE "installed ($(dpkg --print-architecture)|all)" > /dev/null
}

# The packages of list files. Of "a|b" the installed one, or else the first.
packages() # FILE...
{
	local choice

	for choice in $(list "$@"); do
		case $choice in
		*"|"*)	installed "${choice#*|}" && echo "${choice#*|}" ||
				echo "${choice%%|*}" ;;
		*)	echo "$choice" ;;
		esac
	done
}

# One process at a time from here on; the lock ends with this process.
lock() # NAME
{
	mkdir -p "$BUILD/lock"
	exec {lock_fd}> "$BUILD/lock/$1"
	flock --nonblock "$lock_fd" && return
	say "waiting for another process to finish with $1"
	flock "$lock_fd"
}

# How many results there are in TAP, as the last line; false if one has failed.
total() # FILE...
{
	local skipped passed failed

	skipped=$(cat "$@" | grep -cE '^ok .*# SKIP' || true)
	passed=$(($(cat "$@" | grep -c '^ok ' || true) - skipped))
	failed=$(cat "$@" | grep -c '^not ok ' || true)
	[ "$skipped" -eq 0 ] || printf '%d skipped\n' "$skipped"
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" -eq 0 ]
}
