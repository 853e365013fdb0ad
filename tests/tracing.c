// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tracing program on a function below a map's locks changes the same map: no
 * operation of the file system may deadlock with it. A deadlock is a hang of the
 * machine, which the time limits of the harness and of the virtual machine tell.
 */
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>

#include <bpf/libbpf.h>

#include "util.h"

#define INSN(c, d, s, o, i) ((struct bpf_insn) \
	{ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })

/* Called with some lock of a map held, on one kernel or another. */
static const char * const functions[] = {
	"htab_lru_map_delete_node",
	"bpf_map_kmalloc_node",
	"bpf_mem_cache_alloc",
	"bpf_mem_cache_free",
	"longest_prefix_match",
	"lookup_elem_raw",
	"alloc_htab_elem",
	"pcpu_freelist_pop",
	"pcpu_freelist_push",
	"__pcpu_freelist_pop",
	"__pcpu_freelist_push",
	"bpf_lru_pop_free",
	"bpf_lru_push_free",
};

/* A kprobe program that stores 0 at a key, or pushes it. */
static int load_program(int map, bool trie, bool queue)
{
	const struct bpf_insn program[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 0),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 1, -16, 0),
		INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -8, trie ? 32 : 7),
		INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0x0104030a),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, queue ? -16 : -8),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, queue ? 0 : -16),
		/* Of a push, the flags are the third. */
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, queue ? 3 : 4, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0,
		     queue ? BPF_FUNC_map_push_elem : BPF_FUNC_map_update_elem),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "comes_back", "GPL", program,
			     sizeof(program) / sizeof(*program), NULL);
}

static int kprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	int type = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &type) != 1)
		type = -1;
	fclose(file);
	return type;
}

/* Return: a perf event; negative if this kernel has no such function to probe. */
static int attach(int program, int type, const char *function)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config1 = (__u64)(unsigned long)function,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (event < 0)
		return -1;
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program) ||
	    ioctl(event, PERF_EVENT_IOC_ENABLE, 0)) {
		close(event);
		return -1;
	}
	return event;
}

FIXTURE(tracing) {
	int map;
	int events[sizeof(functions) / sizeof(*functions)];
	int attached;
};

FIXTURE_VARIANT(tracing) {
	enum bpf_map_type type;
	__u32 key_size;
	__u32 flags;
	const char *key;
	bool guarded;	/* by the map itself, which says EBUSY */
};

FIXTURE_VARIANT_ADD(tracing, hash) {
	.type = BPF_MAP_TYPE_HASH, .key_size = 4, .key = "u32", .guarded = true,
};

FIXTURE_VARIANT_ADD(tracing, hash_no_prealloc) {
	.type = BPF_MAP_TYPE_HASH, .key_size = 4, .key = "u32", .guarded = true,
	.flags = BPF_F_NO_PREALLOC,
};

FIXTURE_VARIANT_ADD(tracing, percpu_hash) {
	.type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 4, .key = "u32", .guarded = true,
};

FIXTURE_VARIANT_ADD(tracing, lru_hash) {
	.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 4, .key = "u32",
};

FIXTURE_VARIANT_ADD(tracing, lru_percpu_hash) {
	.type = BPF_MAP_TYPE_LRU_PERCPU_HASH, .key_size = 4, .key = "u32",
};

FIXTURE_VARIANT_ADD(tracing, lpm_trie) {
	.type = BPF_MAP_TYPE_LPM_TRIE, .key_size = 8, .key = "plen:ip4",
	.flags = BPF_F_NO_PREALLOC,
};

FIXTURE_VARIANT_ADD(tracing, array) {
	.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .key = "u32",
};

FIXTURE_VARIANT_ADD(tracing, queue) {
	.type = BPF_MAP_TYPE_QUEUE, .key_size = 0,
};

FIXTURE_VARIANT_ADD(tracing, stack) {
	.type = BPF_MAP_TYPE_STACK, .key_size = 0,
};

#define ENTRIES	64

FIXTURE_SETUP(tracing)
{
	bool trie = variant->type == BPF_MAP_TYPE_LPM_TRIE;
	int type = kprobe_type(), program;
	char options[64];
	size_t i;

	self->attached = 0;
	if (type < 0)
		SKIP(return, "no kprobes");
	/* Another bucket of the same map: the guard lets it pass, lockdep does not. */
	if (variant->guarded && !access("/proc/lockdep_stats", F_OK))
		SKIP(return, "lockdep takes all buckets of a hash for one");
	ASSERT_EQ(private_mounts(), 0);
	self->map = make_map(variant->type, variant->key_size, 8, ENTRIES, variant->flags);
	ASSERT_GE(self->map, 0);
	snprintf(options, sizeof(options), "%s%s%svalue=u64", variant->key ? "key=" : "",
		 variant->key ?: "", variant->key ? "," : "");
	ASSERT_EQ(mount_fd(self->map, MNT, options), 0) TH_LOG("%s", refusal);
	program = load_program(self->map, trie, !variant->key);
	ASSERT_GE(program, 0);
	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int event = attach(program, type, functions[i]);

		if (event >= 0)
			self->events[self->attached++] = event;
	}
	close(program);
	ASSERT_GT(self->attached, 0);
}

FIXTURE_TEARDOWN(tracing)
{
	while (self->attached)
		close(self->events[--self->attached]);
	umount2(MNT, MNT_DETACH);
}

static const char *name_of(const FIXTURE_VARIANT(tracing) * variant, int i)
{
	return variant->type == BPF_MAP_TYPE_LPM_TRIE ? at("10.0.%d.%d-32", i / 200, i % 200) :
							at("%d", i);
}

static const char *text(const FIXTURE_VARIANT(tracing) * variant, __u64 n)
{
	static char text[1024];
	int len = 0, cpu;

	if (variant->type != BPF_MAP_TYPE_PERCPU_HASH &&
	    variant->type != BPF_MAP_TYPE_LRU_PERCPU_HASH) {
		snprintf(text, sizeof(text), "%llu\n", n);
		return text;
	}
	for (cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		len += snprintf(text + len, sizeof(text) - len, "cpu%d=%llu ", cpu, n);
	text[len - 1] = '\n';
	return text;
}

/* Of a line of the table or of a write: done, or refused by the guard. */
static bool is_right(const FIXTURE_VARIANT(tracing) * variant, int err)
{
	return !err || (variant->guarded && err == -EBUSY);
}

static void files(struct __test_metadata *_metadata,
		  const FIXTURE_VARIANT(tracing) * variant)
{
	bool is_array = variant->type == BPF_MAP_TYPE_ARRAY;
	int i, err;

	/* More than there is room for: an LRU map evicts, others say that they are full. */
	for (i = 0; i < 4 * ENTRIES; i++) {
		err = write_to(name_of(variant, is_array ? i % ENTRIES : i), O_CREAT | O_TRUNC,
			       text(variant, i));
		EXPECT_TRUE(is_right(variant, err) || err == -ENOSPC)
			TH_LOG("%d: %s", i, strerror(-err));
		/* What is there, and a deletion. */
		err = write_to(name_of(variant, i % ENTRIES), 0, text(variant, i));
		EXPECT_TRUE(is_right(variant, err) || err == -ENOENT)
			TH_LOG("%d: %s", i, strerror(-err));
		if (i % 3 || is_array)
			continue;
		err = unlink(name_of(variant, i % ENTRIES)) ? -errno : 0;
		EXPECT_TRUE(is_right(variant, err) || err == -ENOENT)
			TH_LOG("%d: %s", i, strerror(-err));
	}
	EXPECT_GT(count_names(MNT), 0);
}

static void table(struct __test_metadata *_metadata,
		  const FIXTURE_VARIANT(tracing) * variant)
{
	int i, table, err;
	char line[1200];

	table = open(at(".bpf/table"), O_WRONLY);
	ASSERT_GE(table, 0);
	for (i = 0; i < 4 * ENTRIES; i++) {
		snprintf(line, sizeof(line), "%s %s", strrchr(name_of(variant, i % 100), '/') + 1,
			 text(variant, i));
		err = write(table, line, strlen(line)) < 0 ? -errno : 0;
		/* An array has no such index. */
		EXPECT_TRUE(is_right(variant, err) || err == -ENOSPC || err == -ERANGE)
			TH_LOG("%d: %s", i, strerror(-err));
	}
	close(table);
	EXPECT_EQ(sh("cat %s/.bpf/table > /tmp/tracing.table", MNT), 0);
}

static void raw(struct __test_metadata *_metadata,
		const FIXTURE_VARIANT(tracing) * variant)
{
	int status;

	EXPECT_EQ(sh("cat %s/.bpf/raw > /tmp/tracing.raw", MNT), 0);
	status = sh("cat /tmp/tracing.raw > %s/.bpf/raw 2> /dev/null", MNT);
	if (!variant->guarded)
		EXPECT_EQ(status, 0);
}

static void push_and_pop(struct __test_metadata *_metadata)
{
	int i, err, pop, len;
	char value[16];

	for (i = 0; i < 4 * ENTRIES; i++) {
		err = write_to(at("push"), 0, "5\n");
		EXPECT_TRUE(!err || err == -ENOSPC);
		if (i % 2 == 0)
			continue;
		pop = open(at("pop"), O_RDWR);
		ASSERT_GE(pop, 0);
		do
			len = read(pop, value, sizeof(value));
		while (len > 0);
		EXPECT_EQ(len, 0);
		close(pop);
	}
}

/* All that the type can do. */
TEST_F(tracing, every_operation)
{
	if (!variant->key) {
		push_and_pop(_metadata);
		return;
	}
	if (variant->type != BPF_MAP_TYPE_LRU_PERCPU_HASH)
		files(_metadata, variant);
	table(_metadata, variant);
	raw(_metadata, variant);
}

TEST_HARNESS_MAIN
