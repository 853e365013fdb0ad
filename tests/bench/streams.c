// SPDX-License-Identifier: GPL-2.0-only
/* All of a map: its directory, its streams, and programs that read it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static char buffer[1 << 20];

void list(const char *path)
{
	int dir = check(open(path, O_RDONLY | O_DIRECTORY));
	struct dirent64 *entry;
	__u32 count = 0;
	long len, at;

	while ((len = check(getdents64(dir, buffer, 1 << 15))) > 0)
		for (at = 0; at < len; at += entry->d_reclen) {
			entry = (void *)(buffer + at);
			count += entry->d_name[0] != '.';
		}
	close(dir);
	if (count != on.elements) {
		fprintf(stderr, "bench: %s: %u names\n", path, count);
		exit(1);
	}
}

void list_ours(void)
{
	list(DIR_OURS);
}

static void read_all(const char *path)
{
	int fd = check(open(path, O_RDONLY));

	while (check(read(fd, buffer, sizeof(buffer))) > 0)
		;
	close(fd);
}

void raw(void)
{
	read_all(DIR_OURS "/.bpf/raw");
}

void table(void)
{
	read_all(DIR_OURS "/.bpf/table");
}

void run(char *const *argv)
{
	pid_t child = check(fork());
	int status, null;

	if (!child) {
		null = check(open("/dev/null", O_WRONLY));
		dup2(null, 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	check(waitpid(child, &status, 0));
	if (status) {
		fprintf(stderr, "bench: %s: status %d\n", argv[0], status);
		exit(1);
	}
}

void cat_table(void)
{
	run((char *[]){ "cat", DIR_OURS "/.bpf/table", NULL });
}

void json(void)
{
	run((char *[]){ "bpffs", "json", DIR_OURS, NULL });
}

void bpftool(void)
{
	char id[16];

	snprintf(id, sizeof(id), "%u", on.id);
	run((char *[]){ "bpftool", "-j", "map", "dump", "id", id, NULL });
}
