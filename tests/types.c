// SPDX-License-Identifier: GPL-2.0-only
/* Each type of map: what it lists, reads, writes, makes and deletes. */
#include "util.h"

#include <arpa/inet.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/statfs.h>

static bool has_elem_count(void)
{
	struct statfs fs;
	int map = make_hash(8);
	bool has;

	mount_fd(map, MNT, "");
	has = !statfs(MNT, &fs) && fs.f_files;
	umount(MNT);
	close(map);
	return has;
}

FIXTURE(types) {
	int cpus;
};

FIXTURE_SETUP(types)
{
	ASSERT_EQ(0, private_mounts());
	self->cpus = libbpf_num_possible_cpus();
	ASSERT_EQ(2, self->cpus);
}

FIXTURE_TEARDOWN(types)
{
}

static const char *error_log(void)
{
	return text_of(at(".bpf/error"));
}

/* .bpf/count is what ls counts. */
static bool count_agrees(void)
{
	return count_names(MNT) == atol(text_of(at(".bpf/count")));
}

/* "cpu0 cpu1", or "none". */
static const char *each(int map, __u32 key)
{
	static char text[64];
	__u64 values[2];

	if (bpf_map_lookup_elem(map, &key, values))
		return "none";
	snprintf(text, sizeof(text), "%llu %llu", values[0], values[1]);
	return text;
}

static int put_each(int map, __u32 key, __u64 cpu0, __u64 cpu1)
{
	__u64 values[2] = { cpu0, cpu1 };

	return bpf_map_update_elem(map, &key, values, BPF_ANY);
}

/* --- Per CPU --- */

static int make_outer(enum bpf_map_type type, int inner)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = inner);

	return bpf_map_create(type, "outer", 4, 4, 8, &opts);
}

static int put_inner(int outer, __u32 key, int inner)
{
	return bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
}

TEST_F(types, percpu_hash)
{
	int map = make_map(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 4, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, put_each(map, 1, 10, 20));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=u64"));
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_TRUE(count_agrees());
	EXPECT_STREQ("cpu0=10\ncpu1=20\n", text_of(at("1")));
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "cpu1=0"));
	EXPECT_STREQ("10 0", each(map, 1));
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "cpu1=5\ncpu0=6\n"));
	EXPECT_STREQ("6 5", each(map, 1));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "cpu2=5\n"));
	EXPECT_EQ(0, write_to(at("2"), O_CREAT, "cpu0=7\ncpu1=8\n"));
	EXPECT_STREQ("7 8", each(map, 2));
	/* A new one needs a value for every CPU; touch gives zeros. */
	EXPECT_EQ(0, write_to(at("3"), O_CREAT | O_TRUNC, "cpu1=8\n"));
	EXPECT_STREQ("none", each(map, 3));
	EXPECT_EQ(0, sh("touch " MNT "/3"));
	EXPECT_STREQ("0 0", each(map, 3));
	EXPECT_EQ(-EEXIST, write_to(at("3"), O_CREAT | O_EXCL, "cpu0=7\ncpu1=8\n"));
	EXPECT_EQ(0, unlink(at("3")));
	EXPECT_STREQ("none", each(map, 3));
	EXPECT_EQ(0, write_to(at("3"), O_CREAT, "cpu0=7\ncpu1=8\n"));
	EXPECT_EQ(0, write_to(at("4"), O_CREAT, "cpu0=7\ncpu1=8\n"));
	EXPECT_EQ(-ENOSPC, write_to(at("5"), O_CREAT, "cpu0=7\ncpu1=8\n"));
	EXPECT_EQ(0, sh("grep -qx '1 cpu0=6 cpu1=5' " MNT "/.bpf/table"));
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/table > /tmp/t && rm " MNT "/* && "
			"cat /tmp/t > " MNT "/.bpf/table"));
	EXPECT_STREQ("6 5", each(map, 1));
	EXPECT_EQ(4, count_names(MNT));
}

TEST_F(types, percpu_sum)
{
	int map = make_map(BPF_MAP_TYPE_PERCPU_HASH, 4, 16, 4, 0);
	__u64 values[4] = { 1, 2, 30, 40 };
	__u32 key = 1;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, bpf_map_update_elem(map, &key, values, 0));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=n=u64:flags=x64,percpu=sum"));
	/* Numbers are added up, flags are those of the first CPU. */
	EXPECT_STREQ("n=31\nflags=0x2\n", text_of(at("1")));
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "n=5"));
	EXPECT_STREQ("n=5\nflags=0x2\n", text_of(at("1")));
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, values));
	EXPECT_EQ(5ULL, values[0]);
	EXPECT_EQ(0ULL, values[2]);
	EXPECT_EQ(40ULL, values[3]);
	EXPECT_EQ(0, write_to(at("2"), O_CREAT, "n=9 flags=1\n"));
	key = 2;
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, values));
	EXPECT_EQ(9ULL, values[0]);
	EXPECT_EQ(1ULL, values[1]);
	EXPECT_EQ(0ULL, values[2]);
	EXPECT_EQ(0, sh("grep -qx '2 n=9 flags=0x1' " MNT "/.bpf/table"));
}

/* All that is shown is accepted back. */
TEST_F(types, percpu_sum_is_shown)
{
	int map = make_map(BPF_MAP_TYPE_PERCPU_HASH, 4, 16, 4, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=n=u64:flags=x64,percpu=sum"));
	EXPECT_EQ(0, sh("grep -q 'key=u32,percpu=sum' /proc/self/mounts"));
	EXPECT_EQ(0, sh("mount -o remount,ro " MNT));
	EXPECT_NE(0, sh("mount -i -o remount,percpu=each " MNT " 2> /dev/null"));
}

TEST_F(types, percpu_sum_of_inner_maps)
{
	int inner = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 2, 0);
	int outer;

	ASSERT_LE(0, inner);
	outer = make_outer(BPF_MAP_TYPE_ARRAY_OF_MAPS, inner);
	ASSERT_LE(0, outer);
	ASSERT_EQ(0, put_inner(outer, 1, inner));
	ASSERT_EQ(0, put_each(inner, 1, 3, 4));
	ASSERT_EQ(0, mount_fd(outer, MNT, "key=u32,inner_key=u32,percpu=sum"));
	EXPECT_EQ(0, sh("cat " MNT "/1/1 > /dev/null"));
}

TEST_F(types, percpu_refused_elsewhere)
{
	int map = make_hash(1);

	EXPECT_EQ(-EINVAL, mount_fd(map, MNT, "percpu=sum"));
	EXPECT_NE(NULL, strstr(refusal, "percpu: a value of this map is not per CPU"));
	map = make_map(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 1, 0);
	EXPECT_EQ(-EINVAL, mount_fd(map, MNT, "value=u32:u32"));
	EXPECT_NE(NULL, strstr(refusal, "fields of a per-CPU value need names"));
	EXPECT_EQ(-EINVAL, mount_fd(map, MNT, "percpu=all"));
}

TEST_F(types, percpu_array)
{
	int map = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, put_each(map, 1, 10, 20));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=u64"));
	EXPECT_EQ(4, count_names(MNT));
	EXPECT_TRUE(count_agrees());
	EXPECT_STREQ("cpu0=10\ncpu1=20\n", text_of(at("1")));
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "cpu0=3\n"));
	EXPECT_STREQ("3 20", each(map, 1));
	EXPECT_EQ(0, write_to(at("2"), O_TRUNC, "cpu0=3 cpu1=4\n"));
	EXPECT_STREQ("3 4", each(map, 2));
	EXPECT_EQ(EPERM, errno_of(unlink(at("1"))));
	EXPECT_EQ(-ERANGE, write_to(at("4"), O_CREAT, "cpu0=3 cpu1=4\n"));
}

TEST_F(types, lru_percpu_hash)
{
	int map = make_map(BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 1000, 0);
	int i;

	ASSERT_LE(0, map);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, put_each(map, i, 10, 20));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=u64"));
	EXPECT_EQ(100, count_names(MNT));
	EXPECT_TRUE(count_agrees());
	EXPECT_TRUE(file_exists(at("1")));
	EXPECT_TRUE(file_exists(at("99")));
	EXPECT_FALSE(file_exists(at("100")));
	EXPECT_EQ(0, sh("ls -l " MNT " > /dev/null"));
	/* A lookup would count as use. */
	EXPECT_STREQ("read: Operation not supported", text_of(at("1")));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("1"), O_TRUNC, "cpu0=3\n"));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("200"), O_CREAT, "cpu0=3\n"));
	EXPECT_STREQ("10 20", each(map, 1));
	EXPECT_EQ(0, unlink(at("1")));
	EXPECT_STREQ("none", each(map, 1));
	EXPECT_EQ(99, count_names(MNT));
	EXPECT_EQ(0, sh("grep -cx '2 cpu0=10 cpu1=20' " MNT "/.bpf/table > /dev/null && "
			"test $(wc -l < " MNT "/.bpf/table) = 99"));
	EXPECT_EQ(0, write_to(at(".bpf/table"), 0, "1 cpu0=7 cpu1=8\n2 cpu0=9 cpu1=9\n"));
	EXPECT_STREQ("7 8", each(map, 1));
	EXPECT_STREQ("9 9", each(map, 2));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at(".bpf/table"), 0, "2 cpu0=3\n"));
	EXPECT_STREQ("9 9", each(map, 2));
	EXPECT_EQ(100, count_names(MNT));
}

/* --- What evicts --- */

#define FULL	1000

/* Rewritten by file, table and raw: a full map keeps every element. */
static void keeps_all(struct __test_metadata *_metadata, enum bpf_map_type type, bool files)
{
	int map = make_map(type, 4, 8, FULL, 0);
	long names;
	__u32 key;

	ASSERT_LE(0, map);
	for (key = 0; key < FULL; key++)
		ASSERT_EQ(0, put_each(map, key, 10, 20));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=u64"));
	names = count_names(MNT);
	ASSERT_LT(0, names);
	ASSERT_EQ(0, sh("ls " MNT " | sort > /tmp/before"));
	if (files)
		EXPECT_EQ(0, sh("cd " MNT " && for f in *; do echo 5 > $f || exit; done"));
	EXPECT_EQ(0, sh("ls " MNT " | sort | cmp - /tmp/before"));
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/table > /tmp/table && "
			"cat /tmp/table > " MNT "/.bpf/table"));
	EXPECT_EQ(0, sh("ls " MNT " | sort | cmp - /tmp/before"));
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/raw > /tmp/raw && cat /tmp/raw > " MNT "/.bpf/raw"));
	EXPECT_EQ(0, sh("ls " MNT " | sort | cmp - /tmp/before"));
	EXPECT_STREQ("", text_of(at(".bpf/error")));
	EXPECT_EQ(names, count_names(MNT));
	umount(MNT);
	close(map);
}

/* Into a smaller one not all can come, and that is said. */
static void says_what_is_evicted(struct __test_metadata *_metadata, enum bpf_map_type type)
{
	int map = make_map(type, 4, 8, FULL / 2, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=u64"));
	EXPECT_NE(0, sh("cat /tmp/raw > " MNT "/.bpf/raw 2> /dev/null"));
	EXPECT_EQ(0, sh("grep -q '^raw: .*evicts' " MNT "/.bpf/error"));
	EXPECT_EQ(0, sh("rm -f " MNT "/*"));
	EXPECT_NE(0, sh("cat /tmp/table > " MNT "/.bpf/table 2> /dev/null"));
	EXPECT_EQ(0, sh("grep -q '^table: .*evicts' " MNT "/.bpf/error"));
	EXPECT_LT(0, count_names(MNT));
	umount(MNT);
	close(map);
}

TEST_F(types, lru_hash_keeps)
{
	keeps_all(_metadata, BPF_MAP_TYPE_LRU_HASH, true);
	says_what_is_evicted(_metadata, BPF_MAP_TYPE_LRU_HASH);
}

TEST_F(types, lru_percpu_hash_keeps)
{
	keeps_all(_metadata, BPF_MAP_TYPE_LRU_PERCPU_HASH, false);
	says_what_is_evicted(_metadata, BPF_MAP_TYPE_LRU_PERCPU_HASH);
}

/* --- Prefixes --- */

struct prefix {
	__u32 len;
	unsigned char addr[4];
};

static int put_prefix(int map, int len, int a, int b, int c, int d, __u64 value)
{
	struct prefix key = { len, { a, b, c, d } };

	return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

TEST_F(types, lpm_trie)
{
	int map = make_map(BPF_MAP_TYPE_LPM_TRIE, 8, 8, 16, BPF_F_NO_PREALLOC);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, put_prefix(map, 8, 10, 1, 2, 3, 5));
	ASSERT_EQ(0, put_prefix(map, 24, 10, 1, 2, 0, 6));
	ASSERT_EQ(0, put_prefix(map, 0, 0, 0, 0, 0, 7));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=plen:ip4,value=u64"));
	EXPECT_EQ(0, sh("test \"$(ls " MNT " | tr '\\n' ' ')\" = "
			"'0.0.0.0-0 10.0.0.0-8 10.1.2.0-24 '"));
	EXPECT_TRUE(count_agrees());
	EXPECT_STREQ("5\n", text_of(at("10.0.0.0-8")));
	EXPECT_STREQ("6\n", text_of(at("10.1.2.0-24")));
	EXPECT_STREQ("7\n", text_of(at("0.0.0.0-0")));
	/* Covered by a shorter one, but not there. */
	EXPECT_FALSE(file_exists(at("10.9.9.0-24")));
	EXPECT_FALSE(file_exists(at("10.1.2.0-25")));
	EXPECT_FALSE(file_exists(at("10.0.0.0-9")));
	/* Not the canonical spelling, or no prefix at all. */
	EXPECT_FALSE(file_exists(at("10.1.2.3-8")));
	EXPECT_FALSE(file_exists(at("10.0.0.0-33")));
	EXPECT_EQ(-EINVAL, write_to(at("10.0.0.0-33"), O_CREAT, "1\n"));
	EXPECT_EQ(0, write_to(at("10.0.0.0-8"), O_TRUNC, "8\n"));
	EXPECT_STREQ("8\n", text_of(at("10.0.0.0-8")));
	EXPECT_EQ(-EEXIST, write_to(at("10.0.0.0-8"), O_CREAT | O_EXCL, "9\n"));
	EXPECT_EQ(0, write_to(at("192.168.0.0-16"), O_CREAT, "9\n"));
	EXPECT_EQ(4, count_names(MNT));
	EXPECT_EQ(0, unlink(at("10.0.0.0-8")));
	EXPECT_EQ(ENOENT, errno_of(unlink(at("10.0.0.0-8"))));
	EXPECT_EQ(3, count_names(MNT));
	EXPECT_STREQ("6\n", text_of(at("10.1.2.0-24")));
	EXPECT_EQ(0, sh("rm " MNT "/*"));
	EXPECT_EQ(0, count_names(MNT));
}

/* The inode number that the listing gives of @name. */
static ino_t listed_ino(const char *name)
{
	DIR *dir = opendir(MNT);
	struct dirent *entry;
	ino_t ino = 0;

	while (dir && (entry = readdir(dir)))
		if (!strcmp(entry->d_name, name))
			ino = entry->d_ino;
	closedir(dir);
	return ino;
}

/* Of an integer that is not aligned, each byte is written by itself. */
TEST_F(types, bits_of_a_packed_array)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	__u8 value[8] = { 0xa5, 0xff, 0xff, 0xff, 0xff, 0x5a }, want[8];
	__u32 key = 0, unit;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, bpf_map_update_elem(map, &key, value, BPF_ANY));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=x8:b=u32{lo.5/mid.11/hi.16}:pad3"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "b.mid=1026\n"));
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, value));
	memcpy(&unit, value + 1, sizeof(unit));
	EXPECT_EQ(0xffff0000U | 1026 << 5 | 0x1f, unit);
	memcpy(want, value, sizeof(want));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "b.hi=7 b.lo=0\n"));
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, value));
	memcpy(&unit, value + 1, sizeof(unit));
	EXPECT_EQ(7U << 16 | 1026 << 5, unit);
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "b.hi=65535 b.lo=31\n"));
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, value));
	EXPECT_EQ(0, memcmp(want, value, sizeof(want)));
	EXPECT_EQ(0, umount(MNT));
	/* The same of the network's byte order; and one of 8 bytes. */
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=x8:b=be32{lo.5/mid.11/hi.16}:pad3"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "b.mid=1\n"));
	ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, value));
	memcpy(&unit, value + 1, sizeof(unit));
	EXPECT_EQ(1U << 5, ntohl(unit) & 0xffe0);
	EXPECT_EQ(want[0], value[0]);
	EXPECT_EQ(want[5], value[5]);
	EXPECT_EQ(0, umount(MNT));
	close(map);
	map = make_map(BPF_MAP_TYPE_ARRAY, 4, 16, 1, 0);
	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=pad7:b=u64{lo.31/mid.2/hi.31}:pad1"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "b.mid=3 b.hi=2147483647\n"));
	EXPECT_STREQ("b.lo=0\nb.mid=3\nb.hi=2147483647\n", text_of(at("0")));
}

/* At the end of a value, a word of which all is its own does not reach. */
TEST_F(types, bits_of_small_values)
{
	char options[64];
	__u32 size;

	for (size = 2; size <= 7; size++) {
		int map = make_map(BPF_MAP_TYPE_ARRAY, 4, size, 1, 0);
		__u8 value[8], want[8];
		__u32 key = 0;
		__u16 unit;

		memset(value, 0xff, sizeof(value));
		memcpy(want, value, sizeof(want));
		ASSERT_LE(0, map);
		ASSERT_EQ(0, bpf_map_update_elem(map, &key, value, BPF_ANY));
		snprintf(options, sizeof(options), size > 2 ? "key=u32,value=pad%u:u16{lo.3/mid.7/hi.6}" :
			 "key=u32,value=u16{lo.3/mid.7/hi.6}", size - 2);
		ASSERT_EQ(0, mount_fd(map, MNT, options));
		EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "mid=5\n"));
		unit = 0xfc07 | 5 << 3;
		memcpy(want + size - 2, &unit, sizeof(unit));
		ASSERT_EQ(0, bpf_map_lookup_elem(map, &key, value));
		EXPECT_EQ(0, memcmp(want, value, size)) TH_LOG("of %u bytes", size);
		EXPECT_EQ(0, umount(MNT));
		close(map);
	}
}

/*
 * Writes 0 to 15 to the bits of this name, again and again, and the text @before with them.
 * How often were they others?
 */
static int lost_bits(const char *before, const char *name)
{
	int i, lost = 0, tries = scaled(5000), len = strlen(before);
	char text[32];

	for (i = 0; i < tries; i++) {
		snprintf(text, sizeof(text), "%s%s=%d\n", before, name, i % 16);
		lost += write_to(at("0"), O_TRUNC, text) || !strstr(text_of(at("0")), text + len);
	}
	return lost;
}

/*
 * Another process writes to a, this one to b, with @before. Return: what b has lost, -1
 * without another process; @status: of the other one, 0 if a has lost nothing.
 */
static int lost_bits_of_two(const char *before, int *status)
{
	pid_t child = fork();
	int lost;

	if (child < 0)
		return -1;
	if (!child)
		_exit(!!lost_bits("", "a"));
	lost = lost_bits(before, "b");
	return waitpid(child, status, 0) == child ? lost : -1;
}

/* The last byte of a value of 5 is in no word: who writes some of its bits leaves the others. */
TEST_F(types, bits_of_two_writers)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 5, 1, 0), status;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=pad4:u8{a.4/b.4}"));
	EXPECT_EQ(0, lost_bits_of_two("", &status));
	EXPECT_EQ(0, status);
}

/* Nor does who writes some take back what another has written as a whole. */
TEST_F(types, bits_and_the_whole_of_two_writers)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 1, 1, 0), status;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=u8{a.4/b.4}"));
	EXPECT_EQ(0, lost_bits_of_two("a=0 ", &status));
	/* The other one may lose its bits to the whole. */
	EXPECT_TRUE(WIFEXITED(status));
}

/* To what is in no word that can be added to, nothing is, nor to what is named with it. */
TEST_F(types, additions_to_small_values)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 6, 1, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=a=u32:b=u16"));
	EXPECT_EQ(is_fuse() ? -EOPNOTSUPP : 0, write_to(at("0"), O_TRUNC, "a+=1 b+=2\n"));
	EXPECT_STREQ(is_fuse() ? "a=0\nb=0\n" : "a=1\nb=2\n", text_of(at("0")));
	EXPECT_EQ(is_fuse(), !!strstr(text_of(at(".bpf/error")),
				      "the field at byte 4 is in no aligned word of the value"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "a+=1\n"));
	EXPECT_STREQ(is_fuse() ? "a=1\nb=0\n" : "a=2\nb=2\n", text_of(at("0")));
}

/* A node of the trie has not a byte more than its value; host bits are in its key. */
TEST_F(types, lpm_trie_of_odd_values)
{
	static const __u32 sizes[] = { 1, 4, 20 };
	struct {
		__u32 plen;
		__u8 addr[4];
	} key = { 8, { 10, 1, 2, 3 } };
	unsigned char value[20] = { 7 };
	struct stat st;
	size_t i;

	for (i = 0; i < 3; i++) {
		int map = make_map(BPF_MAP_TYPE_LPM_TRIE, 8, sizes[i], 16, BPF_F_NO_PREALLOC);

		ASSERT_LE(0, map);
		ASSERT_EQ(0, bpf_map_update_elem(map, &key, value, BPF_ANY));
		ASSERT_EQ(0, mount_fd(map, MNT, "key=plen:ip4"));
		EXPECT_EQ('0', text_of(at("10.0.0.0-8"))[0]);
		EXPECT_EQ('7', text_of(at("10.0.0.0-8"))[1]);
		ASSERT_EQ(0, stat(at("10.0.0.0-8"), &st));
		EXPECT_EQ(st.st_ino, listed_ino("10.0.0.0-8"));
		EXPECT_EQ(0, sh("grep -q '^10.0.0.0-8 07' " MNT "/.bpf/table"));
		EXPECT_EQ(0, umount(MNT));
		close(map);
	}
}

/* One name a key, whatever the layout is: host bits are zero, plen not too long. */
TEST_F(types, lpm_trie_without_plen)
{
	static const struct {
		const char *layout, *name, *host_bits, *too_long, *new;
	} cases[] = {
		{ "hex", HEX32("08") "0a000000", HEX32("08") "0a000001",
		  HEX32("21") "0a000000", HEX32("17") "14000000" },
		{ "u32:ip4", "8,10.0.0.0", "8,10.0.0.1", "33,10.0.0.0", "23,20.0.0.0" },
		{ "hex4:u8[4]", HEX32("08") ",10,0,0,0", HEX32("08") ",10,128,0,0",
		  HEX32("21") ",10,0,0,0", HEX32("17") ",20,0,0,0" },
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		int map = make_map(BPF_MAP_TYPE_LPM_TRIE, 8, 8, 16, BPF_F_NO_PREALLOC);
		char options[64];

		ASSERT_LE(0, map);
		/* As the kernel keeps it, with host bits. */
		ASSERT_EQ(0, put_prefix(map, 8, 10, 1, 2, 3, 5));
		snprintf(options, sizeof(options), "value=u64,key=%s", cases[i].layout);
		ASSERT_EQ(0, mount_fd(map, MNT, options));
		EXPECT_EQ(0, sh("test \"$(ls " MNT ")\" = %s", cases[i].name));
		EXPECT_STREQ("5\n", text_of(at("%s", cases[i].name)));
		EXPECT_STREQ("open: No such file or directory",
			     text_of(at("%s", cases[i].host_bits)));
		EXPECT_STREQ("open: No such file or directory",
			     text_of(at("%s", cases[i].too_long)));
		EXPECT_EQ(-EINVAL, write_to(at("%s", cases[i].host_bits), O_CREAT, "1\n"));
		EXPECT_NE(NULL, strstr(error_log(), "bits behind the 8 of the prefix are not zero"));
		EXPECT_EQ(-EINVAL, write_to(at("%s", cases[i].too_long), O_CREAT, "1\n"));
		EXPECT_NE(NULL, strstr(error_log(), "a prefix has 32 bits at most, not 33"));
		EXPECT_EQ(ENOENT, errno_of(unlink(at("%s", cases[i].host_bits))));
		EXPECT_NE(0, sh("echo %s 6 2> /dev/null > " MNT "/.bpf/table", cases[i].host_bits));
		EXPECT_STREQ("5\n", text_of(at("%s", cases[i].name)));
		EXPECT_EQ(0, write_to(at("%s", cases[i].new), O_CREAT, "1\n"));
		EXPECT_EQ(0, sh("echo %s 6 > " MNT "/.bpf/table", cases[i].new));
		EXPECT_STREQ("6\n", text_of(at("%s", cases[i].new)));
		EXPECT_EQ(0, umount(MNT));
		close(map);
	}
}

TEST_F(types, lpm_trie_many)
{
	int map = make_map(BPF_MAP_TYPE_LPM_TRIE, 8, 8, 20000, BPF_F_NO_PREALLOC);
	int many = scaled(10000), i;

	ASSERT_LE(0, map);
	for (i = 0; i < many; i++)
		ASSERT_EQ(0, put_prefix(map, 32, 10, 0, i / 256, i % 256, i));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=plen:ip4,value=u64"));
	EXPECT_EQ(many, count_names(MNT));
	EXPECT_TRUE(count_agrees());
	EXPECT_EQ(0, sh("ls " MNT " | sort | uniq -d | grep . && exit 1; true"));
	EXPECT_EQ(0, sh("cd " MNT " && ls | xargs rm"));
	EXPECT_EQ(0, count_names(MNT));
}

/* --- Keys without values, values without keys --- */

TEST_F(types, bloom_filter)
{
	int map = make_map(BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 100, 0);
	__u32 value = 77;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32"));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_NE(0, sh("test -e " MNT "/42"));
	EXPECT_EQ(0, sh("touch " MNT "/42 && test -e " MNT "/42"));
	EXPECT_EQ(0, count_names(MNT));
	ASSERT_EQ(0, bpf_map_update_elem(map, NULL, &value, BPF_ANY));
	EXPECT_TRUE(file_exists(at("77")));
	value = 42;
	EXPECT_EQ(0, bpf_map_lookup_elem(map, NULL, &value));
	EXPECT_EQ(EOPNOTSUPP, errno_of(unlink(at("42"))));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("43"), O_CREAT | O_TRUNC, "1\n"));
	EXPECT_STREQ("read: Operation not supported", text_of(at("42")));
	EXPECT_FALSE(file_exists(at("042")));
	EXPECT_EQ(0, strncmp("a bloom_filter lists nothing; ", text_of(at(".bpf/error")), 30));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(-EINVAL, mount_fd(map, MNT, "value=u32"));
	EXPECT_NE(NULL, strstr(refusal, "value: a bloom filter has keys only"));
}

TEST_F(types, queue)
{
	int map = make_map(BPF_MAP_TYPE_QUEUE, 0, 8, 3, 0);
	__u64 value = 1;
	char text[32];
	int fd;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "value=u64"));
	EXPECT_EQ(0, sh("test \"$(ls " MNT " | tr '\\n' ' ')\" = 'peek pop push '"));
	EXPECT_STREQ("", text_of(at("peek")));
	ASSERT_EQ(0, bpf_map_update_elem(map, NULL, &value, BPF_ANY));
	EXPECT_EQ(0, write_to(at("push"), O_TRUNC, "2\n3\n"));
	EXPECT_EQ(-ENOSPC, write_to(at("push"), 0, "4\n"));
	EXPECT_NE(NULL, strstr(error_log(), "push: full (3 elements); nothing was pushed"));
	EXPECT_STREQ("1\n", text_of(at("peek")));
	EXPECT_STREQ("1\n", text_of(at("peek")));
	/* What only reads drains nothing. */
	EXPECT_STREQ("open: Permission denied", text_of(at("pop")));
	EXPECT_NE(0, sh("grep -r . " MNT " > /dev/null 2>&1; test $? = 0"));
	EXPECT_EQ(0, sh("test \"$(cat <>" MNT "/pop)\" = 1"));
	fd = open(at("pop"), O_RDWR);
	EXPECT_EQ(2, pread(fd, text, sizeof(text), 0));
	EXPECT_EQ('2', text[0]);
	EXPECT_EQ(2, pread(fd, text, sizeof(text), 0));
	EXPECT_EQ('3', text[0]);
	EXPECT_EQ(0, pread(fd, text, sizeof(text), 0));
	close(fd);
	EXPECT_EQ(-EINVAL, write_to(at("push"), 0, "x\n"));
	/* Complete at the end, too. */
	EXPECT_EQ(0, sh("printf 9 > " MNT "/push"));
	EXPECT_STREQ("9\n", text_of(at("peek")));
	EXPECT_EQ(EPERM, errno_of(unlink(at("pop"))));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(-EINVAL, mount_fd(map, MNT, "key=u32"));
	EXPECT_NE(NULL, strstr(refusal, "key: a queue or stack has no keys"));
}

/* What cannot be given to the reader is not taken out. */
TEST_F(types, pop_into_bad_memory)
{
	int map = make_map(BPF_MAP_TYPE_QUEUE, 0, 8, 3, 0);
	long page = sysconf(_SC_PAGESIZE);
	char *memory;
	int fd;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "value=u64"));
	EXPECT_EQ(0, write_to(at("push"), 0, "123\n45\n"));
	memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, mprotect(memory + page, page, PROT_READ));
	ASSERT_EQ(0, munmap(memory + 2 * page, page));
	fd = open(at("pop"), O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EFAULT, errno_of(read(fd, memory + page, 100)));
	EXPECT_EQ(EFAULT, errno_of(read(fd, memory + 2 * page, 100)));
	EXPECT_STREQ("123\n", text_of(at("peek")));
	/* Of what is good of it in part, the rest can be read next. */
	EXPECT_EQ(1, read(fd, memory + page - 1, 100));
	EXPECT_EQ('1', memory[page - 1]);
	EXPECT_EQ(EFAULT, errno_of(read(fd, memory + page, 100)));
	EXPECT_EQ(3, read(fd, memory, 100));
	EXPECT_EQ(0, memcmp(memory, "23\n", 3));
	EXPECT_STREQ("45\n", text_of(at("peek")));
	close(fd);
}

/* Does a child that has the open file end, by itself or by a signal? */
static int child_with_text(const char *name, int flags, const char *text, int signal)
{
	int ready[2], fd, status;
	pid_t child;
	char byte;

	if (pipe(ready))
		return -errno;
	child = fork();
	if (!child) {
		fd = open(at("%s", name), flags, 0600);
		if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
			_exit(1);
		if (!signal)
			_exit(0);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (signal && (read(ready[0], &byte, 1) != 1 || kill(child, signal)))
		return -EIO;
	close(ready[0]);
	if (waitpid(child, &status, 0) != child)
		return -errno;
	return status;
}

/* An end that nobody has meant completes no text. */
TEST_F(types, push_of_a_killed_process)
{
	int map = make_map(BPF_MAP_TYPE_QUEUE, 0, 8, 3, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "value=u64"));
	EXPECT_EQ(SIGKILL, child_with_text("push", O_WRONLY, "12", SIGKILL));
	EXPECT_STREQ("", text_of(at("peek")));
	EXPECT_NE(NULL, strstr(error_log(), "push: killed before the end of a text"));
	EXPECT_EQ(0, child_with_text("push", O_WRONLY, "12", 0));
	EXPECT_STREQ("12\n", text_of(at("peek")));
}

/* What a short write() counts has been pushed, and nothing else has. */
TEST_F(types, queue_that_fills_up)
{
	static const char text[] = "a=1\nb=2\na=3\nb=4\n";
	int map = make_map(BPF_MAP_TYPE_QUEUE, 0, 2, 1, 0);
	int fd;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "value=a=u8:b=u8"));
	fd = open(at("push"), O_WRONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(8, write(fd, text, 16));
	EXPECT_EQ(ENOSPC, errno_of(write(fd, text + 8, 8)));
	EXPECT_EQ(ENOSPC, errno_of(write(fd, text + 8, 8)));
	EXPECT_EQ(4, write(fd, text + 8, 4));
	EXPECT_EQ(ENOSPC, errno_of(write(fd, text + 12, 4)));
	close(fd);
	EXPECT_NE(0, sh("printf 'a=1\nb=2\n' > /tmp/two; cat /tmp/two > " MNT "/push 2> /dev/null"));
	EXPECT_STREQ("a=1\nb=2\n", text_of(at("peek")));
	EXPECT_EQ(0, sh("rm /tmp/two; test \"$(cat <>" MNT "/pop | tr '\n' ' ')\" = 'a=1 b=2 '"));
	EXPECT_STREQ("", text_of(at("peek")));
}

TEST_F(types, stack)
{
	int map = make_map(BPF_MAP_TYPE_STACK, 0, 16, 3, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "value=a=u64:b=u64"));
	EXPECT_EQ(0, write_to(at("push"), 0, "a=1\nb=2\na=3 b=4\n"));
	EXPECT_STREQ("a=3\nb=4\n", text_of(at("peek")));
	EXPECT_EQ(0, sh("test \"$(cat <>" MNT "/pop | tr '\\n' ' ')\" = 'a=3 b=4 '"));
	EXPECT_STREQ("a=1\nb=2\n", text_of(at("peek")));
	EXPECT_EQ(0, write_to(at("push"), 0, "a=1\n"));
	EXPECT_NE(NULL, strstr(error_log(), "push: closed before every field was named"));
	EXPECT_EQ(0, sh("mount -o remount,ro " MNT));
	EXPECT_NE(0, sh("cat <>" MNT "/pop 2> /dev/null"));
	EXPECT_STREQ("a=1\nb=2\n", text_of(at("peek")));
}

/* --- Maps of maps --- */

static void map_of_maps(struct __test_metadata *_metadata, enum bpf_map_type type)
{
	int inner[4], outer, fd, i;
	__u32 ids[4];
	char text[32];

	for (i = 0; i < 4; i++) {
		inner[i] = make_hash(16);
		ASSERT_LE(0, inner[i]);
		ids[i] = map_id(inner[i]);
		ASSERT_EQ(0, put(inner[i], 10 + i, 100 + i));
	}
	outer = make_outer(type, inner[0]);
	ASSERT_LE(0, outer);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, put_inner(outer, i + 1, inner[i]));
	ASSERT_EQ(0, mount_fd(outer, MNT, "key=u32,inner_key=u32,inner_value=n=u64"));
	EXPECT_EQ(3, count_names(MNT));
	EXPECT_TRUE(count_agrees());
	EXPECT_EQ(0, sh("cd " MNT " && test \"$(find . | sort | tr '\\n' ' ')\" = "
			"'. ./1 ./1/10 ./2 ./2/11 ./3 ./3/12 '"));
	EXPECT_STREQ("n=101\n", text_of(at("2/11")));
	EXPECT_EQ(ids[1], (__u32)atoi(text_of(at("2/.bpf/id"))));
	EXPECT_STREQ("11 n=101\n", text_of(at("2/.bpf/table")));
	EXPECT_NE(NULL, strstr(text_of(at("2/.bpf/info")), "map_type"));
	EXPECT_FALSE(file_exists(at("4")));

	/* Inner maps are only read. */
	EXPECT_EQ(-EPERM, write_to(at("2/11"), O_TRUNC, "n=5\n"));
	EXPECT_EQ(-EPERM, write_to(at("2/20"), O_CREAT, "n=5\n"));
	EXPECT_EQ(EPERM, errno_of(unlink(at("2/11"))));
	EXPECT_EQ(101ULL, get(inner[1], 11));

	/* A slot that is replaced shows its new map; an open file keeps the old. */
	fd = open(at("2/11"), O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put_inner(outer, 2, inner[3]));
	EXPECT_EQ(ids[3], (__u32)atoi(text_of(at("2/.bpf/id"))));
	EXPECT_STREQ("n=103\n", text_of(at("2/13")));
	EXPECT_FALSE(file_exists(at("2/11")));
	close(inner[1]);
	EXPECT_EQ(6, read(fd, text, sizeof(text)));
	EXPECT_EQ(0, strncmp(text, "n=101\n", 6));
	close(fd);
	EXPECT_TRUE(map_is_gone(ids[1]));

	/* The first slot, too. */
	ASSERT_EQ(0, put_inner(outer, 0, inner[0]));
	EXPECT_TRUE(count_agrees());
	EXPECT_EQ(0, rmdir(at("0")));

	/* rmdir empties the slot and leaves the map as it is. */
	EXPECT_NE(0, sh("rm -r " MNT "/3 2> /dev/null"));
	EXPECT_EQ(102ULL, get(inner[2], 12));
	EXPECT_EQ(0, rmdir(at("3")));
	EXPECT_FALSE(file_exists(at("3")));
	EXPECT_EQ(102ULL, get(inner[2], 12));
	EXPECT_EQ(2, count_names(MNT));
	EXPECT_EQ(ENOENT, errno_of(rmdir(at("3"))));
	EXPECT_EQ(EPERM, errno_of(mkdir(at("5"), 0755)));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("5"), O_CREAT, "1\n"));
	EXPECT_EQ(0, umount(MNT));

	ASSERT_EQ(0, mount_fd(outer, MNT, "inner_key=none"));
	EXPECT_EQ(0, sh("mount -o remount,ro,inner_key=none " MNT));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(-EINVAL, mount_fd(outer, MNT, "value=u32"));
	EXPECT_EQ(-EINVAL, mount_fd(outer, MNT, "inner_key=u16"));
	EXPECT_NE(NULL, strstr(refusal, "inner_key: the layout covers 2 of 4 bytes"));
	EXPECT_EQ(-EINVAL, mount_fd(inner[0], MNT, "inner_key=u32"));
	close(outer);
	close(inner[0]);
	EXPECT_TRUE(map_is_gone(ids[0]));
}

TEST_F(types, hash_of_maps)
{
	map_of_maps(_metadata, BPF_MAP_TYPE_HASH_OF_MAPS);
}

TEST_F(types, array_of_maps)
{
	map_of_maps(_metadata, BPF_MAP_TYPE_ARRAY_OF_MAPS);
}

/* Of an inner map, what the kernel says of it needs an open file. */
TEST_F(types, inner_map_when_there_are_no_files)
{
	int inner = make_hash(8), outer = make_outer(BPF_MAP_TYPE_ARRAY_OF_MAPS, inner);
	int to_child[2], to_parent[2], limit, info, memlock, len;
	char old[32] = "", text[256], byte;
	pid_t child;
	int status;

	if (!getenv("VIRTUAL_MACHINE"))
		SKIP(return, "nobody else on this machine could open a file");
	ASSERT_LE(0, outer);
	ASSERT_EQ(0, put_inner(outer, 1, inner));
	ASSERT_EQ(0, mount_fd(outer, MNT, "key=u32"));
	ASSERT_EQ(0, pipe(to_child));
	ASSERT_EQ(0, pipe(to_parent));
	limit = open("/proc/sys/fs/file-max", O_RDWR);
	ASSERT_LE(0, limit);
	len = read(limit, old, sizeof(old) - 1);
	ASSERT_LT(0, len);
	child = fork();
	if (!child) {
		info = open(at("1/.bpf/info"), O_RDONLY);
		memlock = open(at("1/.bpf/memlock"), O_RDONLY);
		/* Root is not limited. */
		if (info < 0 || memlock < 0 || setgroups(0, NULL) || setgid(1000) || setuid(1000) ||
		    write(to_parent[1], "", 1) != 1 || read(to_child[0], &byte, 1) != 1)
			_exit(1);
		if (read(info, text, sizeof(text)) != -1 || errno != ENFILE)
			_exit(2);
		if (read(memlock, text, sizeof(text)) != -1 || errno != ENFILE)
			_exit(3);
		if (write(to_parent[1], "", 1) != 1 || read(to_child[0], &byte, 1) != 1)
			_exit(1);
		_exit(read(info, text, sizeof(text)) > 0 ? 0 : 4);
	}
	close(to_child[0]);
	close(to_parent[1]);
	EXPECT_EQ(1, read(to_parent[0], &byte, 1));
	EXPECT_EQ(1, pwrite(limit, "1", 1, 0));
	EXPECT_EQ(1, write(to_child[1], "", 1));
	EXPECT_EQ(1, read(to_parent[0], &byte, 1));
	EXPECT_EQ(len, pwrite(limit, old, len, 0));
	EXPECT_EQ(1, write(to_child[1], "", 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* --- Attributes only --- */

struct other {
	enum bpf_map_type type;
	const char *word;
	__u32 key;
	__u32 value;
	__u32 entries;
};

/* Maps whose operations take or give kernel objects, or sleep: never called. */
static const struct other others[] = {
	{ BPF_MAP_TYPE_PROG_ARRAY, "prog_array", 4, 4, 4 },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, "perf_event_array", 4, 4, 4 },
	{ BPF_MAP_TYPE_STACK_TRACE, "stack_trace", 4, 64, 4 },
	{ BPF_MAP_TYPE_CGROUP_ARRAY, "cgroup_array", 4, 4, 4 },
	{ BPF_MAP_TYPE_DEVMAP, "devmap", 4, 4, 4 },
	{ BPF_MAP_TYPE_DEVMAP_HASH, "devmap_hash", 4, 4, 4 },
	{ BPF_MAP_TYPE_SOCKMAP, "sockmap", 4, 4, 4 },
	{ BPF_MAP_TYPE_SOCKHASH, "sockhash", 4, 8, 4 },
	{ BPF_MAP_TYPE_CPUMAP, "cpumap", 4, 4, 2 },
	{ BPF_MAP_TYPE_XSKMAP, "xskmap", 4, 4, 4 },
	{ BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, "reuseport_sockarray", 4, 8, 4 },
};

/* Everything that can be tried on a mount; nothing may be changed or crash. */
static void try_everything(struct __test_metadata *_metadata, const char *word)
{
	static const char * const names[] = {
		"0", "00000000", HEX32("01"), "0000000000000000", "peek", "pop", "push",
	};
	char wanted[64];
	size_t i;

	snprintf(wanted, sizeof(wanted), "%s\n", word);
	EXPECT_STREQ(wanted, text_of(at(".bpf/type")));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(0, sh("ls -la " MNT " " MNT "/.bpf > /dev/null"));
	EXPECT_EQ(0, sh("cd " MNT "/.bpf; for i in *; do case $i in fd|memory|raw) ;; "
			"*) cat $i > /dev/null || exit 1;; esac; done"));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		EXPECT_FALSE(file_exists(at("%s", names[i])));
		EXPECT_EQ(-EOPNOTSUPP, write_to(at("%s", names[i]), O_CREAT | O_TRUNC, "0\n"));
		EXPECT_EQ(ENOENT, errno_of(unlink(at("%s", names[i]))));
		EXPECT_EQ(ENOENT, errno_of(rmdir(at("%s", names[i]))));
	}
	EXPECT_FALSE(file_exists(at(".bpf/table")));
	EXPECT_FALSE(file_exists(at(".bpf/raw")));
	EXPECT_FALSE(file_exists(at(".bpf/memory")));
	EXPECT_EQ(EPERM, errno_of(mkdir(at("x"), 0755)));
	EXPECT_EQ(0, sh("df -i " MNT " > /dev/null"));
}

TEST_F(types, attributes_only)
{
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		const struct other *other = &others[i];
		int map = make_map(other->type, other->key, other->value, other->entries, 0);

		/* Not every kernel is built with each. */
		if (map < 0) {
			TH_LOG("no %s here: %s", other->word, strerror(errno));
			continue;
		}
		ASSERT_EQ(0, mount_fd(map, MNT, ""));
		try_everything(_metadata, other->word);
		/* Empty, and why. */
		EXPECT_EQ(0, sh("head -n 1 " MNT "/.bpf/error | "
				"grep -q '^a map of this type (%s) shows no elements; '", other->word));
		ASSERT_EQ(0, umount(MNT));
		EXPECT_EQ(-EINVAL, mount_fd(map, MNT, "key=u32"));
		close(map);
	}
}

/* Storage of sockets, tasks, inodes, cgroups: keyed by the caller's descriptors. */
TEST_F(types, local_storage)
{
	static const struct {
		enum bpf_map_type type;
		const char *word;
	} storages[] = {
		{ BPF_MAP_TYPE_SK_STORAGE, "sk_storage" },
		{ BPF_MAP_TYPE_INODE_STORAGE, "inode_storage" },
		{ BPF_MAP_TYPE_TASK_STORAGE, "task_storage" },
		{ 32, "cgrp_storage" },
	};
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	size_t i;

	ASSERT_EQ(0, btf__load_into_kernel(btf));
	opts.btf_fd = btf__fd(btf);
	opts.btf_key_type_id = number;
	opts.btf_value_type_id = number;
	for (i = 0; i < sizeof(storages) / sizeof(*storages); i++) {
		int map = bpf_map_create(storages[i].type, "storage", 4, 4, 0, &opts);

		if (map < 0) {
			TH_LOG("no %s here: %s", storages[i].word, strerror(errno));
			continue;
		}
		ASSERT_EQ(0, mount_fd(map, MNT, ""));
		try_everything(_metadata, storages[i].word);
		ASSERT_EQ(0, umount(MNT));
		close(map);
	}
}

/* --- Cgroup storage: its elements come and go with the attachments --- */

/* get_local_storage(map, 0); return 1 */
static int make_cgroup_prog(int map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_local_storage },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "storage", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

TEST_F(types, cgroup_storage)
{
	int map = make_map(BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 0, 0);
	int prog, cgroup;

	ASSERT_LE(0, map);
	prog = make_cgroup_prog(map);
	ASSERT_LE(0, prog);
	mkdir("/sys/fs/cgroup/bpffs", 0755);
	cgroup = open("/sys/fs/cgroup/bpffs", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, cgroup);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u64:u32:pad4,value=u64"));
	EXPECT_EQ(0, count_names(MNT));
	ASSERT_EQ(0, bpf_prog_attach(prog, cgroup, BPF_CGROUP_INET_EGRESS, 0));
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_TRUE(count_agrees());
	EXPECT_EQ(0, sh("cd " MNT " && test $(cat $(ls)) = 0 && echo 5 > $(ls) && test $(cat $(ls)) = 5"));
	/* The last bytes of the key make no other name of it. */
	EXPECT_NE(0, sh("cd " MNT " && cat $(ls)~00000001 2> /dev/null"));
	EXPECT_NE(0, sh("cd " MNT " && rm $(ls) 2> /dev/null"));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("1,2"), O_CREAT, "1\n"));
	EXPECT_EQ(0, bpf_prog_detach2(prog, cgroup, BPF_CGROUP_INET_EGRESS));
	/* It stays as long as the cgroup does. */
	close(cgroup);
	rmdir("/sys/fs/cgroup/bpffs");
}

/* Of such a map the kernel knows no limit; neither does the listing. */
TEST_F(types, cgroup_storage_of_many)
{
	int map = make_map(BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 0, 0);
	int prog, cgroup, i, many = scaled(1100);
	char path[64];

	ASSERT_LE(0, map);
	prog = make_cgroup_prog(map);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u64:u32:pad4,value=u64"));
	mkdir("/sys/fs/cgroup/bpffs", 0755);
	for (i = 0; i < many; i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/bpffs/%d", i);
		mkdir(path, 0755);
		cgroup = open(path, O_RDONLY | O_DIRECTORY);
		ASSERT_EQ(0, bpf_prog_attach(prog, cgroup, BPF_CGROUP_INET_EGRESS, 0));
		close(cgroup);
	}
	EXPECT_EQ(many, count_names(MNT));
	EXPECT_TRUE(count_agrees());
	EXPECT_EQ(0, sh("test $(wc -l < " MNT "/.bpf/table) = %d", many));
	EXPECT_EQ(0, sh("find /sys/fs/cgroup/bpffs -depth -type d -exec rmdir {} +"));
}

/* Per CPU, a lookup would be of another object: attributes only. */
TEST_F(types, percpu_cgroup_storage)
{
	int map = make_map(BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 16, 8, 0, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	try_everything(_metadata, "percpu_cgroup_storage");
}

/* --- What the kernel counts --- */

TEST_F(types, inodes)
{
	static const enum bpf_map_type types[] = {
		BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH,
	};
	struct statfs fs;
	size_t i;

	if (!has_elem_count())
		SKIP(return, "this kernel does not count elements");
	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		int map = make_map(types[i], 8, 8, 10, 0);
		__u64 key = 8, values[2] = {};

		ASSERT_EQ(0, bpf_map_update_elem(map, &key, values, 0));
		ASSERT_EQ(0, mount_fd(map, MNT, ""));
		ASSERT_EQ(0, statfs(MNT, &fs));
		EXPECT_EQ(10U, fs.f_files);
		EXPECT_EQ(9U, fs.f_ffree);
		EXPECT_TRUE(count_agrees());
		EXPECT_EQ(0, umount(MNT));
	}
}

TEST_F(types, memlock)
{
	int map = make_hash(1000);

	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	EXPECT_EQ(0, sh("test $(sed -n 's/memlock:\t//p' " MNT "/.bpf/info) = "
			"$(cat " MNT "/.bpf/memlock)"));
	EXPECT_LE(8000, atol(text_of(at(".bpf/memlock"))));
}

TEST_HARNESS_MAIN
