// SPDX-License-Identifier: GPL-2.0-only
/* .bpf/raw: a map as a stream, copied, resized, and refused. */
#include <sys/resource.h>

#include "util.h"

#include <bpf/libbpf.h>

#define OTHER	"/tmp/other"

FIXTURE(stream) {
	int from;
	int to;
	__u32 value;
};

FIXTURE_VARIANT(stream) {
	enum bpf_map_type type;
	__u32 key;
	__u32 value;
	__u32 flags;
	__u32 elements;
	bool per_cpu;
};

FIXTURE_VARIANT_ADD(stream, hash) {
	.type = BPF_MAP_TYPE_HASH, .key = 4, .value = 12, .elements = 20000,
};
FIXTURE_VARIANT_ADD(stream, hash_of_odd_keys) {
	.type = BPF_MAP_TYPE_HASH, .key = 7, .value = 5, .elements = 3000,
};
FIXTURE_VARIANT_ADD(stream, lru_hash) {
	.type = BPF_MAP_TYPE_LRU_HASH, .key = 4, .value = 16, .elements = 1000,
};
FIXTURE_VARIANT_ADD(stream, array) {
	.type = BPF_MAP_TYPE_ARRAY, .key = 4, .value = 12, .elements = 5000,
};
FIXTURE_VARIANT_ADD(stream, percpu_hash) {
	.type = BPF_MAP_TYPE_PERCPU_HASH, .key = 4, .value = 12, .elements = 2000,
	.per_cpu = true,
};
FIXTURE_VARIANT_ADD(stream, percpu_array) {
	.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key = 4, .value = 8, .elements = 2000,
	.per_cpu = true,
};
FIXTURE_VARIANT_ADD(stream, lru_percpu_hash) {
	.type = BPF_MAP_TYPE_LRU_PERCPU_HASH, .key = 4, .value = 8, .elements = 1000,
	.per_cpu = true,
};
FIXTURE_VARIANT_ADD(stream, lpm_trie) {
	.type = BPF_MAP_TYPE_LPM_TRIE, .key = 8, .value = 8, .flags = BPF_F_NO_PREALLOC,
	.elements = 2000,
};

static __u32 elements_of(const FIXTURE_VARIANT(stream) *variant)
{
	return scaled(variant->elements);
}

static void fill_key(enum bpf_map_type type, __u32 i, unsigned char *key)
{
	const __u32 prefix = 32;

	memset(key, 0, 16);
	if (type == BPF_MAP_TYPE_LPM_TRIE) {
		memcpy(key, &prefix, 4);
		key[4] = 10;
		key[6] = i >> 8;
		key[7] = i;
	} else {
		memcpy(key, &i, 4);
	}
}

/* Bytes of all copies that bpf(2) gives and takes. */
static __u32 all_bytes(const FIXTURE_VARIANT(stream) *variant)
{
	return variant->per_cpu ? (variant->value + 7) / 8 * 8 * libbpf_num_possible_cpus() :
				  variant->value;
}

/* Of a per-CPU value, the padding between copies is not kept. */
static void fill_value(const FIXTURE_VARIANT(stream) *variant, __u32 i, unsigned char *value)
{
	__u32 stride = (variant->value + 7) / 8 * 8, n;

	memset(value, 0, 256);
	for (n = 0; n < all_bytes(variant); n++)
		if (!variant->per_cpu || n % stride < variant->value)
			value[n] = i * 7 + n;
}

static int make_like(const FIXTURE_VARIANT(stream) *variant, __u32 entries)
{
	return make_map(variant->type, variant->key, variant->value, entries, variant->flags);
}

FIXTURE_SETUP(stream)
{
	bool evicts = variant->type == BPF_MAP_TYPE_LRU_HASH ||
		      variant->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	__u32 elements = elements_of(variant);
	__u32 entries = evicts ? 8 * elements : elements;
	unsigned char key[16], value[256];
	__u32 i;

	ASSERT_EQ(0, private_mounts());
	mkdir(OTHER, 0755);
	self->from = make_like(variant, entries);
	ASSERT_LE(0, self->from);
	/* A resized copy. */
	self->to = make_like(variant, 2 * entries);
	ASSERT_LE(0, self->to);
	for (i = 0; i < elements; i++) {
		fill_key(variant->type, i, key);
		fill_value(variant, i, value);
		ASSERT_EQ(0, bpf_map_update_elem(self->from, key, value, BPF_ANY));
	}
	ASSERT_EQ(0, mount_fd(self->from, MNT, ""));
	ASSERT_EQ(0, mount_fd(self->to, OTHER, ""));
}

FIXTURE_TEARDOWN(stream)
{
}

/* How many elements of @to are not as they were written? */
static long differences(const FIXTURE_VARIANT(stream) *variant, int to)
{
	unsigned char key[16], value[256], is[256];
	__u32 elements = elements_of(variant), i;
	long wrong = 0;

	for (i = 0; i < elements; i++) {
		fill_key(variant->type, i, key);
		fill_value(variant, i, value);
		memset(is, 0, sizeof(is));
		if (bpf_map_lookup_elem(to, key, is) || memcmp(value, is, all_bytes(variant)))
			wrong++;
	}
	return wrong;
}

TEST_F(stream, copy)
{
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/raw > " OTHER "/.bpf/raw"));
	EXPECT_EQ(0, differences(variant, self->to));
	if (variant->type == BPF_MAP_TYPE_ARRAY || variant->type == BPF_MAP_TYPE_PERCPU_ARRAY)
		return;
	EXPECT_EQ(elements_of(variant), count_names(OTHER));
}

/* As text, and by two that read at once, one of whom gives up in the middle. */
TEST_F(stream, copy_of_the_table)
{
	EXPECT_EQ(0, sh("head -c 300000 " MNT "/.bpf/table > /tmp/part & "
			"cat " MNT "/.bpf/table > " OTHER "/.bpf/table && wait $! && "
			"cat " MNT "/.bpf/table | cmp -n $(stat -c %%s /tmp/part) - /tmp/part"));
	EXPECT_EQ(0, sh("rm /tmp/part"));
	EXPECT_EQ(0, differences(variant, self->to));
}

/* Whatever the sizes of reads and writes are. */
TEST_F(stream, copy_in_odd_pieces)
{
	EXPECT_EQ(0, sh("dd if=" MNT "/.bpf/raw bs=5000 2> /dev/null | "
			"dd of=" OTHER "/.bpf/raw iflag=fullblock bs=777 2> /dev/null"));
	EXPECT_EQ(0, differences(variant, self->to));
}

/* The processes that write it may come and go. */
TEST_F(stream, copy_by_several)
{
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/raw > /tmp/raw && "
			"(head -c 100 /tmp/raw 2> /dev/null; tail -c +101 /tmp/raw) > " OTHER "/.bpf/raw && "
			"rm /tmp/raw"));
	EXPECT_EQ(0, differences(variant, self->to));
}

TEST_F(stream, truncated)
{
	ASSERT_EQ(0, sh("cat " MNT "/.bpf/raw > /tmp/raw"));
	EXPECT_NE(0, sh("head -c -1 /tmp/raw > /tmp/cut; cat /tmp/cut > " OTHER "/.bpf/raw 2> /dev/null"));
	EXPECT_EQ(0, sh("grep -q 'raw: the stream ends before its end; %u elements were "
			"stored before' " OTHER "/.bpf/error", elements_of(variant)));
	EXPECT_NE(0, sh("head -c 100 /tmp/raw > /tmp/cut; cat /tmp/cut > " OTHER "/.bpf/raw 2> /dev/null"));
	EXPECT_EQ(0, sh("rm /tmp/raw /tmp/cut"));
}

TEST_F(stream, damaged)
{
	ASSERT_EQ(0, sh("cat " MNT "/.bpf/raw > /tmp/raw"));
	/* The magic of the first block, and the count of the trailer. */
	EXPECT_NE(0, sh("(head -c 64 /tmp/raw; printf XXXX; tail -c +69 /tmp/raw) > /tmp/bad; "
			"cat /tmp/bad > " OTHER "/.bpf/raw 2> /dev/null"));
	EXPECT_EQ(0, sh("grep -q 'raw: the stream is damaged; 0 elements' " OTHER "/.bpf/error"));
	EXPECT_NE(0, sh("(head -c -8 /tmp/raw; printf '\\1\\0\\0\\0\\0\\0\\0\\0') > /tmp/bad; "
			"cat /tmp/bad > " OTHER "/.bpf/raw 2> /dev/null"));
	EXPECT_NE(0, sh("echo hello > " OTHER "/.bpf/raw 2> /dev/null"));
	EXPECT_EQ(0, sh("rm /tmp/raw /tmp/bad"));
}

TEST_F(stream, other_shape)
{
	int other = make_map(variant->type, variant->key, variant->value + 1, 10, variant->flags);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, umount(OTHER));
	ASSERT_EQ(0, mount_fd(other, OTHER, ""));
	EXPECT_NE(0, sh("cat " MNT "/.bpf/raw > " OTHER "/.bpf/raw 2> /dev/null"));
	EXPECT_EQ(0, sh("grep -q 'the map has' " OTHER "/.bpf/error"));
}

TEST_F(stream, too_many)
{
	int other = make_like(variant, elements_of(variant) / 2);

	if (variant->type == BPF_MAP_TYPE_LRU_HASH ||
	    variant->type == BPF_MAP_TYPE_LRU_PERCPU_HASH)
		SKIP(return, "never full");
	ASSERT_LE(0, other);
	ASSERT_EQ(0, umount(OTHER));
	ASSERT_EQ(0, mount_fd(other, OTHER, ""));
	EXPECT_NE(0, sh("cat " MNT "/.bpf/raw > " OTHER "/.bpf/raw 2> /dev/null"));
	EXPECT_EQ(0, sh("grep -q '%u elements were stored before' " OTHER "/.bpf/error",
			elements_of(variant) / 2));
}

TEST_F(stream, only_in_sequence)
{
	int fd = open(at(".bpf/raw"), O_RDWR);
	char buf[8];

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pread(fd, buf, 8, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(0, read(fd, buf, 0));
	EXPECT_EQ(8, read(fd, buf, 8));
	EXPECT_EQ(0, memcmp(buf, "bpffsraw", 8));
	close(fd);
}

/* A buffer may be smaller than what the map gives at once. */
TEST_F(stream, read_in_small_pieces)
{
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/raw > /tmp/raw; "
			"head -c 40 " MNT "/.bpf/raw | cmp -n 40 - /tmp/raw"));
	EXPECT_EQ(0, sh("rm /tmp/raw; dd if=" MNT "/.bpf/raw bs=13 2> /dev/null > " OTHER "/.bpf/raw"));
	EXPECT_EQ(0, differences(variant, self->to));
	/* And a larger one after smaller ones. */
	EXPECT_EQ(0, sh("(dd bs=7 count=20; dd bs=1M) 2> /dev/null < " MNT "/.bpf/raw > "
			OTHER "/.bpf/raw"));
	EXPECT_EQ(0, differences(variant, self->to));
}

/* One of these values fills a batch; where a bucket has several, there is a larger one. */
TEST(values_as_large_as_a_batch)
{
	static unsigned char value[100000];
	unsigned char key[4] = {};
	int map, to;

	ASSERT_EQ(0, private_mounts());
	map = make_map(BPF_MAP_TYPE_HASH, sizeof(key), sizeof(value), 16, 0);
	ASSERT_LE(0, map);
	to = make_map(BPF_MAP_TYPE_HASH, sizeof(key), sizeof(value), 16, 0);
	ASSERT_LE(0, to);
	for (; key[0] < 16; key[0]++) {
		value[0] = key[0];
		ASSERT_EQ(0, bpf_map_update_elem(map, key, value, BPF_ANY));
	}
	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	EXPECT_EQ(0, sh("cut -c 1-11 " MNT "/.bpf/table | sort -u |"
			"grep -c '^\\(0.\\)000000 \\1$' | grep -qx 16"));
	EXPECT_EQ(0, sh("wc -l < " MNT "/.bpf/table | grep -qx 16"));
	/* Nor has a reader room for more of them. */
	mkdir(OTHER, 0755);
	ASSERT_EQ(0, mount_fd(to, OTHER, ""));
	EXPECT_EQ(0, sh("dd if=" MNT "/.bpf/raw bs=120000 2> /dev/null > " OTHER "/.bpf/raw"));
	EXPECT_EQ(0, sh("sort " MNT "/.bpf/table > /tmp/table; "
			"sort " OTHER "/.bpf/table | cmp - /tmp/table"));
	EXPECT_EQ(0, sh("rm /tmp/table"));
}

/* What a small buffer does not take is kept in the reader's memory, which has its limit. */
TEST_F(stream, small_pieces_without_memory)
{
	struct rlimit limit, none;
	char header[64], buf[8];
	int fd;

	if (is_fuse())
		SKIP(return, "kept in bpffs-fuse's memory");
	fd = open(at(".bpf/raw"), O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(sizeof(header), read(fd, header, sizeof(header)));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	/* It has no end, by which who gets it knows. */
	EXPECT_EQ(0, read(fd, buf, sizeof(buf)));
	close(fd);
}

TEST_HARNESS_MAIN
