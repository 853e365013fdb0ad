// SPDX-License-Identifier: GPL-2.0-only
/*
 * The idea of test_maps among the kernel's selftests, with a mount held open: many tasks
 * insert, replace, look up and delete by bpf(2), each its own keys, and find them as they
 * have left them, while others list and read the mount.
 */
#include "util.h"

#include <linux/bpf.h>

#define TASKS	16
#define READERS	3
#define EACH	32	/* keys of a task */

struct lpm_key {
	__u32 length;
	__u8 data[4];
};

FIXTURE(maps) {
	int map;
};

FIXTURE_VARIANT(maps) {
	enum bpf_map_type type;
	__u32 flags;
	bool stays;	/* elements neither come nor go */
	bool evicts;
};

FIXTURE_VARIANT_ADD(maps, hash) { .type = BPF_MAP_TYPE_HASH };
FIXTURE_VARIANT_ADD(maps, hash_no_prealloc) {
	.type = BPF_MAP_TYPE_HASH, .flags = BPF_F_NO_PREALLOC
};
FIXTURE_VARIANT_ADD(maps, array) { .type = BPF_MAP_TYPE_ARRAY, .stays = true };
FIXTURE_VARIANT_ADD(maps, lru_hash) { .type = BPF_MAP_TYPE_LRU_HASH, .evicts = true };
FIXTURE_VARIANT_ADD(maps, lpm_trie) {
	.type = BPF_MAP_TYPE_LPM_TRIE, .flags = BPF_F_NO_PREALLOC
};

FIXTURE_SETUP(maps)
{
	bool lpm = variant->type == BPF_MAP_TYPE_LPM_TRIE;

	ASSERT_EQ(0, private_mounts());
	self->map = make_map(variant->type, lpm ? sizeof(struct lpm_key) : 4, 8,
			     TASKS * EACH * (variant->evicts ? 8 : 1), variant->flags);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, mount_fd(self->map, MNT, lpm ? "key=plen:ip4,value=u64" :
			      "key=u32,value=u64")) TH_LOG("%s", refusal);
}

FIXTURE_TEARDOWN(maps)
{
	umount(MNT);
	close(self->map);
}

/* The bytes of the key @n of the type, of one size for those of a hash and of a trie. */
static void key_of(enum bpf_map_type type, __u32 n, struct lpm_key *key)
{
	memset(key, 0, sizeof(*key));
	if (type != BPF_MAP_TYPE_LPM_TRIE) {
		key->length = n;
		return;
	}
	key->length = 32;
	key->data[0] = 10;
	key->data[2] = n >> 8;
	key->data[3] = n;
}

static const char *name_of(enum bpf_map_type type, __u32 n)
{
	static char name[32];

	if (type == BPF_MAP_TYPE_LPM_TRIE)
		snprintf(name, sizeof(name), "10.0.%u.%u-32", n >> 8, n & 255);
	else
		snprintf(name, sizeof(name), "%u", n);
	return name;
}

/* A value says whose it is. */
static __u64 value_of(__u32 n, __u32 round)
{
	return (__u64)(n + 1) << 32 | round;
}

/* Its keys are nobody else's. Return: 0, or the line where it was not so. */
static int task(int map, enum bpf_map_type type, bool stays, bool evicts, int nr, int rounds)
{
	struct lpm_key key;
	__u64 value;
	int round, i;
	__u32 n;

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < EACH; i++) {
			n = i * TASKS + nr;
			key_of(type, n, &key);
			value = value_of(n, round);
			if (bpf_map_update_elem(map, &key, &value, BPF_ANY))
				return __LINE__;
			if (bpf_map_lookup_elem(map, &key, &value)) {
				if (!evicts || errno != ENOENT)
					return __LINE__;
			} else if (value != value_of(n, round)) {
				return __LINE__;
			}
			if (stays)
				continue;
			value = value_of(n, round);
			if (bpf_map_update_elem(map, &key, &value, BPF_NOEXIST) == 0 && !evicts)
				return __LINE__;
			if (i % 2 == 0 && bpf_map_delete_elem(map, &key) && !evicts)
				return __LINE__;
			if (i % 2 == 0 && !bpf_map_lookup_elem(map, &key, &value))
				return __LINE__;
		}
	}
	return 0;
}

/*
 * No key that nobody has made, and its own value; of an lpm_trie, whose memory another
 * element may have at once, any that was written.
 */
static int check_line(enum bpf_map_type type, const char *line)
{
	unsigned long long value;
	unsigned int a, b, n;

	if (sscanf(line, "10.0.%u.%u-32 %llu", &a, &b, &value) == 3)
		n = a << 8 | b;
	else if (sscanf(line, "%u %llu", &n, &value) != 2)
		return __LINE__;
	if (n >= TASKS * EACH || value >> 32 > TASKS * EACH)
		return __LINE__;
	if (type != BPF_MAP_TYPE_LPM_TRIE && value && value >> 32 != n + 1)
		return __LINE__;
	return 0;
}

/* Until it is killed, with the mount and its root held open. */
static int look(enum bpf_map_type type)
{
	int root = open(MNT, O_RDONLY | O_DIRECTORY), bad = 0;
	char line[128], name[64];
	FILE *file;
	int i;

	for (i = 0; root >= 0 && !bad; i++) {
		file = fopen(MNT "/.bpf/table", "r");
		while (file && !bad && fgets(line, sizeof(line), file))
			bad = check_line(type, line);
		if (!file || fclose(file))
			return __LINE__;
		if (count_names(MNT) < 0)
			return __LINE__;
		snprintf(name, sizeof(name), "%s", name_of(type, i % (TASKS * EACH)));
		if (faccessat(root, name, R_OK, 0) && errno != ENOENT)
			return __LINE__;
	}
	return bad ?: __LINE__;
}

TEST_F_TIMEOUT(maps, many_tasks_while_a_mount_is_open, 600)
{
	/* A virtual machine without KVM is slow. */
	int rounds = access("/run/vm", F_OK) ? 20 : 2;
	long count = variant->stays ? TASKS * EACH : TASKS * EACH / 2;
	pid_t tasks[TASKS], readers[READERS];
	struct lpm_key key;
	int status, i;
	__u64 value;
	long names;
	__u32 n;

	for (i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (!readers[i])
			_exit(look(variant->type));
		ASSERT_LT(0, readers[i]);
	}
	for (i = 0; i < TASKS; i++) {
		tasks[i] = fork();
		if (!tasks[i])
			_exit(task(self->map, variant->type, variant->stays, variant->evicts, i,
				   rounds) ? EXIT_FAILURE : EXIT_SUCCESS);
		ASSERT_LT(0, tasks[i]);
	}
	for (i = 0; i < TASKS; i++) {
		ASSERT_EQ(tasks[i], waitpid(tasks[i], &status, 0));
		EXPECT_EQ(0, status) TH_LOG("task %d", i);
	}
	for (i = 0; i < READERS; i++) {
		kill(readers[i], SIGKILL);
		ASSERT_EQ(readers[i], waitpid(readers[i], &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status)) TH_LOG("reader %d: %x", i, status);
	}
	/* What they have left is what the files say. */
	names = count_names(MNT);
	if (variant->evicts)
		count = names;
	EXPECT_EQ(count, names);
	for (n = 0; n < TASKS * EACH; n++) {
		char text[32];

		if (!variant->stays && n / TASKS % 2 == 0) {
			ASSERT_FALSE(file_exists(at("%s", name_of(variant->type, n))));
			continue;
		}
		key_of(variant->type, n, &key);
		if (bpf_map_lookup_elem(self->map, &key, &value)) {
			ASSERT_TRUE(variant->evicts) TH_LOG("key %u is gone", n);
			continue;
		}
		snprintf(text, sizeof(text), "%llu\n", value_of(n, rounds - 1));
		ASSERT_STREQ(text, text_of(at("%s", name_of(variant->type, n))));
	}
}

/* While it is held open, what deletes all finds it empty, and the next task a free map. */
TEST_F(maps, fill_and_empty_while_a_mount_is_open)
{
	int root = open(MNT, O_RDONLY | O_DIRECTORY), round;
	struct lpm_key key;
	__u64 value = 0;
	__u32 n;

	ASSERT_LE(0, root);
	if (variant->stays || variant->evicts)
		SKIP(return, "elements of this type stay, or go by themselves");
	for (round = 0; round < 2; round++) {
		for (n = 0; n < TASKS * EACH; n++) {
			key_of(variant->type, n, &key);
			ASSERT_EQ(0, bpf_map_update_elem(self->map, &key, &value, BPF_NOEXIST));
		}
		EXPECT_EQ(TASKS * EACH, count_names(MNT));
		key_of(variant->type, n, &key);
		EXPECT_GT(0, bpf_map_update_elem(self->map, &key, &value, BPF_NOEXIST));
		EXPECT_TRUE(errno == E2BIG || errno == ENOSPC);
		for (n = 0; n < TASKS * EACH; n++)
			ASSERT_EQ(0, unlinkat(root, name_of(variant->type, n), 0));
		EXPECT_EQ(0, count_names(MNT));
		EXPECT_GT(0, bpf_map_get_next_key(self->map, NULL, &key));
	}
	close(root);
}

TEST_HARNESS_MAIN
