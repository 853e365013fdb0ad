// SPDX-License-Identifier: GPL-2.0-only
/* A map of two counters: all of it, and single elements, beside what else could do that. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench.h"

static char buffer[4096];
static int file;		/* of one element */
static int smallest;		/* what is a file, to compare with */
static char *names;		/* of SOME elements, each NAME_SIZE bytes */

static void list_tmpfs(void)
{
	list(DIR_TMPFS);
}

static void next_keys(void)
{
	__u32 key, count = 0;
	int err;

	for (err = bpf_map_get_next_key(on.fd, NULL, &key); !err;
	     err = bpf_map_get_next_key(on.fd, &key, &key))
		count++;
	if (count != on.elements)
		exit(1);
}

/* ------------------------------------------------------------------- an open file */

#define MANY	20000

static void preads_of(int fd)
{
	int i;

	for (i = 0; i < MANY; i++)
		if (pread(fd, buffer, 256, 0) <= 0)
			exit(1);
}

static void preads(void)
{
	preads_of(file);
}

static void preads_smallest(void)
{
	preads_of(smallest);
}

static void pwrites_of(int fd)
{
	static const char text[] = "packets=1\nbytes=100\n";
	int i;

	for (i = 0; i < MANY; i++)
		if (pwrite(fd, text, sizeof(text) - 1, 0) != sizeof(text) - 1)
			exit(1);
}

static void pwrites(void)
{
	pwrites_of(file);
}

static void pwrites_smallest(void)
{
	pwrites_of(smallest);
}

static void updates(void)
{
	const __u64 value[] = { 1, 100 };
	const __u32 key = 1;
	int i;

	for (i = 0; i < MANY; i++)
		if (bpf_map_update_elem(on.fd, &key, &value, BPF_ANY))
			exit(1);
}

static void lookups(void)
{
	__u64 value[2];
	__u32 key = 1;
	int i;

	for (i = 0; i < MANY; i++)
		if (bpf_map_lookup_elem(on.fd, &key, &value))
			exit(1);
}

/* ----------------------------------------------------------------- names of files */

/* Of SOME files, each so often. */
#define TURNS		5

static void open_read_close(const char *path)
{
	int dir = check(open(path, O_PATH | O_DIRECTORY)), fd, i;

	for (i = 0; i < SOME * TURNS; i++) {
		fd = check(openat(dir, names + i % SOME * NAME_SIZE, O_RDONLY));
		if (read(fd, buffer, 256) <= 0)
			exit(1);
		close(fd);
	}
	close(dir);
}

static void open_ours(void)
{
	open_read_close(DIR_OURS);
}

static void open_tmpfs(void)
{
	open_read_close(DIR_TMPFS);
}

static void open_smallest(void)
{
	open_read_close(DIR_SMALLEST);
}

static void stat_some(const char *path)
{
	int dir = check(open(path, O_PATH | O_DIRECTORY)), i;
	struct stat st;

	for (i = 0; i < SOME * TURNS; i++)
		check(fstatat(dir, names + i % SOME * NAME_SIZE, &st, 0));
	close(dir);
}

static void stat_ours(void)
{
	stat_some(DIR_OURS);
}

static void stat_tmpfs(void)
{
	stat_some(DIR_TMPFS);
}

static void stat_smallest(void)
{
	stat_some(DIR_SMALLEST);
}

/* Elements that were not there. */
static void create(const char *path)
{
	static const char text[] = "packets=1\nbytes=100\n";
	int dir = check(open(path, O_PATH | O_DIRECTORY)), fd, i;
	char name[NAME_SIZE];

	for (i = 0; i < SOME; i++) {
		snprintf(name, sizeof(name), "%u", on.elements + i);
		fd = check(openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
		if (check(write(fd, text, sizeof(text) - 1)) != sizeof(text) - 1)
			exit(1);
		check(close(fd));
	}
	close(dir);
}

/* And are not there any more. */
static void unlink_them(const char *path)
{
	int dir = check(open(path, O_PATH | O_DIRECTORY)), i;
	char name[NAME_SIZE];

	for (i = 0; i < SOME; i++) {
		snprintf(name, sizeof(name), "%u", on.elements + i);
		check(unlinkat(dir, name, 0));
	}
	close(dir);
}

static void create_ours(void)
{
	create(DIR_OURS);
}

static void create_tmpfs(void)
{
	create(DIR_TMPFS);
}

static void unlink_ours(void)
{
	unlink_them(DIR_OURS);
}

static void unlink_tmpfs(void)
{
	unlink_them(DIR_TMPFS);
}

/* ---------------------------------------------------------------- what else there is */

/* It answers until its end, which is that of the mount. */
static void mount_smallest(void)
{
	const char *program = getenv("SMALLEST");
	int ready[2];
	char byte;

	check(pipe(ready));
	if (!check(fork())) {
		/* It would keep the mount namespace, and the mount. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ready[1], 1);
		execl(program, program, DIR_SMALLEST, NULL);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		fprintf(stderr, "bench: SMALLEST=%s does not mount\n", program);
		exit(1);
	}
	close(ready[0]);
	smallest = check(open(DIR_SMALLEST "/1", O_RDWR));
}

/* Files of the same names; SOME of them, here and there, with a text as long. */
static void fill_tmpfs(void)
{
	int dir = check(open(DIR_TMPFS, O_PATH | O_DIRECTORY)), fd;
	__u32 i, step = on.elements / SOME;
	char name[NAME_SIZE];

	for (i = 0; i < on.elements; i++) {
		snprintf(name, sizeof(name), "%u", i);
		check(mknodat(dir, name, S_IFREG | 0600, 0));
		if (i % step || i / step >= SOME)
			continue;
		memcpy(names + i / step * NAME_SIZE, name, NAME_SIZE);
		fd = check(openat(dir, name, O_WRONLY));
		check(dprintf(fd, "packets=%u\nbytes=%llu\n", i, 100ULL * i));
		close(fd);
	}
	close(dir);
}

/* -------------------------------------------------------------------------- memory */

static void list_and_read_all(void)
{
	int dir = check(open(DIR_OURS, O_RDONLY | O_DIRECTORY)), fd;
	struct dirent64 *entry;
	char entries[1 << 15];
	long len, at;

	while ((len = check(getdents64(dir, entries, sizeof(entries)))) > 0)
		for (at = 0; at < len; at += entry->d_reclen) {
			entry = (void *)(entries + at);
			if (entry->d_name[0] == '.')
				continue;
			fd = check(openat(dir, entry->d_name, O_RDONLY));
			check(read(fd, buffer, 256));
			close(fd);
		}
	close(dir);
}

/* Without dropping caches in between: what the kernel holds by itself. */
static void bench_memory(void)
{
	long before, once, twice;

	settle();
	before = memory_kib();
	list_and_read_all();
	usleep(500000);
	once = memory_kib();
	list_and_read_all();
	usleep(500000);
	twice = memory_kib();
	report_size("more slab and per-CPU memory after listing and reading all", "",
		    once - before, -1, "KiB", 0);
	report_size("the same, after the second time", "", twice - before, -1, "KiB", 0);
}

/* ---------------------------------------------------------------------------- rows */

static const struct row of_all[] = {
	{ { "list", list_ours }, { "BPF_MAP_GET_NEXT_KEY", next_keys }, IN_BOTH, 2.2, 2 },
	{ { "list", list_ours }, { "BPF_MAP_LOOKUP_BATCH", batch }, IN_BOTH, 0.66, 0.8 },
	{ { "list", list_ours }, { "tmpfs", list_tmpfs }, IN_BOTH, 0.42, 0.9 },
	{ { ".bpf/raw", raw }, { "BPF_MAP_LOOKUP_BATCH", batch }, IN_BOTH, 1, 0.8 },
	{ { "cat .bpf/table", cat_table }, { "bpftool -j map dump", bpftool }, IN_BOTH, 20, 15 },
	{ { "bpffs json", json }, { "bpftool -j map dump", bpftool }, IN_BOTH, 20, 15 },
};

static const struct row of_a_file[] = {
	{ { "pread", preads }, { "BPF_MAP_LOOKUP_ELEM", lookups }, IN_MODULE, 1.6 },
	{ { "pwrite", pwrites }, { "BPF_MAP_UPDATE_ELEM", updates }, IN_MODULE, 1 },
	{ { "pread", preads }, { "the smallest of FUSE", preads_smallest }, IN_FUSE, 0, 0.83 },
	{ { "pwrite", pwrites }, { "the smallest of FUSE", pwrites_smallest }, IN_FUSE, 0, 0.83 },
};

static const struct row of_names[] = {
	{ { "open, read, close", open_ours }, { "tmpfs", open_tmpfs }, IN_MODULE, 0.75 },
	{ { "stat", stat_ours }, { "tmpfs", stat_tmpfs }, IN_MODULE },
	{ { "open, read, close", open_ours }, { "the smallest of FUSE", open_smallest },
	  IN_FUSE, 0, 0.77 },
	{ { "stat", stat_ours }, { "the smallest of FUSE", stat_smallest }, IN_FUSE, 0, 0.83 },
};

static const struct row of_new_names[] = {
	{ { "create, write, close", create_ours, NULL, unlink_ours },
	  { "tmpfs", create_tmpfs, NULL, unlink_tmpfs }, IN_MODULE },
	{ { "unlink", unlink_ours, create_ours }, { "tmpfs", unlink_tmpfs, create_tmpfs },
	  IN_MODULE },
};

/* bpftool takes minutes for more. */
#define BPFTOOL_MOST	200000

void bench_elements(__u32 elements)
{
	char title[64];
	size_t i;

	map_counters(&on, elements);
	names = calloc(SOME, NAME_SIZE);
	mount_ours(DIR_OURS);
	mount_on("tmpfs", -1, "size=50%,nr_inodes=2000000", DIR_TMPFS);
	fill_tmpfs();
	file = check(open(DIR_OURS "/1", O_RDWR));
	if (by_fuse)
		mount_smallest();

	snprintf(title, sizeof(title), "a hash of %u elements", elements);
	part("elements", elements, title);
	for (i = 0; i < sizeof(of_all) / sizeof(*of_all); i++)
		if (elements <= BPFTOOL_MOST || of_all[i].theirs.work != bpftool)
			compare(&of_all[i], elements);
	for (i = 0; i < sizeof(of_a_file) / sizeof(*of_a_file); i++)
		compare(&of_a_file[i], MANY);
	for (i = 0; i < sizeof(of_names) / sizeof(*of_names); i++)
		compare(&of_names[i], SOME * TURNS);
	for (i = 0; i < sizeof(of_new_names) / sizeof(*of_new_names); i++)
		compare(&of_new_names[i], SOME);

	close(file);
	if (by_fuse) {
		close(smallest);
		check(umount2(DIR_SMALLEST, 0));
	}
	check(umount2(DIR_TMPFS, 0));
	if (!by_fuse)
		bench_memory();
	check(umount2(DIR_OURS, 0));
	map_close(&on);
	free(names);
}
