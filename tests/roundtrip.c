// SPDX-License-Identifier: GPL-2.0-only
/* What is read is what can be written: names, texts, backups, concurrent fields. */
#include "util.h"

#include <pthread.h>
#include <stdatomic.h>

FIXTURE(roundtrip) {
	unsigned int seed;
};

FIXTURE_SETUP(roundtrip)
{
	ASSERT_EQ(0, private_mounts());
	self->seed = getpid();
	srand(self->seed);
}

FIXTURE_TEARDOWN(roundtrip)
{
}

static void fill(void *to, size_t size)
{
	unsigned char *bytes = to;

	while (size--)
		*bytes++ = rand() >> 7;
}

/* --- Values: the text restores the bytes, padding too --- */

TEST_F_TIMEOUT(roundtrip, values, 600)
{
	static const struct {
		const char *layout;
		__u32 size;
	} cases[] = {
		{ "hex", 33 },
		{ "u8:s8:u16:s16:u32:s32:u64:s64", 30 },
		{ "a=be16:b=be32:c=be64:d=x8:e=x16:f=x32:g=x64", 29 },
		{ "a=bool:b=bool[3]:c=str5:d=str3[2]:e=hex7", 22 },
		{ "a=ip4:b=ip6:c=mac:d=mac[2]", 38 },
		{ "a=u8:pad3:b=u32:pad7:c=u8", 16 },
		{ "s={x=u32:pad4:y=u64}:t={z=u8:pad1:w=u16}[3]", 28 },
		{ "m=u16[2][3][4]:n={p=s8[2]:q=be16}[2][2]", 64 },
		{ "k=u32{A=0/B=1/C=4294967295}:l=s8{M=-1/Z=0}:pad3", 8 },
		{ "f=u16{a.1/b.3/.4/c.8}:g=s32{h.31/i.1}:u8{j.4/.4}", 7 },
		{ "f=be32{a.5/.20/b.7}:g=x64{h.64}", 12 },
	};
	unsigned char value[64], is[64];
	char options[256];
	size_t i, round;
	__u32 key = 1;
	int map;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		map = make_map(BPF_MAP_TYPE_HASH, 4, cases[i].size, 4, 0);
		ASSERT_LE(0, map);
		snprintf(options, sizeof(options), "key=u32,value=%s", cases[i].layout);
		ASSERT_EQ(0, mount_fd(map, MNT, options)) TH_LOG("%s: %s", options, refusal);
		for (round = 0; round < 2; round++) {
			fill(value, cases[i].size);
			if (!round)
				memset(value, 0, sizeof(value));
			ASSERT_EQ(0, bpf_map_update_elem(map, &key, value, 0));
			ASSERT_EQ(0, sh("cat " MNT "/1 > /tmp/x && rm " MNT "/1 && "
					"cat /tmp/x > " MNT "/1"));
			ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, is));
			EXPECT_EQ(0, memcmp(value, is, cases[i].size))
				TH_LOG("%s: %s", options, text_of("/tmp/x"));
			ASSERT_EQ(0, sh("cat " MNT "/.bpf/table > /tmp/t && rm " MNT "/1 && "
					"cat /tmp/t > " MNT "/.bpf/table"));
			ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, is));
			EXPECT_EQ(0, memcmp(value, is, cases[i].size))
				TH_LOG("%s: %s", options, text_of("/tmp/t"));
		}
		ASSERT_EQ(0, umount(MNT));
		close(map);
	}
}

/* --- Backups --- */

static void backup(struct __test_metadata *_metadata, const char *options, __u32 value_size,
		   const char *command)
{
	enum { N = 20 };
	unsigned char *values = malloc((size_t)N * value_size), *is = malloc(value_size);
	int map = make_map(BPF_MAP_TYPE_HASH, 4, value_size, N, 0);
	__u32 i;

	ASSERT_LE(0, map);
	fill(values, (size_t)N * value_size);
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, bpf_map_update_elem(map, &i, values + i * value_size, 0));
	ASSERT_EQ(0, mount_fd(map, MNT, options));
	EXPECT_EQ(0, sh("rm -rf /tmp/backup; cd " MNT " && %s", command));
	EXPECT_EQ(N, count_names(MNT));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, bpf_map_lookup_elem(map, &i, is));
		EXPECT_EQ(0, memcmp(values + i * value_size, is, value_size));
	}
	ASSERT_EQ(0, umount(MNT));
	close(map);
	free(values);
	free(is);
}

static const char * const backups[] = {
	"cp -r . /tmp/backup && rm * && test -z \"$(ls)\" && cp /tmp/backup/* .",
	"tar cf /tmp/backup . && rm * && tar x --overwrite -f /tmp/backup",
	"tar cf /tmp/backup . && tar x --overwrite -f /tmp/backup",
	"tar cf /tmp/backup . && tar xf /tmp/backup",
	"rsync -a ./ /tmp/backup/ && rm * && rsync -a --inplace /tmp/backup/ ./",
	"cat .bpf/table > /tmp/backup && rm * && cat /tmp/backup > .bpf/table",
	"cat .bpf/raw > /tmp/backup && rm * && cat /tmp/backup > .bpf/raw",
};

TEST_F_TIMEOUT(roundtrip, small_backups, 600)
{
	size_t i;

	for (i = 0; i < sizeof(backups) / sizeof(*backups); i++)
		backup(_metadata, "key=u32,value=a=u64:b=str7:pad1:c=u16[4]", 24, backups[i]);
}

/* Values of 40 KiB of text and more. */
TEST_F_TIMEOUT(roundtrip, large_backups, 600)
{
	size_t i;

	for (i = 0; i < sizeof(backups) / sizeof(*backups); i++) {
		backup(_metadata, "key=u32", 20480, backups[i]);
		backup(_metadata, "key=u32,value=a=u32[2560]:s=str10240", 20480, backups[i]);
	}
}

/* --- Names --- */

/* Each listed name, unquoted, opens its file; all of them can be removed. */
static void odd_names(struct __test_metadata *_metadata, const char *options, __u32 key_size,
		      const void *keys, unsigned int count)
{
	int map = make_map(BPF_MAP_TYPE_HASH, key_size, 8, count, 0);
	unsigned char key[256];
	unsigned int i;
	__u64 value;

	ASSERT_LE(0, map);
	for (i = 0; i < count; i++) {
		value = i;
		ASSERT_EQ(0, bpf_map_update_elem(map, (char *)keys + i * key_size, &value, 0));
	}
	ASSERT_EQ(0, mount_fd(map, MNT, options)) TH_LOG("%s: %s", options, refusal);
	EXPECT_EQ(count, count_names(MNT));
	EXPECT_EQ(0, sh("cd " MNT " && for i in $(ls); do eval \"cat $i\" || exit 1; done > /tmp/x"));
	EXPECT_EQ(0, sh("test $(sort -u /tmp/x | wc -l) = %u", count));
	EXPECT_EQ(0, sh("cd " MNT " && ls | xargs ls > /tmp/a && ls > /tmp/b && cmp /tmp/a /tmp/b"));
	EXPECT_EQ(0, sh("cd " MNT " && ls | head -n 1 | xargs rm"));
	EXPECT_EQ(count - 1, count_names(MNT));
	EXPECT_EQ(0, sh("cd " MNT " && ls | xargs rm"));
	EXPECT_EQ(0, count_names(MNT));
	memset(key, 0, sizeof(key));
	EXPECT_NE(0, bpf_map_get_next_key(map, NULL, key));
	ASSERT_EQ(0, umount(MNT));
	close(map);
}

TEST_F(roundtrip, odd_strings)
{
	static const char keys[][8] = {
		"a/b", ".", "..", "-rf", "new\nlin", "a blank", "100%", "\xff\xfe", "nu\0l", "",
		"\0x", "a,b", "~a", "$HOME", "'q\"", "*", "a\\b", "tab\tx", ".bpf", "eightch",
	};

	odd_names(_metadata, "key=str8", 8, keys, sizeof(keys) / 8);
}

TEST_F(roundtrip, odd_padding)
{
	static const unsigned char keys[][8] = {
		{ 1, 0, 0, 0, 5 }, { 1, 1, 0, 0, 5 }, { 1, 0, 0, 255, 5 }, { 2, 0, 0, 0, 5 },
	};

	odd_names(_metadata, "key=u8:pad3:u32", 8, keys, 4);
}

TEST_F(roundtrip, odd_numbers)
{
	static const __s64 keys[] = {
		0, -1, 1, INT64_MIN, INT64_MAX, 1LL << 53, -(1LL << 53) - 1,
	};
	static const __u32 enums[] = { 0, 1, 2, 77, 4294967295U };

	odd_names(_metadata, "key=s64", 8, keys, 7);
	odd_names(_metadata, "key=u32{TCP=1/UDP=2}", 4, enums, 5);
	odd_names(_metadata, "key=u16{a.1/b.3/.12}:x16", 4, enums, 5);
}

/* Only the one spelling names a key. */
TEST_F(roundtrip, other_spellings)
{
	static const char * const names[] = {
		"10.0.0.01,443", "10.0.0.1,0443", "10.0.0.1,0x1bb", "10.0.0.1", "10.0.0.1,443,",
		",443", "10.0.0.1,443~00", "10.0.0.1,+443", "%31%30.0.0.1,443", "10.0.0.1,443%00",
	};
	const unsigned char key[8] = { 10, 0, 0, 1, 1, 187 };
	int map = make_map(BPF_MAP_TYPE_HASH, 6, 8, 4, 0);
	__u64 value = 1;
	size_t i;

	ASSERT_EQ(0, bpf_map_update_elem(map, key, &value, 0));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=ip4:be16"));
	EXPECT_TRUE(file_exists(at("10.0.0.1,443")));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		EXPECT_FALSE(file_exists(at("%s", names[i]))) TH_LOG("%s", names[i]);
}

/* --- A field beside one that a program counts --- */

#define INSN(...)	{ __VA_ARGS__ }

/* ((struct { u64 packets, bytes; } *)lookup(map, 1))->bytes += 1, atomically. */
static int make_counter(int map)
{
	const struct bpf_insn insns[] = {
		INSN(.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = 1),
		INSN(.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1,
		     .src_reg = BPF_PSEUDO_MAP_FD, .imm = map),
		INSN(.code = 0),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10),
		INSN(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4),
		INSN(.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem),
		INSN(.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2, .imm = 0),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1),
		INSN(.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1, .off = 8,
		     .imm = BPF_ADD),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "count", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

static atomic_bool stop;

struct counting {
	int prog;
	__u64 runs;
};

static void *count(void *arg)
{
	struct counting *counting = arg;
	char packet[64] = {};

	while (!stop) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet,
			    .data_size_in = sizeof(packet), .repeat = 1000);

		if (!bpf_prog_test_run_opts(counting->prog, &run))
			counting->runs += 1000;
	}
	return NULL;
}

static void lose_nothing(struct __test_metadata *_metadata, enum bpf_map_type type)
{
	int map = make_map(type, 4, 16, 4, 0);
	struct counting counting = {};
	__u64 value[2] = { 5, 0 };
	pthread_t thread;
	__u32 key = 1;
	long i;
	int fd;

	ASSERT_EQ(0, bpf_map_update_elem(map, &key, value, 0));
	counting.prog = make_counter(map);
	ASSERT_LE(0, counting.prog);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=packets=u64:bytes=u64"));
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, count, &counting));
	for (i = scaled(10000); i; i--) {
		fd = open(at("1"), O_WRONLY | O_TRUNC);
		EXPECT_EQ(10, write(fd, "packets=0\n", 10));
		close(fd);
	}
	stop = true;
	pthread_join(thread, NULL);
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, value));
	EXPECT_LT(0ULL, counting.runs);
	EXPECT_EQ(0ULL, value[0]);
	EXPECT_EQ(counting.runs, value[1]);
	ASSERT_EQ(0, umount(MNT));
}

TEST_F_TIMEOUT(roundtrip, no_increment_is_lost, 600)
{
	lose_nothing(_metadata, BPF_MAP_TYPE_HASH);
	lose_nothing(_metadata, BPF_MAP_TYPE_ARRAY);
}

/* --- Refusals of layouts --- */

TEST_F(roundtrip, refused_layouts)
{
	static const struct {
		const char *options;
		int err;
		const char *why;
	} cases[] = {
		{ "key=u16", EINVAL, "key: the layout covers 2 of 4 bytes; add \":hex2\", or use key=auto" },
		{ "key=u64", EINVAL, "key: the layout covers 8 bytes, the key has 4" },
		{ "key=u33", EINVAL, "key: unknown type \"u33\" (column 1)" },
		{ "key=u8[x]", EINVAL, "key: a count is missing (column 4)" },
		{ "key=u8[0]", EINVAL, "key: bad count" },
		{ "key=u8[99999999999]", EINVAL, "key: bad count" },
		{ "value={{{{{{{{{{{{{{{{{u64}}}}}}}}}}}}}}}}}", E2BIG,
		  "value: more than 16 groups in one another" },
		{ "value=a=u32:a=u32", EINVAL, "value: a field of this name exists already (column 7)" },
		{ "value=u32{A=5000000000}:u32", EINVAL, "is not a u32" },
		{ "value=u8{a.9}:hex7", EINVAL, "more bits than the 8 of a u8" },
		{ "value=u8{a.7}:hex7", EINVAL, "7 of 8 bits; add \"/.1\"" },
		{ "value=u64:", EINVAL, "a type expected at the end" },
	};
	int map = make_hash(1), wide = make_map(BPF_MAP_TYPE_HASH, 4097, 8, 1, 0);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		EXPECT_EQ(-cases[i].err, mount_fd(map, MNT, cases[i].options))
			TH_LOG("%s", cases[i].options);
		EXPECT_NE(NULL, strstr(refusal, cases[i].why))
			TH_LOG("%s: %s", cases[i].options, refusal);
	}
	EXPECT_EQ(-ENAMETOOLONG, mount_fd(wide, MNT, "key=str4097"));
	EXPECT_NE(NULL, strstr(refusal, "a key of more than 4096 bytes has no names"))
		TH_LOG("%s", refusal);
}

TEST_HARNESS_MAIN
