// SPDX-License-Identifier: GPL-2.0-only
/* Programs that read each file of a directory, of bpffs and of tmpfs. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench.h"

static void shell(const char *command, char *dir)
{
	run((char *[]){ "sh", "-c", (char *)command, "sh", dir, NULL });
}

/* tar reads nothing if it writes to /dev/null. */
#define FIND	"exec find \"$1\" -type f -exec cat {} +"
#define TAR	"tar -C \"$1\" -cf - . | cat"
#define GREP	"exec grep -rl packets=777 \"$1\""

static void find_ours(void)
{
	shell(FIND, DIR_OURS);
}

static void find_tmpfs(void)
{
	shell(FIND, DIR_TMPFS);
}

static void tar_ours(void)
{
	shell(TAR, DIR_OURS);
}

static void tar_tmpfs(void)
{
	shell(TAR, DIR_TMPFS);
}

static void grep_ours(void)
{
	shell(GREP, DIR_OURS);
}

static void grep_tmpfs(void)
{
	shell(GREP, DIR_TMPFS);
}

static void fill_tmpfs(void)
{
	int dir = check(open(DIR_TMPFS, O_PATH | O_DIRECTORY)), fd;
	char name[NAME_SIZE];
	__u32 i;

	for (i = 0; i < on.elements; i++) {
		snprintf(name, sizeof(name), "%u", i);
		fd = check(openat(dir, name, O_WRONLY | O_CREAT, 0600));
		check(dprintf(fd, "packets=%u\nbytes=%llu\n", i, 100ULL * i));
		close(fd);
	}
	close(dir);
}

void bench_tools(__u32 elements)
{
	static const struct row rows[] = {
		{ { "find -exec cat {} +", find_ours }, { "tmpfs", find_tmpfs }, IN_BOTH },
		{ { "tar -cf", tar_ours }, { "tmpfs", tar_tmpfs }, IN_BOTH },
		{ { "grep -rl", grep_ours }, { "tmpfs", grep_tmpfs }, IN_BOTH },
	};
	char title[64];
	size_t i;

	map_counters(&on, elements);
	mount_ours(DIR_OURS);
	mount_on("tmpfs", -1, "size=50%,nr_inodes=2000000", DIR_TMPFS);
	fill_tmpfs();
	snprintf(title, sizeof(title), "programs that read %u files", elements);
	part("tools", elements, title);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		compare(&rows[i], elements);
	check(umount2(DIR_TMPFS, 0));
	check(umount2(DIR_OURS, 0));
	map_close(&on);
}
