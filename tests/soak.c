// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every type that lists, while a BPF program, bpf(2) and files change it at full speed and
 * others look: what stays is there once, nothing is there that never was, and at rest
 * all ways to look agree. SOAK_SECONDS, for all of them, is how long.
 */
#include "util.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdatomic.h>

#include "soak/soak.h"

/* As long as one wants to; who runs the tests has another guard. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	(24 * 3600)

#define OBJECT	"/usr/libexec/bpffs/soak/soak.bpf.o"

struct soak soak;

void soak_fault(const char *fmt, ...)
{
	va_list args;
	char line[512];

	if (atomic_fetch_add(&soak.faults, 1) >= 10)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	printf("# %s: %s\n", soak.name, line);
	fflush(stdout);
}

FIXTURE(soak) {
	struct bpf_object *object;
	struct bpf_link *link;
};

FIXTURE_VARIANT(soak) {
	const char *name;
	enum bpf_map_type type;
	__u32 entries;
	__u32 flags;
	unsigned int can;
	const char *prog;
};

#define FILES	(CAN_READ | CAN_WRITE | HAS_TABLE)
#define KEYS	(CAN_CREATE | CAN_DELETE)
#define EXACT	(HAS_RAW | LOSES_NOTHING | DOUBLES_NOTHING)

FIXTURE_VARIANT_ADD(soak, hash) {
	.name = "hash", .type = BPF_MAP_TYPE_HASH, .entries = 512,
	.can = FILES | KEYS | EXACT | IS_WHOLE, .prog = "change_key",
};
FIXTURE_VARIANT_ADD(soak, hash_no_prealloc) {
	.name = "hash_no_prealloc", .type = BPF_MAP_TYPE_HASH, .entries = 512,
	.flags = BPF_F_NO_PREALLOC,
	.can = FILES | KEYS | EXACT | IS_WHOLE, .prog = "change_key",
};
/* With more room than is used: it throws nothing away. */
FIXTURE_VARIANT_ADD(soak, lru_hash) {
	.name = "lru_hash", .type = BPF_MAP_TYPE_LRU_HASH, .entries = 8192,
	.can = FILES | KEYS | EXACT | IS_WHOLE | IN_PLACE, .prog = "change_key",
};
FIXTURE_VARIANT_ADD(soak, percpu_hash) {
	.name = "percpu_hash", .type = BPF_MAP_TYPE_PERCPU_HASH, .entries = 512,
	.can = FILES | KEYS | EXACT | HAS_CPUS | IN_PLACE, .prog = "change_key",
};
FIXTURE_VARIANT_ADD(soak, lru_percpu_hash) {
	.name = "lru_percpu_hash", .type = BPF_MAP_TYPE_LRU_PERCPU_HASH, .entries = 8192,
	.can = HAS_TABLE | CAN_DELETE | EXACT | HAS_CPUS | IN_PLACE, .prog = "change_key",
};
FIXTURE_VARIANT_ADD(soak, array) {
	.name = "array", .type = BPF_MAP_TYPE_ARRAY, .entries = SOAK_KEYS,
	.can = FILES | EXACT | IN_PLACE | BY_BYTES, .prog = "change_key",
};
FIXTURE_VARIANT_ADD(soak, percpu_array) {
	.name = "percpu_array", .type = BPF_MAP_TYPE_PERCPU_ARRAY, .entries = SOAK_KEYS,
	.can = FILES | EXACT | HAS_CPUS | IN_PLACE | BY_BYTES, .prog = "change_key",
};
/* Of a trie, one that is deleted at that moment may hide others: docs/types.rst, (3). */
FIXTURE_VARIANT_ADD(soak, lpm_trie) {
	.name = "lpm_trie", .type = BPF_MAP_TYPE_LPM_TRIE, .entries = 512,
	.flags = BPF_F_NO_PREALLOC,
	.can = FILES | KEYS | HAS_RAW | HAS_PREFIXES | IN_PLACE, .prog = "change_prefix",
};
FIXTURE_VARIANT_ADD(soak, hash_of_maps) {
	.name = "hash_of_maps", .type = BPF_MAP_TYPE_HASH_OF_MAPS, .entries = 512,
	.can = HAS_MAPS | LOSES_NOTHING,
};
FIXTURE_VARIANT_ADD(soak, array_of_maps) {
	.name = "array_of_maps", .type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .entries = SOAK_KEYS,
	.can = HAS_MAPS | LOSES_NOTHING,
};
FIXTURE_VARIANT_ADD(soak, queue) {
	.name = "queue", .type = BPF_MAP_TYPE_QUEUE, .entries = 64, .prog = "push_and_pop",
};
FIXTURE_VARIANT_ADD(soak, stack) {
	.name = "stack", .type = BPF_MAP_TYPE_STACK, .entries = 64, .prog = "push_and_pop",
};

#define VARIANTS	12

static bool is_queue(void)
{
	return !soak.key_size;
}

static const char *options(void)
{
	if (is_queue())
		return "value=a=u64:b=u64";
	if (soak.can & HAS_MAPS)
		return "key=u32,inner_key=u32,inner_value=a=u64:b=u64";
	return soak.can & HAS_PREFIXES ? "key=plen:ip4,value=a=u64:b=u64" :
					 "key=u32,value=a=u64:b=u64";
}

/* --- Mounts that come and go --- */

/* A process that another thread is just making has all that is open, until it is one. */
static void unmount(int flags)
{
	int tries;

	for (tries = 0; umount2(SOAK_OTHER, flags); tries++) {
		if (errno != EBUSY || tries == 1000) {
			soak_fault("umount: %s", strerror(errno));
			break;
		}
		usleep(10000);
	}
}

static void mount_and_unmount(void)
{
	char path[64] = SOAK_OTHER "/", text[4096];
	int err = mount_fd(soak.map, SOAK_OTHER, options());
	int file;

	if (err) {
		soak_fault("mount: %s: %s", strerror(-err), refusal);
		return;
	}
	if (soak.can & CAN_WRITE) {
		soak_name(0, path + strlen(path));
		if (mount(NULL, SOAK_OTHER, NULL, MS_REMOUNT | MS_RDONLY, NULL))
			soak_fault("remount,ro: %s", strerror(errno));
		if (soak_write_file(path, O_TRUNC, "0\n") != -EROFS)
			soak_fault("a read-only mount can be written");
		if (mount(NULL, SOAK_OTHER, NULL, MS_REMOUNT, NULL))
			soak_fault("remount,rw: %s", strerror(errno));
	}
	if (count_names(SOAK_OTHER) < (is_queue() ? 3 : soak.can & HAS_PREFIXES ? 0 : SOAK_STAY))
		soak_fault("another mount lists less");
	if (soak_random() % 2) {
		unmount(0);
		return;
	}
	/* What is open goes on without the mount. */
	file = open(SOAK_OTHER "/.bpf/type", O_RDONLY | O_CLOEXEC);
	unmount(MNT_DETACH);
	if (file < 0 || read(file, text, sizeof(text)) <= 0)
		soak_fault("what was open is gone: %s", strerror(errno));
	close(file);
}

/* --- Programs --- */

static void run(const char *command)
{
	int status = sh("{ %s; } > /tmp/soak.out 2>&1", command);

	if (status)
		soak_fault("%s: exit status %d; $(head -n 1): %s", command, status,
			   text_of("/tmp/soak.out"));
}

/* How often the output has a line of that key, which stays. */
static void run_and_find(const char *command, const char *pattern, __u32 key)
{
	char name[SOAK_NAME];

	run(command);
	soak_name(key, name);
	if (sh("test $(grep -c '^%s%s' /tmp/soak.out) = 1", name, pattern))
		soak_fault("%s: not once: %s", command, name);
}

static void run_tools(void)
{
	switch (soak_random() % 6) {
	case 0:
		run_and_find("ls " SOAK_MNT, "$", SOAK_CONST);
		break;
	case 1:
		run("bpffs top -b -n 2 -d 0.1 " SOAK_MNT);
		break;
	case 2:
		run("bpffs watch -n 2 -i 0.1 " SOAK_MNT);
		break;
	case 3:
		run("bpffs json " SOAK_MNT);
		break;
	case 4:
		run_and_find("cat " SOAK_MNT "/.bpf/table", " ", 0);
		break;
	case 5:
		run("cat " SOAK_MNT "/.bpf/count " SOAK_MNT "/.bpf/error " SOAK_MNT "/.bpf/info");
	}
}

/* --- Jobs --- */

static const struct job {
	const char *name;
	void (*round)(void);
	unsigned int needs;
	/* Of other types than queues; of queues; without maps in it. */
	enum { OF_KEYS, OF_QUEUES, OF_VALUES, OF_ALL } of;
} jobs[] = {
	{ "readdir", soak_list_directory, 0, OF_KEYS },
	{ "walk", soak_walk, 0, OF_KEYS },
	{ "table", soak_read_table, HAS_TABLE, OF_VALUES },
	{ "raw", soak_read_raw, HAS_RAW, OF_VALUES },
	{ "read", soak_read_files, CAN_READ, OF_VALUES },
	{ "read", soak_read_maps, HAS_MAPS, OF_KEYS },
	{ "bpf(2)", soak_change_by_bpf, 0, OF_VALUES },
	{ "bpf(2)", soak_change_maps, HAS_MAPS, OF_KEYS },
	{ "write", soak_write_own, CAN_WRITE, OF_VALUES },
	{ "rm", soak_create_and_remove, CAN_DELETE, OF_VALUES },
	{ "rmdir", soak_remove_maps, HAS_MAPS, OF_KEYS },
	{ "bpf(2)", soak_queue_by_bpf, 0, OF_QUEUES },
	{ "push, pop", soak_queue_by_files, 0, OF_QUEUES },
	{ "tools", run_tools, HAS_TABLE, OF_VALUES },
	{ "mount", mount_and_unmount, 0, OF_ALL },
};

#define JOBS	ARRAY_SIZE(jobs)

static pthread_t threads[JOBS];
static atomic_long rounds[JOBS];

static bool is_for(const struct job *job)
{
	if ((soak.can & job->needs) != job->needs)
		return false;
	switch (job->of) {
	case OF_KEYS:
		return !is_queue();
	case OF_QUEUES:
		return is_queue();
	case OF_VALUES:
		return !is_queue() && !(soak.can & HAS_MAPS);
	default:
		return true;
	}
}

static void *work(void *arg)
{
	const struct job *job = arg;

	do {
		job->round();
		rounds[job - jobs]++;
	} while (!soak.stop);
	return NULL;
}

/* --- Before, and at rest --- */

static int make_soaked(const FIXTURE_VARIANT(soak) *variant)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = variant->flags);
	__u32 key_size = soak.can & HAS_PREFIXES ? sizeof(struct soak_prefix) : 4, i, zero = 0;
	struct soak_value value;

	soak.key_size = variant->prog && !strcmp(variant->prog, "push_and_pop") ? 0 : key_size;
	soak.cpus = soak.can & HAS_CPUS ? libbpf_num_possible_cpus() : 1;
	for (i = 0; soak.can & HAS_MAPS && i < SOAK_CONST; i++) {
		soak.inner[i] = make_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(value), 1, 0);
		value = soak_value(i, i);
		if (bpf_map_update_elem(soak.inner[i], &zero, &value, BPF_ANY))
			return -errno;
		opts.inner_map_fd = soak.inner[i];
	}
	return bpf_map_create(variant->type, "soak", soak.key_size,
			      soak.can & HAS_MAPS ? 4 : sizeof(value), variant->entries, &opts);
}

static int fill(void)
{
	struct soak_value values[soak.cpus];
	unsigned int copy;
	__u32 i, stay = soak.can & (CAN_DELETE | HAS_MAPS) ? SOAK_STAY : SOAK_KEYS;
	char key[8];

	for (i = 0; i < stay && !is_queue(); i++) {
		for (copy = 0; copy < soak.cpus; copy++)
			values[copy] = soak_value(i, 0);
		soak_key(i, key);
		if (bpf_map_update_elem(soak.map, key, soak.can & HAS_MAPS ?
					(void *)&soak.inner[i % SOAK_CONST] : values, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* The program is loaded with this map for the one that it was compiled with. */
static int attach(struct bpf_object **object, struct bpf_link **link, const char *name)
{
	static const char * const maps[] = { "by_key", "by_prefix", "in_order" };
	static const char * const users[] = { "change_key", "change_prefix", "push_and_pop" };
	struct bpf_program *prog;
	int i, err = 0;

	*object = bpf_object__open_file(OBJECT, NULL);
	if (libbpf_get_error(*object))
		return -ENOENT;
	bpf_object__for_each_program(prog, *object)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	for (i = 0; i < 3 && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(*object, maps[i]);

		err = strcmp(users[i], name) ? bpf_map__set_autocreate(map, false) :
					       bpf_map__reuse_fd(map, soak.map);
	}
	if (!err)
		err = bpf_object__load(*object);
	if (err)
		return err;
	/* On PREEMPT_RT, a trie's lock sleeps, where a program of a tracepoint must not. */
	if (soak.can & HAS_PREFIXES && !access("/sys/kernel/realtime", F_OK))
		return 0;
	*link = bpf_program__attach(bpf_object__find_program_by_name(*object, name));
	return *link ? 0 : -errno;
}

static void get_counts(struct bpf_object *object, struct soak_counts *counts)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".bss");
	__u32 zero = 0;

	memset(counts, 0, sizeof(*counts));
	if (bpf_map__value_size(map) == sizeof(*counts))
		bpf_map_lookup_elem(bpf_map__fd(map), &zero, counts);
}

static long number_in(const char *path)
{
	char text[64];

	return soak_read_file(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

static int is_there(__u32 key)
{
	struct soak_value values[soak.cpus];
	char bytes[8];
	__u32 id;

	soak_key(key, bytes);
	return !bpf_map_lookup_elem(soak.map, bytes, soak.can & HAS_MAPS ? (void *)&id : values);
}

/* Nobody changes it any more: every way to look says the same. */
static void compare_at_rest(void)
{
	struct soak_value values[soak.cpus];
	char path[64], name[SOAK_NAME], text[4096], want[4096], key[8];
	long keys = 0;
	__u32 i;

	for (i = 0; i < SOAK_KEYS; i++) {
		soak_name(i, name);
		snprintf(path, sizeof(path), SOAK_MNT "/%s", name);
		keys += is_there(i);
		if (file_exists(path) != is_there(i))
			soak_fault("at rest: key %u: a file: %d, in the map: %d", i,
				   file_exists(path), is_there(i));
		soak_key(i, key);
		if (!is_there(i) || !(soak.can & CAN_READ) || soak.can & HAS_CPUS)
			continue;
		bpf_map_lookup_elem(soak.map, key, values);
		soak_text(values[0], '\n', want, sizeof(want));
		if (soak_read_file(path, text, sizeof(text)) < 0 || strcmp(text, want))
			soak_fault("at rest: %s: has %s, and the map %s", path, text, want);
	}
	if (count_names(SOAK_MNT) != keys)
		soak_fault("at rest: %ld names, %ld keys", count_names(SOAK_MNT), keys);
	if (number_in(SOAK_MNT "/.bpf/count") != keys)
		soak_fault("at rest: count says %ld, %ld keys", number_in(SOAK_MNT "/.bpf/count"),
			   keys);
	if (soak.can & HAS_TABLE && sh("test $(wc -l < " SOAK_MNT "/.bpf/table) = %ld", keys))
		soak_fault("at rest: the table has not %ld lines", keys);
	soak.can |= LOSES_NOTHING | DOUBLES_NOTHING;
	soak_list_directory();
	if (soak.can & HAS_TABLE)
		soak_read_table();
	if (soak.can & HAS_RAW)
		soak_read_raw();
}

/* What went in and did not come out is there. */
static void compare_queue(const struct soak_counts *by_prog)
{
	__u64 pushed = by_prog->pushed + soak.pushed, sum = by_prog->sum_pushed + soak.sum_pushed;
	struct soak_value value;

	while (!bpf_map_lookup_and_delete_elem(soak.map, NULL, &value)) {
		soak.popped++;
		soak.sum_popped += value.a;
	}
	if (pushed != by_prog->popped + soak.popped || sum != by_prog->sum_popped + soak.sum_popped)
		soak_fault("%llu pushed, %llu popped, sums %llx and %llx", pushed,
			   by_prog->popped + soak.popped, sum, by_prog->sum_popped + soak.sum_popped);
}

static void print(const struct soak_counts *by_prog)
{
	unsigned int job;

	printf("# %s:", soak.name);
	for (job = 0; job < JOBS; job++)
		if (is_for(&jobs[job]))
			printf(" %ld %s,", rounds[job], jobs[job].name);
	if (is_queue()) {
		printf(" the program pushed %llu and popped %llu\n", by_prog->pushed,
		       by_prog->popped);
		return;
	}
	printf(" the program made %llu and deleted %llu\n", by_prog->made, by_prog->deleted);
	printf("# %s: lost, doubled: BPF_MAP_GET_NEXT_KEY %ld, %ld in %ld walks; here %ld, %ld in %ld\n",
	       soak.name, soak.lost, soak.doubled, soak.walks, soak.list_lost, soak.list_doubled,
	       soak.lists);
	if (soak.can & CAN_READ)
		printf("# %s: another key's value: BPF_MAP_LOOKUP_ELEM %ld of %ld; files %ld of %ld\n",
		       soak.name, soak.foreign, soak.lookups, soak.read_foreign, soak.reads);
}

FIXTURE_SETUP(soak)
{
	ASSERT_EQ(0, private_mounts());
	mkdir(SOAK_OTHER, 0755);
	soak.name = variant->name;
	soak.can = variant->can;
	soak.map = make_soaked(variant);
	ASSERT_LE(0, soak.map) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, fill());
	if (variant->prog)
		ASSERT_EQ(0, attach(&self->object, &self->link, variant->prog));
	ASSERT_EQ(0, mount_fd(soak.map, SOAK_MNT, options())) TH_LOG("%s", refusal);
}

FIXTURE_TEARDOWN(soak)
{
}

TEST_F(soak, all)
{
	const char *seconds = getenv("SOAK_SECONDS");
	struct soak_counts by_prog = {};
	__u32 id = map_id(soak.map), i;

	for (i = 0; i < JOBS; i++)
		if (is_for(&jobs[i]))
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, work, (void *)&jobs[i]));
	usleep((seconds ? atol(seconds) : 6) * 1000000UL / VARIANTS);
	soak.stop = true;
	for (i = 0; i < JOBS; i++)
		if (is_for(&jobs[i]))
			pthread_join(threads[i], NULL);
	if (self->link) {
		bpf_link__destroy(self->link);
		get_counts(self->object, &by_prog);
		EXPECT_LT(0, by_prog.made + by_prog.pushed);
	}
	if (is_queue())
		compare_queue(&by_prog);
	else
		compare_at_rest();
	print(&by_prog);
	EXPECT_EQ(0, soak.faults);

	/* Nothing of it stays. */
	if (self->object)
		bpf_object__close(self->object);
	EXPECT_EQ(0, umount(SOAK_MNT));
	close(soak.map);
	for (i = 0; i < SOAK_CONST; i++)
		close(soak.inner[i]);
	EXPECT_TRUE(map_is_gone(id));
}

/* --- When all of them are gone --- */

FIXTURE(rest) {
};

FIXTURE_SETUP(rest)
{
}

FIXTURE_TEARDOWN(rest)
{
}

static bool soon(const char *command)
{
	int tries;

	for (tries = 0; tries < 500; tries++) {
		if (!sh("%s", command))
			return true;
		usleep(20000);
	}
	return false;
}

#define SLAB	"/sys/kernel/slab/bpffs_inode"
#define COUNTED	"/sys/module/bpffs/refcnt"

/* No superblock, no inode; the kernel looks for what is left of a slab when it goes. */
TEST_F(rest, nothing_of_the_module)
{
	if (is_fuse())
		SKIP(return, "without the module");
	if (!access(SLAB, F_OK))
		EXPECT_TRUE(soon("echo 1 > " SLAB "/shrink; grep -q '^0' " SLAB "/objects"))
			TH_LOG("inodes: %s", text_of(SLAB "/objects"));
	if (access(COUNTED, F_OK))
		SKIP(return, "the module is built in");
	EXPECT_TRUE(soon("test $(cat " COUNTED ") = 0")) TH_LOG("%s mounts", text_of(COUNTED));
	EXPECT_EQ(0, sh("rmmod bpffs && modprobe bpffs"));
}

TEST_F(rest, no_process)
{
	if (!is_fuse())
		SKIP(return, "of the module");
	/* Nobody waits for those that have ended, where this is the first process. */
	EXPECT_TRUE(soon("! cat /proc/[0-9]*/stat 2> /dev/null | grep -q '(bpffs-fuse) [^Z]'"));
}

TEST_HARNESS_MAIN
