// SPDX-License-Identifier: GPL-2.0-only
/* Additions: what is counted meanwhile is not lost, and nothing is added twice. */
#include "util.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define COUNTED	1000000ULL
#define CPUS	2

FIXTURE(counters) {
	int map;
	int prog;
};

FIXTURE_SETUP(counters)
{
	ASSERT_EQ(0, private_mounts());
	self->map = -1;
	self->prog = -1;
}

FIXTURE_TEARDOWN(counters)
{
	close(self->map);
	close(self->prog);
}

/* --- What counts: a program in element 1 of a map --- */

/* By an atomic addition, or as programs do it in values of their own CPU. */
static int make_counter(int map, bool atomic)
{
	const struct bpf_insn add = {
		.code = BPF_STX | BPF_ATOMIC | BPF_DW, .src_reg = 1, .imm = BPF_ADD,
	};
	const struct bpf_insn load = { .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1 };
	const struct bpf_insn store = { .code = BPF_STX | BPF_MEM | BPF_DW, .src_reg = 1 };
	const struct bpf_insn nothing = { .code = BPF_JMP | BPF_JA };
	const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = 1 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		atomic ? add : load,
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = 1 },
		atomic ? nothing : store,
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "count", "GPL", insns, ARRAY_SIZE(insns), NULL);
}

/**
 * struct counting - a thread that counts
 * @prog: the program, or
 * @word: what is added to, in a mapping
 * @step: by how much
 * @cpu: where it runs
 */
struct counting {
	int prog;
	__u64 *word;
	__u64 step;
	unsigned int cpu;
};

static struct counting counting[CPUS];
static pthread_t thread[CPUS];
static char packet[64];
/* How many have not yet ended. */
static atomic_int left;

static void run_prog(int prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
		    .data_size_in = sizeof(packet), .repeat = COUNTED / CPUS);

	bpf_prog_test_run_opts(prog, &opts);
}

static void *count(void *arg)
{
	struct counting *counting = arg;
	cpu_set_t cpus;
	__u64 i;

	CPU_ZERO(&cpus);
	CPU_SET(counting->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (counting->word)
		for (i = 0; i < COUNTED / CPUS; i++)
			__atomic_fetch_add(counting->word, counting->step, __ATOMIC_RELAXED);
	else
		run_prog(counting->prog);
	atomic_fetch_sub(&left, 1);
	return NULL;
}

/* The number of the field @name of element 1. */
static __u64 field(const char *name)
{
	const char *text = strstr(text_of(at("1")), name);

	return text ? strtoull(text + strlen(name) + 1, NULL, 10) : 0;
}

/* Read it, and take away what was read. */
static __u64 drain(const char *name, bool table)
{
	__u64 n = field(name);
	char text[64];

	snprintf(text, sizeof(text), "%s%s-=%llu\n", table ? "1 " : "", name, n);
	if (write_to(at(table ? ".bpf/table" : "1"), O_TRUNC, text))
		return ~0ULL;
	return n;
}

/* A thread on each CPU. */
static void begin(int prog, __u64 *word, __u64 step)
{
	unsigned int i;

	left = CPUS;
	for (i = 0; i < CPUS; i++) {
		counting[i] = (struct counting){ prog, word, step, i };
		pthread_create(&thread[i], NULL, count, &counting[i]);
	}
}

static void end(void)
{
	unsigned int i;

	for (i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
}

/* Until the threads have ended, and then once more: what was taken away altogether? */
static __u64 drained(const char * const *names, bool table)
{
	const char * const *name;
	bool last = false;
	__u64 sum = 0;

	while (!last) {
		last = !atomic_load(&left);
		for (name = names; *name; name++)
			sum += drain(*name, table);
	}
	end();
	return sum;
}

static const char * const packets[] = { "packets", NULL };

TEST_F(counters, hash)
{
	self->map = make_map(BPF_MAP_TYPE_HASH, 4, 16, 8, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=packets=u64:bytes=u64"));
	ASSERT_EQ(0, sh("touch " MNT "/1"));
	self->prog = make_counter(self->map, true);
	ASSERT_LE(0, self->prog);
	begin(self->prog, NULL, 0);
	EXPECT_EQ(COUNTED, drained(packets, false));
	EXPECT_EQ(0ULL, field("packets"));
}

TEST_F(counters, table)
{
	self->map = make_map(BPF_MAP_TYPE_LRU_HASH, 4, 16, 1000, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=packets=u64:bytes=u64"));
	ASSERT_EQ(0, sh("touch " MNT "/1"));
	self->prog = make_counter(self->map, true);
	ASSERT_LE(0, self->prog);
	begin(self->prog, NULL, 0);
	EXPECT_EQ(COUNTED, drained(packets, true));
}

/* The program's additions are not atomic: none of them is undone, nor one of ours. */
TEST_F(counters, percpu)
{
	static const char * const names[] = { "cpu0.packets", "cpu1.packets", NULL };

	self->map = make_map(BPF_MAP_TYPE_PERCPU_HASH, 4, 16, 8, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=packets=u64:bytes=u64"));
	ASSERT_EQ(0, sh("touch " MNT "/1"));
	self->prog = make_counter(self->map, false);
	ASSERT_LE(0, self->prog);
	begin(self->prog, NULL, 0);
	EXPECT_EQ(COUNTED, drained(names, false));
	EXPECT_EQ(0ULL, field("cpu0.packets"));
	EXPECT_EQ(0ULL, field("cpu1.packets"));
}

TEST_F(counters, percpu_sum)
{
	self->map = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, 2, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT,
			      "key=u32,value=packets=u64:bytes=u64,percpu=sum"));
	self->prog = make_counter(self->map, false);
	ASSERT_LE(0, self->prog);
	begin(self->prog, NULL, 0);
	EXPECT_EQ(COUNTED, drained(packets, true));
	EXPECT_EQ(0ULL, field("packets"));
	/* To the first CPU; the others stay as they are. */
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "packets=5\nbytes+=3\n"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "packets-=6\nbytes+=4\n"));
	EXPECT_STREQ("packets=18446744073709551615\nbytes=7\n", text_of(at("0")));
}

/* Bits between others, and big-endian numbers, in memory that a process maps. */
TEST_F(counters, neighbours)
{
	static const char * const names[] = { "low", NULL };
	__u64 *memory, i;

	self->map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 4096, BPF_F_MMAPABLE);
	memory = mmap(NULL, 4096 * 8, PROT_READ | PROT_WRITE, MAP_SHARED, self->map, 0);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64{low.32/high.s32}"));
	/* They count in the one, we in the other. */
	begin(-1, &memory[1], 1ULL << 32 | 1);
	EXPECT_EQ(COUNTED, drained(names, false));
	EXPECT_EQ(COUNTED << 32, memory[1]);
	ASSERT_EQ(0, sh("umount " MNT));

	memory[1] = 0;
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=low=be32:high=u32"));
	/* The last four bytes. */
	begin(-1, &memory[1], htonl(1) == 1 ? 1 : 1ULL << 32);
	for (i = 0; atomic_load(&left) || i < 300; i++)
		EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "low+=3\n"));
	end();
	EXPECT_EQ(3 * i, field("low"));
	EXPECT_EQ(COUNTED, field("high"));
	munmap(memory, 4096 * 8);
}

/* --- A field each, which nobody else writes --- */

#define WRITERS	8
#define ADDED	100000

static _Atomic __u64 *fields;

static void *count_own(void *arg)
{
	long i;

	for (i = 0; i < ADDED; i++)
		fields[(long)arg]++;
	atomic_fetch_sub(&left, 1);
	return NULL;
}

/* Of an element: one field that is written leaves the others alone. */
TEST_F(counters, fields_of_others)
{
	pthread_t writer[WRITERS];
	long rounds = 0, i;

	self->map = make_map(BPF_MAP_TYPE_ARRAY, 4, (WRITERS + 1) * 8, 1, BPF_F_MMAPABLE);
	fields = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, self->map, 0);
	ASSERT_NE(MAP_FAILED, (void *)fields);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64[8]:other=u64")) TH_LOG("%s", refusal);
	atomic_store(&left, WRITERS);
	for (i = 0; i < WRITERS; i++)
		ASSERT_EQ(0, pthread_create(&writer[i], NULL, count_own, (void *)i));
	while (atomic_load(&left) || rounds < 100) {
		ASSERT_EQ(0, write_to(at("0"), O_TRUNC, "other=1\n"));
		rounds++;
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(writer[i], NULL);
		EXPECT_EQ(ADDED, (__u64)fields[i]);
	}
	EXPECT_EQ(1, (__u64)fields[WRITERS]);
	munmap((void *)fields, 4096);
}

/* --- What it means --- */

TEST_F(counters, refused_whole)
{
	self->map = make_map(BPF_MAP_TYPE_HASH, 4, 16, 8, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=b=s16:a=u8:u8{c.s5/d.3}:e=x32:f=u64"));
	ASSERT_EQ(0, write_to(at("1"), O_CREAT, "a=250\nb=-1\nc=15\nd=7\ne=0x1\nf=5\n"));
	/* Each field wraps at its width, and leaves its neighbours alone. */
	ASSERT_EQ(0, write_to(at("1"), O_TRUNC, "a+=10\nb-=-4\nc+=1\nd+=1\nf-=6\n"));
	EXPECT_STREQ("b=3\na=4\nc=-16\nd=0\ne=0x1\nf=18446744073709551615\n", text_of(at("1")));
	/* Of fields that are set and such that are added to, each as it says. */
	ASSERT_EQ(0, write_to(at("1"), O_TRUNC, "a=7 f+=2\n b=2 b+=3 d+=1 d+=1\n"));
	EXPECT_STREQ("b=5\na=7\nc=-16\nd=2\ne=0x1\nf=1\n", text_of(at("1")));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "a+=1\nb+=1\ng+=1\n"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "a+=1\ne+=1\n"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "a+=1\nb+=1x\n"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "a+=256\n"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "a+=1"));
	EXPECT_STREQ("b=5\na=7\nc=-16\nd=2\ne=0x1\nf=1\n", text_of(at("1")));
	EXPECT_EQ(0, sh("test \"$(cat " MNT "/.bpf/error)\" = '"
			"1: there is no field \"g+\" (column 1); nothing was changed\n"
			"1: e: only to a decimal number can be added (column 3); nothing was changed\n"
			"1: b: \"1x\" is not a s16 (column 4); nothing was changed\n"
			"1: a: \"256\" is not a u8 (column 4); nothing was changed\n"
			"1: a: an addition ends in a newline; nothing was changed'"));
	EXPECT_EQ(-EINVAL, write_to(at(".bpf/table"), 0, "1 a+=1 b+=z\n"));
	EXPECT_STREQ("b=5\na=7\nc=-16\nd=2\ne=0x1\nf=1\n", text_of(at("1")));
}

/* A text that comes in pieces adds once, wherever it is cut. */
TEST_F(counters, pieces)
{
	static const char text[] = "a=1 b+=12 c-=3\nb+=100\na+=5\n";
	size_t cut, len = sizeof(text) - 1;
	int fd;

	self->map = make_map(BPF_MAP_TYPE_HASH, 4, 24, 8, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=a=u64:b=u64:c=s64"));
	for (cut = 1; cut < len; cut++) {
		ASSERT_EQ(0, write_to(at("1"), O_CREAT, "a=0\nb=0\nc=0\n"));
		fd = open(at("1"), O_WRONLY);
		ASSERT_EQ(cut, write(fd, text, cut));
		ASSERT_EQ(len - cut, write(fd, text + cut, len - cut));
		close(fd);
		EXPECT_STREQ("a=6\nb=112\nc=-3\n", text_of(at("1"))) TH_LOG("cut at %zu", cut);
	}
}

TEST_F(counters, no_such_element)
{
	self->map = make_map(BPF_MAP_TYPE_HASH, 4, 8, 8, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=a=u64"));
	EXPECT_EQ(-ENOENT, write_to(at("1"), O_CREAT | O_TRUNC, "a+=5\n"));
	EXPECT_EQ(-ENOENT, write_to(at("1"), O_CREAT, "a+=5\n"));
	EXPECT_EQ(-ENOENT, write_to(at(".bpf/table"), 0, "1 a+=5\n"));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(0, sh("test \"$(cat " MNT "/.bpf/error)\" = '"
			"1: there is no such element to add to; no element was made\n"
			"1: there is no such element to add to; no element was made\n"
			"table: line 1: there is no such element to add to; nothing was changed'"));
	/* Set first, it can be made. */
	EXPECT_EQ(0, write_to(at("1"), O_CREAT, "a=4 a+=5\n"));
	EXPECT_STREQ("a=9\n", text_of(at("1")));
	EXPECT_EQ(0, write_to(at(".bpf/table"), 0, "1 a-=5\n2 a=7 a-=1\n1 a-=5\n"));
	EXPECT_STREQ("a=18446744073709551615\n", text_of(at("1")));
	EXPECT_STREQ("a=6\n", text_of(at("2")));
	EXPECT_EQ(0, unlink(at("1")));
}

TEST_F(counters, only_field)
{
	self->map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 2, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64"));
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "+=12\n"));
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "-=5\n"));
	EXPECT_STREQ("7\n", text_of(at("1")));
	EXPECT_EQ(0, write_to(at(".bpf/table"), 0, "0 -=1\n1 +=1\n"));
	EXPECT_EQ(0, sh("test \"$(cat " MNT "/.bpf/table)\" = "
			"'0 18446744073709551615\n1 8'"));
}

/* Where nothing can be added at once, nothing is added at all. */
TEST_F(counters, not_aligned)
{
	struct { __u32 length, data; } key = { 8, htonl(10 << 24) };
	__u8 value[8] = { 5 };

	self->map = make_map(BPF_MAP_TYPE_LPM_TRIE, 8, 8, 8, BPF_F_NO_PREALLOC);
	ASSERT_EQ(0, bpf_map_update_elem(self->map, &key, value, 0));
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=plen:ip4,value=a=u8:b=u32:c=u8:d=be16"));
	EXPECT_EQ(0, write_to(at("10.0.0.0-8"), O_TRUNC, "a+=1\n"));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("10.0.0.0-8"), O_TRUNC, "a+=1\nb+=1\nd+=1\n"));
	EXPECT_STREQ("a=6\nb=0\nc=0\nd=0\n", text_of(at("10.0.0.0-8")));
	ASSERT_EQ(0, sh("umount " MNT));
	close(self->map);

	self->map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 2, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=a=u8:b=u32:c=u8:d=be16"));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("1"), O_TRUNC, "a+=1\nb+=1\n"));
	EXPECT_EQ(0, sh("test \"$(tail -n 1 " MNT "/.bpf/error)\" = '1: the field at byte 1 "
			"is not aligned: nothing can be added to it; nothing was changed'"));
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "a+=1\nd-=1\n"));
	EXPECT_STREQ("a=1\nb=0\nc=0\nd=65535\n", text_of(at("1")));
}

TEST_F(counters, queue)
{
	self->map = make_map(BPF_MAP_TYPE_QUEUE, 0, 8, 8, 0);
	ASSERT_EQ(0, mount_fd(self->map, MNT, "value=a=u64"));
	EXPECT_EQ(-EINVAL, write_to(at("push"), 0, "a+=5\n"));
	EXPECT_STREQ("", text_of(at("peek")));
}

TEST_HARNESS_MAIN
