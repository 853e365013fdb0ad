#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is in fs/core is at home anywhere: each file of it is compiled for the host
# without a warning, and takes nothing from the kernel but by pure.h, and there nothing
# of the VFS or of BPF. As TAP.

. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit 4
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# The header of the stream of .bpf/raw is the project's own, for programs too.
own='<(uapi/)?linux/bpffs\.h>'

for compiler in gcc clang; do
	if ! command -v "$compiler" > /dev/null; then
		echo "# no $compiler"
		continue
	fi
	run "$compiler" -std=gnu11 -Wall -Wextra -Werror -Ifs/core -Iinclude/uapi \
		-fsyntax-only fs/core/*.c
	result "$status" "core: compiled by $compiler without a warning"
done

# What is included where @FLAG... are given: <HEADER>, once each.
includes() # FLAG...
{
	local file

	for file in "$here"/*.[ch]; do
		"${CC:-gcc}" -E -P -I"$here" "$@" "$file" 2>&1 || return
	done | sed -n 's/^#pragma taken //p' | sort -u
}

for file in fs/core/*.[ch]; do
	sed -E 's/^#include (<.*)/#pragma taken \1/' "$file" > "$here/${file##*/}"
done

run includes
wrong=$(grep -vE "^$own\$" <<< "$output" | grep -E '^<(linux|uapi|asm|asm-generic|net)/')
[[ $output == *'<string.h>'* ]] && [ -z "$wrong" ]
result $? "core: in user space, no header of the kernel's"

run includes -D__KERNEL__
wrong=$(grep -vE "^$own\$" <<< "$output" |
	grep -E '^<linux/(bpf|btf|filter|fs|namei|mount|dcache|path|pagemap)[._/]|^<linux/bpf_')
[[ $output == *'<linux/string.h>'* ]] && [ -z "$wrong" ]
result $? "core: in the kernel, none of the VFS or of BPF"

output=$(grep -l '#include <linux/' fs/core/*.[ch] | grep -vE '/(pure\.h|raw\.c)$')
[ -z "$output" ]
result $? "core: the kernel is included by pure.h"

finish
