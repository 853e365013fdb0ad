// SPDX-License-Identifier: GPL-2.0-only
/*
 * What bpffs costs, against what does the same without it: each line is a ratio
 * within one run, of the medians of some rounds that take turns.
 *
 * bench [ELEMENTS...]: 100000 if none are given. With BACKEND=fuse in the environment,
 * of bpffs-fuse, and beside SMALLEST, a program that answers FUSE by rote.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "libbpffs.h"

#define DIR_OURS	"/mnt/bench/bpffs"
#define DIR_TMPFS	"/mnt/bench/tmpfs"
#define DIR_SMALLEST	"/mnt/bench/smallest"
#define DIR_MOUNTS	"/mnt/bench/mounts"

#define ROUNDS		7
#define BATCH		4096

struct value {
	__u64 packets;
	__u64 bytes;
};

/* What is measured. */
static struct {
	__u32 elements;
	int map;
	int file;		/* of one element */
	int smallest;		/* what is a file, to compare with */
	__u32 map_id;
	char *names;		/* of SOME elements, each NAME_SIZE bytes */
} on;

#define SOME		2000
#define NAME_SIZE	16

static char buffer[1 << 20];

/* Which home of bpffs is measured. */
static bool by_fuse;

#define check(what) check_at((long)(what), #what)

static long check_at(long result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *times, int n)
{
	qsort(times, n, sizeof(*times), by_size);
	return times[n / 2];
}

/* @goal: of the module; @fuse_goal: of bpffs-fuse. NULL: that home has no such row. */
struct pair {
	const char *name;
	void (*ours)(void);
	const char *against;
	void (*theirs)(void);
	const char *goal;
	const char *fuse_goal;
};

static const char *goal_of(const struct pair *pair)
{
	return by_fuse ? pair->fuse_goal : pair->goal;
}

static double timed(void (*work)(void))
{
	double start = now();

	work();
	return now() - start;
}

static void compare(const struct pair *pair)
{
	double ours[ROUNDS], theirs[ROUNDS], start = now(), x, y;
	int n;

	/* Three will do if they take long. */
	for (n = 0; n < 3 || (n < ROUNDS && now() - start < 20e3); n++) {
		ours[n] = timed(pair->ours);
		theirs[n] = timed(pair->theirs);
	}
	x = median(ours, n);
	y = median(theirs, n);
	printf("%s | %s | %.2f ms | %.2f ms | %.2f | %s (%d rounds)\n",
	       pair->name, pair->against, x, y, y / x, goal_of(pair), n);
	fflush(stdout);
}

/* ---------------------------------------------------------------------- mounts */

static int mounted(const char *type, int fd, const char *options)
{
	int fs = check(fsopen(type, FSOPEN_CLOEXEC)), mnt;
	char copy[256], *rest = copy, *name, *value;

	if (fd >= 0)
		check(fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, fd));
	snprintf(copy, sizeof(copy), "%s", options);
	while ((name = strsep(&rest, ","))) {
		value = strchr(name, '=');
		if (!value)
			continue;
		*value++ = '\0';
		check(fsconfig(fs, FSCONFIG_SET_STRING, name, value, 0));
	}
	check(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mnt = check(fsmount(fs, FSMOUNT_CLOEXEC, 0));
	close(fs);
	return mnt;
}

static void mount_on(const char *type, int fd, const char *options, const char *dir)
{
	int mnt = mounted(type, fd, options);

	check(move_mount(mnt, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH));
	close(mnt);
}

static void mount_ours(const char *dir)
{
	LIBBPF_OPTS(bpf_mount_opts, opts, .key = "u32", .value = "packets=u64:bytes=u64",
		    .backend = "fuse");

	/* The module's own mount is measured, not what the library does for it. */
	if (by_fuse)
		check(bpf_mount_fd(on.map, dir, &opts));
	else
		mount_on("bpffs", on.map, "key=u32,value=packets=u64:bytes=u64", dir);
}

static void mount_tmpfs(const char *dir)
{
	mount_on("tmpfs", -1, "", dir);
}

/* Of /proc/meminfo: KiB of slab and of per-CPU memory. */
static long memory(void)
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
static void settle(void)
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
	double start = now(), end;

	mount_it(DIR_MOUNTS "/0");
	*mount = now() - start;
	check(umount2(DIR_MOUNTS "/0", 0));
	end = now();
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
	int i;

	ours.both = theirs.both = 0;
	for (i = 0; i < PAIRS; i++) {
		ours.both += mount_and_umount(mount_ours, &ours.mount[i]) / PAIRS;
		theirs.both += mount_and_umount(mount_tmpfs, &theirs.mount[i]) / PAIRS;
	}
	median(ours.mount, PAIRS);
	median(theirs.mount, PAIRS);
	printf("mount, beside %d bpffs | tmpfs | %.3f ms | %.3f ms | %.2f | 1 (median of %d)\n",
	       others, ours.mount[PAIRS / 2], theirs.mount[PAIRS / 2],
	       theirs.mount[PAIRS / 2] / ours.mount[PAIRS / 2], PAIRS);
	printf("mount and umount, beside %d bpffs | tmpfs | %.3f ms | %.3f ms | %.2f | 1 (mean of %d)\n",
	       others, ours.both, theirs.both, theirs.both / ours.both, PAIRS);
	fflush(stdout);
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
		kib = memory();
		hold(mount_it, 0, many);
		settle();
		kib = (memory() - kib) / many;
		_exit(write(to[1], &kib, sizeof(kib)) != sizeof(kib));
	}
	close(to[1]);
	if (read(to[0], &kib, sizeof(kib)) != sizeof(kib))
		exit(1);
	close(to[0]);
	check(waitpid(child, &status, 0));
	return kib;
}

/* Fewer than of the module: each is two processes. */
static void bench_fuse_mounts(int many)
{
	int others = fuse_processes(NULL), i;
	long before, after;
	char dir[64];
	double start;

	for (i = 0; i <= many; i++) {
		snprintf(dir, sizeof(dir), DIR_MOUNTS "/%d", i);
		mkdir(dir, 0755);
	}
	printf("# mounts, beside %d processes of others\n", others);
	fuse_processes(&before);
	hold(mount_ours, 0, 1);
	sleep(1);
	fuse_processes(&after);
	printf("PSS of an idle bpffs-fuse | | %ld KiB | | | at most 1536 KiB\n", after - before);
	hold(mount_ours, 1, many);
	sleep(1);
	fuse_processes(&after);
	printf("the same, of each of %d | | %ld KiB | | | at most 1536 KiB\n", many,
	       (after - before) / many);
	start = now();
	for (i = 1; i <= many; i++) {
		snprintf(dir, sizeof(dir), DIR_MOUNTS "/%d", i);
		check(umount2(dir, 0));
	}
	while (fuse_processes(NULL) > others)
		usleep(1000);
	printf("umount, until the processes of %d are gone | | %.3f ms | | | at most 10 ms\n",
	       many, (now() - start) / many);
	mount_pairs(0);
}

static void bench_mounts(int many)
{
	double first, last, our_kib, their_kib;
	char dir[64];
	pid_t child;
	int i;

	fflush(stdout);
	child = check(fork());
	if (child) {
		check(waitpid(child, &i, 0));
		if (i)
			exit(1);
		return;
	}
	check(unshare(CLONE_NEWNS));

	for (i = 0; i <= many; i++) {
		snprintf(dir, sizeof(dir), DIR_MOUNTS "/%d", i);
		mkdir(dir, 0755);
	}
	printf("# mounts\n");
	their_kib = memory_of(mount_tmpfs, many / 5);
	our_kib = memory_of(mount_ours, many / 5);
	printf("memory (slab, per-CPU) of a mount | tmpfs | %.2f KiB | %.2f KiB | %.2f | 1\n",
	       our_kib, their_kib, their_kib / our_kib);
	first = mount_pairs(0);
	hold(mount_ours, 0, many / 50);
	mount_pairs(many / 50);
	hold(mount_ours, many / 50, many / 5);
	mount_pairs(many / 5);
	hold(mount_ours, many / 5, many);
	last = mount_pairs(many);
	printf("mount, beside %d bpffs | the first bpffs | %.3f ms | %.3f ms | %.2f | 1\n",
	       many, last, first, first / last);
	exit(0);
}

/* --------------------------------------------------------------------- listing */

static void list(const char *path)
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

static void list_ours(void)
{
	list(DIR_OURS);
}

static void list_tmpfs(void)
{
	list(DIR_TMPFS);
}

static void next_keys(void)
{
	__u32 key, count = 0;
	int err;

	for (err = bpf_map_get_next_key(on.map, NULL, &key); !err;
	     err = bpf_map_get_next_key(on.map, &key, &key))
		count++;
	if (count != on.elements)
		exit(1);
}

/* --------------------------------------------------------------------- streams */

static void raw(void)
{
	int fd = check(open(DIR_OURS "/.bpf/raw", O_RDONLY));

	while (check(read(fd, buffer, sizeof(buffer))) > 0)
		;
	close(fd);
}

static void batch(void)
{
	static struct value values[BATCH];
	static __u32 keys[BATCH];
	__u32 token, count, sum = 0;
	bool first = true;
	int err;

	do {
		count = BATCH;
		err = bpf_map_lookup_batch(on.map, first ? NULL : &token, &token, keys,
					   values, &count, NULL);
		first = false;
		sum += count;
	} while (!err);
	if (sum != on.elements)
		exit(1);
}

static void run(char *const *argv)
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

static void cat_table(void)
{
	run((char *[]){ "cat", DIR_OURS "/.bpf/table", NULL });
}

static void json(void)
{
	run((char *[]){ "bpffs", "json", DIR_OURS, NULL });
}

static void bpftool(void)
{
	char id[16];

	snprintf(id, sizeof(id), "%u", on.map_id);
	run((char *[]){ "bpftool", "-j", "map", "dump", "id", id, NULL });
}

/* ---------------------------------------------------------------- one element */

#define MANY	20000

static void preads_of(int file)
{
	int i;

	for (i = 0; i < MANY; i++)
		if (pread(file, buffer, 256, 0) <= 0)
			exit(1);
}

static void preads(void)
{
	preads_of(on.file);
}

static void preads_smallest(void)
{
	preads_of(on.smallest);
}

static void pwrites_of(int file)
{
	static const char text[] = "packets=1\nbytes=100\n";
	int i;

	for (i = 0; i < MANY; i++)
		if (pwrite(file, text, sizeof(text) - 1, 0) != sizeof(text) - 1)
			exit(1);
}

static void pwrites(void)
{
	pwrites_of(on.file);
}

static void pwrites_smallest(void)
{
	pwrites_of(on.smallest);
}

static void updates(void)
{
	const struct value value = { 1, 100 };
	const __u32 key = 1;
	int i;

	for (i = 0; i < MANY; i++)
		if (bpf_map_update_elem(on.map, &key, &value, BPF_ANY))
			exit(1);
}

static void lookups(void)
{
	struct value value;
	__u32 key = 1;
	int i;

	for (i = 0; i < MANY; i++)
		if (bpf_map_lookup_elem(on.map, &key, &value))
			exit(1);
}

static void open_read_close(const char *path)
{
	int dir = check(open(path, O_PATH | O_DIRECTORY)), fd, i;

	for (i = 0; i < SOME; i++) {
		fd = check(openat(dir, on.names + i * NAME_SIZE, O_RDONLY));
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

	for (i = 0; i < SOME; i++)
		check(fstatat(dir, on.names + i * NAME_SIZE, &st, 0));
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

/* Elements that were not there, and are not there any more afterwards. */
static void create_and_unlink(const char *path)
{
	static const char text[] = "packets=1\nbytes=100\n";
	int dir = check(open(path, O_PATH | O_DIRECTORY)), fd, i;
	char name[NAME_SIZE];

	for (i = 0; i < SOME; i++) {
		snprintf(name, sizeof(name), "%u", on.elements + i);
		fd = check(openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
		if (write(fd, text, sizeof(text) - 1) != sizeof(text) - 1)
			exit(1);
		close(fd);
	}
	for (i = 0; i < SOME; i++) {
		snprintf(name, sizeof(name), "%u", on.elements + i);
		check(unlinkat(dir, name, 0));
	}
	close(dir);
}

static void create_ours(void)
{
	create_and_unlink(DIR_OURS);
}

static void create_tmpfs(void)
{
	create_and_unlink(DIR_TMPFS);
}

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
	on.smallest = check(open(DIR_SMALLEST "/1", O_RDWR));
}

/* ---------------------------------------------------------------------- memory */

static void list_and_read_all(void)
{
	int dir = check(open(DIR_OURS, O_RDONLY | O_DIRECTORY)), fd;
	struct dirent64 *entry;
	char names[1 << 15];
	long len, at;

	while ((len = check(getdents64(dir, names, sizeof(names)))) > 0)
		for (at = 0; at < len; at += entry->d_reclen) {
			entry = (void *)(names + at);
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
	before = memory();
	list_and_read_all();
	usleep(500000);
	once = memory();
	list_and_read_all();
	usleep(500000);
	twice = memory();
	printf("slab and per-CPU memory after listing and reading all %u | | before %ld KiB | once %+ld KiB | twice %+ld KiB | no growth\n",
	       on.elements, before, once - before, twice - before);
	fflush(stdout);
}

/* ------------------------------------------------------------------------------ */

/* With types, as the maps of a program have them. */
static int make_map(__u32 elements)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct btf *btf = btf__new_empty();
	int u64, map;

	opts.btf_key_type_id = check(btf__add_int(btf, "unsigned int", 4, 0));
	u64 = check(btf__add_int(btf, "unsigned long long", 8, 0));
	opts.btf_value_type_id = check(btf__add_struct(btf, "value", sizeof(struct value)));
	check(btf__add_field(btf, "packets", u64, 0, 0));
	check(btf__add_field(btf, "bytes", u64, 64, 0));
	check(btf__load_into_kernel(btf));
	opts.btf_fd = btf__fd(btf);
	map = check(bpf_map_create(BPF_MAP_TYPE_HASH, "bench", 4, sizeof(struct value),
				   elements, &opts));
	btf__free(btf);
	return map;
}

static void fill_map(void)
{
	struct value *values = calloc(on.elements, sizeof(*values));
	__u32 *keys = calloc(on.elements, sizeof(*keys)), i, count = on.elements;

	for (i = 0; i < on.elements; i++) {
		keys[i] = i;
		values[i] = (struct value){ .packets = i, .bytes = 100ULL * i };
	}
	check(bpf_map_update_batch(on.map, keys, values, &count, NULL));
	free(keys);
	free(values);
}

/* Files of the same names; SOME of them, here and there, with a text as long. */
static void fill_tmpfs(void)
{
	int dir = check(open(DIR_TMPFS, O_PATH | O_DIRECTORY)), fd;
	char name[NAME_SIZE];
	__u32 i, step = on.elements / SOME;

	for (i = 0; i < on.elements; i++) {
		snprintf(name, sizeof(name), "%u", i);
		check(mknodat(dir, name, S_IFREG | 0600, 0));
		if (i % step || i / step >= SOME)
			continue;
		memcpy(on.names + i / step * NAME_SIZE, name, NAME_SIZE);
		fd = check(openat(dir, name, O_WRONLY));
		check(dprintf(fd, "packets=%u\nbytes=%llu\n", i, 100ULL * i));
		close(fd);
	}
	close(dir);
}

static void bench_elements(__u32 elements)
{
	const struct pair pairs[] = {
		{ "list by getdents64", list_ours,
		  "BPF_MAP_GET_NEXT_KEY loop", next_keys, "2.2", "2" },
		{ "list by getdents64", list_ours,
		  "BPF_MAP_LOOKUP_BATCH of 4096", batch, "0.66", "0.8" },
		{ "list by getdents64", list_ours, "a tmpfs directory", list_tmpfs, "0.42", "0.9" },
		{ ".bpf/raw, read of 1 MiB", raw, "BPF_MAP_LOOKUP_BATCH of 4096", batch, "1", "0.8" },
		{ ".bpf/table, cat", cat_table, "bpftool -j map dump", bpftool, "20", "15" },
		{ "bpffs json", json, "bpftool -j map dump", bpftool, "20", "15" },
		{ "pread of an open file, 20000 times", preads,
		  "BPF_MAP_LOOKUP_ELEM", lookups, "1.6", NULL },
		{ "pwrite of an open file, 20000 times", pwrites,
		  "BPF_MAP_UPDATE_ELEM", updates, "1", NULL },
		{ "open, read, close, 2000 elements", open_ours, "tmpfs", open_tmpfs, "0.75", NULL },
		{ "stat, 2000 elements", stat_ours, "tmpfs", stat_tmpfs, "0.75", NULL },
		{ "create, write, unlink, 2000 elements", create_ours,
		  "tmpfs", create_tmpfs, "0.75", NULL },
		{ "pread of an open file, 20000 times", preads,
		  "the smallest of FUSE", preads_smallest, NULL, "0.83" },
		{ "pwrite of an open file, 20000 times", pwrites,
		  "the smallest of FUSE", pwrites_smallest, NULL, "0.83" },
		{ "open, read, close, 2000 elements", open_ours,
		  "the smallest of FUSE", open_smallest, NULL, "0.77" },
		{ "stat, 2000 elements", stat_ours,
		  "the smallest of FUSE", stat_smallest, NULL, "0.83" },
	};
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	size_t i;

	on.elements = elements;
	on.map = make_map(elements);
	check(bpf_obj_get_info_by_fd(on.map, &info, &len));
	on.map_id = info.id;
	on.names = calloc(SOME, NAME_SIZE);
	fill_map();
	mount_ours(DIR_OURS);
	mount_on("tmpfs", -1, "size=50%,nr_inodes=2000000", DIR_TMPFS);
	fill_tmpfs();
	on.file = check(open(DIR_OURS "/1", O_RDWR));
	if (by_fuse)
		mount_smallest();
	printf("# %u elements\n", elements);
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		/* bpftool would take minutes. */
		if (goal_of(&pairs[i]) && (elements <= 200000 || pairs[i].theirs != bpftool))
			compare(&pairs[i]);
	close(on.file);
	if (by_fuse) {
		close(on.smallest);
		check(umount2(DIR_SMALLEST, 0));
	}
	check(umount2(DIR_TMPFS, 0));
	if (!by_fuse)
		bench_memory();
	check(umount2(DIR_OURS, 0));
	close(on.map);
	free(on.names);
}

int main(int argc, char **argv)
{
	const char *backend = getenv("BACKEND");
	int i;

	by_fuse = backend && !strcmp(backend, "fuse");
	check(unshare(CLONE_NEWNS));
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	check(mount("tmpfs", "/mnt", "tmpfs", 0, "nr_inodes=100000"));
	mkdir("/mnt/bench", 0755);
	mkdir(DIR_OURS, 0755);
	mkdir(DIR_TMPFS, 0755);
	mkdir(DIR_SMALLEST, 0755);
	mkdir(DIR_MOUNTS, 0755);

	puts("# what | against | bpffs | the other | times as fast (or less) | goal, at least");
	on.map = make_map(16);
	if (by_fuse)
		bench_fuse_mounts(300);
	else
		bench_mounts(50000);
	if (argc < 2)
		bench_elements(100000);
	for (i = 1; i < argc; i++)
		bench_elements(atoi(argv[i]));
	return 0;
}
