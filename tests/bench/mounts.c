// SPDX-License-Identifier: GPL-2.0-only
/* What a mount takes: time, beside few and many others, and memory. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Of /proc/meminfo: KiB of slab and of per-CPU memory. */
long memory_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	long sum = 0, kib;
	char line[256];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %ld", &kib) == 1 ||
		    sscanf(line, "Percpu: %ld", &kib) == 1)
			sum += kib;
	fclose(file);
	return sum;
}

/* What is freed by RCU and by workers takes a moment. */
void settle(void)
{
	FILE *file = fopen("/proc/sys/vm/drop_caches", "w");

	usleep(300000);
	fputs("2", file);
	fclose(file);
	usleep(300000);
}

/* How many processes are bpffs-fuse; *@pss, if asked for: their share of memory, in KiB. */
static int fuse_processes(long *pss)
{
	DIR *dir = opendir("/proc");
	char path[300], line[256];
	struct dirent *entry;
	int processes = 0;
	FILE *file;
	long kib;

	if (pss)
		*pss = 0;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (!fgets(line, sizeof(line), file) || strcmp(line, "bpffs-fuse\n"))
			line[0] = '\0';
		fclose(file);
		processes += !!line[0];
		snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", entry->d_name);
		file = line[0] && pss ? fopen(path, "r") : NULL;
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "Pss: %ld", &kib) == 1)
				*pss += kib;
		if (file)
			fclose(file);
	}
	closedir(dir);
	return processes;
}

#define PAIRS	301

static struct {
	double mount[PAIRS];
	double both;
} ours, theirs;

static double mount_and_umount(void (*mount_it)(const char *dir), double *mount)
{
	double start = now_ms(), end;

	mount_it(DIR_MOUNTS "/0");
	*mount = now_ms() - start;
	check(umount2(DIR_MOUNTS "/0", 0));
	end = now_ms();
	return end - start;
}

static void hold(void (*mount_it)(const char *dir), int from, int to)
{
	char dir[64];

	for (; from < to; from++) {
		snprintf(dir, sizeof(dir), DIR_MOUNTS "/%d", from + 1);
		mount_it(dir);
	}
}

/*
 * They take turns one by one, and of both together it is the mean: umount waits for
 * RCU, now 0.1 ms and now 10 ms, whatever is unmounted.
 */
static double mount_pairs(int others)
{
	char what[80];
	int i;

	ours.both = 0;
	theirs.both = 0;
	for (i = 0; i < PAIRS; i++) {
		ours.both += mount_and_umount(mount_ours, &ours.mount[i]) / PAIRS;
		theirs.both += mount_and_umount(mount_tmpfs, &theirs.mount[i]) / PAIRS;
	}
	median(ours.mount, PAIRS);
	median(theirs.mount, PAIRS);
	snprintf(what, sizeof(what), "mount, beside %d bpffs", others);
	report_times(what, "tmpfs", ours.mount[PAIRS / 2], theirs.mount[PAIRS / 2], 1, PAIRS);
	snprintf(what, sizeof(what), "mount and umount, beside %d bpffs", others);
	report_times(what, "tmpfs", ours.both, theirs.both, 1, PAIRS);
	return ours.mount[PAIRS / 2];
}

/* In a mount namespace of its own, whose end unmounts everything. */
static double memory_of(void (*mount_it)(const char *dir), int many)
{
	int to[2], status;
	double kib;
	pid_t child;

	check(pipe(to));
	fflush(stdout);
	child = check(fork());
	if (!child) {
		check(unshare(CLONE_NEWNS));
		settle();
		kib = memory_kib();
		hold(mount_it, 0, many);
		settle();
		kib = (memory_kib() - kib) / many;
		_exit(write(to[1], &kib, sizeof(kib)) != sizeof(kib));
	}
	close(to[1]);
	if (read(to[0], &kib, sizeof(kib)) != sizeof(kib))
		exit(1);
	close(to[0]);
	check(waitpid(child, &status, 0));
	return kib;
}

static void make_dirs(int many)
{
	char dir[64];
	int i;

	for (i = 0; i <= many; i++) {
		snprintf(dir, sizeof(dir), DIR_MOUNTS "/%d", i);
		mkdir(dir, 0755);
	}
}

/* Fewer than of the module: each is two processes. */
static void bench_fuse_mounts(int many)
{
	int others = fuse_processes(NULL), i;
	long before, after;
	char dir[64];
	double start;

	make_dirs(many);
	fuse_processes(&before);
	hold(mount_ours, 0, 1);
	sleep(1);
	fuse_processes(&after);
	report_size("PSS of an idle bpffs-fuse", "", after - before, -1, "KiB", 1536);
	hold(mount_ours, 1, many);
	sleep(1);
	fuse_processes(&after);
	report_size("PSS of each of 300 bpffs-fuse", "", (double)(after - before) / many, -1,
		    "KiB", 1536);
	start = now_ms();
	for (i = 1; i <= many; i++) {
		snprintf(dir, sizeof(dir), DIR_MOUNTS "/%d", i);
		check(umount2(dir, 0));
	}
	while (fuse_processes(NULL) > others)
		usleep(1000);
	report_size("umount, until the processes of 300 are gone", "",
		    (now_ms() - start) / many, -1, "ms", 10);
	mount_pairs(0);
}

static void bench_module_mounts(int many)
{
	double first, last, our_kib, their_kib;

	make_dirs(many);
	their_kib = memory_of(mount_tmpfs, many / 5);
	our_kib = memory_of(mount_ours, many / 5);
	report_size("slab and per-CPU memory of a mount", "tmpfs", our_kib, their_kib, "KiB", 0);
	first = mount_pairs(0);
	hold(mount_ours, 0, 100);
	mount_pairs(100);
	hold(mount_ours, 100, many / 5);
	mount_pairs(many / 5);
	hold(mount_ours, many / 5, many);
	last = mount_pairs(many);
	report_times("mount, beside all of these", "mount, beside none", last, first, 1, PAIRS);
}

/* In a mount namespace of its own, whose end unmounts everything. */
void bench_mounts(void)
{
	int home = check(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));

	check(unshare(CLONE_NEWNS));
	part("mounts", 0, "mounts");
	map_counters(&on, 16);
	if (by_fuse)
		bench_fuse_mounts(300);
	else
		bench_module_mounts(50000);
	map_close(&on);
	check(setns(home, CLONE_NEWNS));
	close(home);
}
