// SPDX-License-Identifier: GPL-2.0-only
/* The root of a map: what it lists, also while the map changes. */
#include "util.h"

#include <linux/types.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/inotify.h>

FIXTURE(directory) {
	int map;
};

FIXTURE_VARIANT(directory) {
	enum bpf_map_type type;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(directory, hash) { .type = BPF_MAP_TYPE_HASH };
FIXTURE_VARIANT_ADD(directory, hash_no_prealloc) {
	.type = BPF_MAP_TYPE_HASH, .flags = BPF_F_NO_PREALLOC
};
FIXTURE_VARIANT_ADD(directory, lru_hash) { .type = BPF_MAP_TYPE_LRU_HASH };
FIXTURE_VARIANT_ADD(directory, array) { .type = BPF_MAP_TYPE_ARRAY };

FIXTURE_SETUP(directory)
{
	ASSERT_EQ(0, private_mounts());
}

FIXTURE_TEARDOWN(directory)
{
}

static int mount_new(enum bpf_map_type type, __u32 entries, __u32 flags)
{
	int map = make_map(type, 4, 8, entries, flags);

	return map < 0 || mount_fd(map, MNT, "key=u32,value=u64") ? -1 : map;
}

TEST_F(directory, empty)
{
	int map = mount_new(variant->type, 16, variant->flags);

	ASSERT_LE(0, map);
	EXPECT_EQ(variant->type == BPF_MAP_TYPE_ARRAY ? 16 : 0, count_names(MNT));
}

TEST_F(directory, one)
{
	int map = mount_new(variant->type, 1, variant->flags);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, put(map, 0, 5));
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_STREQ("5\n", text_of(at("0")));
}

/* Every key once, and inode numbers as stat has them. */
TEST_F_TIMEOUT(directory, many, 600)
{
	__u32 keys = scaled(100000);
	/* An LRU list evicts before it is full. */
	__u32 entries = variant->type == BPF_MAP_TYPE_LRU_HASH ? 2 * keys : keys;
	unsigned char *seen = calloc(1, keys);
	struct dirent *entry;
	long count = 0;
	struct stat st;
	DIR *dir;
	__u32 i;
	int map;

	map = mount_new(variant->type, entries, variant->flags);
	ASSERT_LE(0, map);
	for (i = 0; i < keys; i++)
		ASSERT_EQ(0, put(map, i, i));
	dir = opendir(MNT);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		char *end;

		if (entry->d_name[0] == '.')
			continue;
		i = strtoul(entry->d_name, &end, 10);
		ASSERT_EQ('\0', *end);
		ASSERT_GT(keys, i);
		ASSERT_EQ(0, seen[i]);
		ASSERT_EQ(DT_REG, entry->d_type);
		seen[i] = 1;
		if (count++ % 1000)
			continue;
		ASSERT_EQ(0, fstatat(dirfd(dir), entry->d_name, &st, 0));
		ASSERT_EQ(st.st_ino, entry->d_ino);
	}
	closedir(dir);
	EXPECT_LE(variant->type == BPF_MAP_TYPE_LRU_HASH ? keys * 9 / 10 : keys, count);
}

TEST_F(directory, rewinddir_and_seekdir)
{
	int map = mount_new(variant->type, 1000, variant->flags);
	char names[1000][16];
	struct dirent *entry;
	long places[1000];
	int n = 0, i;
	DIR *dir;

	ASSERT_LE(0, map);
	for (i = 0; i < 1000; i++)
		put(map, i, i);
	dir = opendir(MNT);
	ASSERT_NE(NULL, dir);
	for (;;) {
		long place = telldir(dir);

		entry = readdir(dir);
		if (!entry)
			break;
		if (entry->d_name[0] == '.')
			continue;
		ASSERT_GT(1000, n);
		places[n] = place;
		snprintf(names[n++], sizeof(names[0]), "%.15s", entry->d_name);
	}
	for (i = 0; i < n; i += 17) {
		seekdir(dir, places[n - 1 - i]);
		entry = readdir(dir);
		ASSERT_NE(NULL, entry);
		EXPECT_STREQ(names[n - 1 - i], entry->d_name);
	}
	/* A place stays what it is though keys come and go; rewinddir looks anew. */
	if (variant->type != BPF_MAP_TYPE_ARRAY) {
		ASSERT_EQ(0, unlink(at("%s", names[0])));
		seekdir(dir, places[500]);
		entry = readdir(dir);
		ASSERT_NE(NULL, entry);
		EXPECT_STREQ(names[500], entry->d_name);
	}
	rewinddir(dir);
	for (i = 0; (entry = readdir(dir));)
		i += entry->d_name[0] != '.';
	EXPECT_EQ(variant->type == BPF_MAP_TYPE_ARRAY ? n : n - 1, i);
	closedir(dir);
}

/* .bpf is found by name, but never listed. */
TEST_F(directory, dot_bpf_is_not_listed)
{
	int map = mount_new(variant->type, 4, variant->flags);

	ASSERT_LE(0, map);
	put(map, 1, 1);
	EXPECT_TRUE(file_exists(at(".bpf")));
	EXPECT_NE(0, sh("ls -a " MNT " | grep -q bpf"));
	EXPECT_LE(10, count_names(at(".bpf")));
}

/* --- While the map changes --- */

static atomic_bool stop;

/* Keys of 1000 and more come and go, those below stay. */
static void *churn(void *arg)
{
	int map = *(int *)arg;
	__u32 key, i;

	for (i = 0; !stop; i++) {
		key = 1000 + i % 500;
		put(map, key, i);
		key = 1000 + (i + 250) % 500;
		bpf_map_delete_elem(map, &key);
	}
	return NULL;
}

TEST_F_TIMEOUT(directory, listing_while_keys_come_and_go, 600)
{
	unsigned char seen[2000];
	struct dirent *entry;
	pthread_t thread;
	int map, i, round, rounds = scaled(200);
	__u32 key;
	DIR *dir;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "keys of an array neither come nor go");
	map = mount_new(variant->type, 20000, variant->flags);
	ASSERT_LE(0, map);
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, put(map, i, i));
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn, &map));
	for (round = 0; round < rounds; round++) {
		memset(seen, 0, sizeof(seen));
		dir = opendir(MNT);
		while ((entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			key = strtoul(entry->d_name, NULL, 10);
			if (key >= 1500 || seen[key])
				break;
			seen[key] = 1;
		}
		EXPECT_EQ(NULL, entry) TH_LOG("round %d: %s", round, entry->d_name);
		closedir(dir);
		for (i = 0; i < 1000 && seen[i]; i++)
			;
		EXPECT_EQ(1000, i) TH_LOG("round %d: key %d is missing", round, i);
	}
	stop = true;
	pthread_join(thread, NULL);
}

/* cp -r, find, grep, diff, du see keys and nothing else. */
TEST_F(directory, walks)
{
	int map = mount_new(variant->type, 3, variant->flags);
	__u32 i;

	ASSERT_LE(0, map);
	for (i = 0; i < 3; i++)
		put(map, i, i + 100);
	EXPECT_EQ(0, sh("test \"$(find " MNT " -type f | wc -l)\" = 3"));
	EXPECT_EQ(0, sh("rm -rf /tmp/copy && cp -r " MNT " /tmp/copy && "
			"diff -r " MNT " /tmp/copy && test $(ls -A /tmp/copy | wc -l) = 3"));
	EXPECT_EQ(0, sh("test \"$(grep -r 101 " MNT ")\" = " MNT "/1:101"));
	EXPECT_EQ(0, sh("du -s " MNT " > /dev/null"));
	EXPECT_EQ(0, sh("rm -rf /tmp/copy"));
}

TEST_F(directory, no_other_kinds_of_files)
{
	int map = mount_new(variant->type, 3, variant->flags);

	ASSERT_LE(0, map);
	put(map, 0, 0);
	EXPECT_EQ(EPERM, errno_of(mkdir(at("11"), 0755)));
	EXPECT_EQ(EPERM, errno_of(symlink("x", at("12"))));
	EXPECT_EQ(EPERM, errno_of(mknod(at("12"), S_IFIFO | 0600, 0)));
	EXPECT_EQ(EPERM, errno_of(link(at("0"), at("12"))));
	EXPECT_EQ(EXDEV, errno_of(rename(at("0"), at("1"))));
	EXPECT_NE(0, unlink(at(".bpf/id")));
	EXPECT_NE(0, rmdir(at(".bpf")));
}

/* A directory's watch sees who uses its files; that of a file only the file itself. */
TEST_F(directory, inotify)
{
	char buf[4096] __attribute__((aligned(8)));
	const struct inotify_event *event;
	__u32 seen = 0;
	int of_dir = inotify_init1(IN_NONBLOCK), of_file = inotify_init1(IN_NONBLOCK);
	bool array = variant->type == BPF_MAP_TYPE_ARRAY;
	ssize_t len, pos;

	self->map = mount_new(variant->type, 1000, variant->flags);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 1, 2));
	ASSERT_LE(0, inotify_add_watch(of_dir, MNT, IN_ALL_EVENTS));
	ASSERT_LE(0, inotify_add_watch(of_file, at("1"), IN_ALL_EVENTS));
	EXPECT_EQ(0, write_to(at("1"), 0, "5\n"));
	EXPECT_EQ(array ? EPERM : 0, errno_of(unlink(at("1"))));
	len = read(of_dir, buf, sizeof(buf));
	for (pos = 0; pos < len; pos += sizeof(*event) + event->len) {
		event = (const void *)(buf + pos);
		if (event->len && !strcmp(event->name, "1"))
			seen |= event->mask;
	}
	EXPECT_EQ(IN_OPEN | IN_MODIFY | (array ? 0 : IN_DELETE),
		  seen & (IN_OPEN | IN_MODIFY | IN_DELETE));
	EXPECT_EQ(-1, read(of_file, buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_HARNESS_MAIN
