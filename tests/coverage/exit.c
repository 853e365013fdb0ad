// SPDX-License-Identifier: GPL-2.0-only
/*
 * For programs that are compiled to count which lines run: what they counted is written at
 * their end, also by _exit(), and of bpffs-fuse, whose calls are then not filtered.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

void __gcov_dump(void);

__attribute__((visibility("hidden"), noreturn)) void _exit(int status)
{
	__gcov_dump();
	for (;;)
		syscall(SYS_exit_group, status);
}

int seccomp_load(const scmp_filter_ctx filter)
{
	(void)filter;
	return 0;
}
