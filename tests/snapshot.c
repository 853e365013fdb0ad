// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot and pinonly, as programs use them: types of values that scripts cannot
 * make, read-only descriptors, programs, writers meanwhile. See also tools.sh.
 */
#include "util.h"

#include <bpf/btf.h>
#include <libbpffs.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/vfs.h>

static const struct bpf_mount_opts snapshot = {
	.sz = sizeof(snapshot),
	.options = "snapshot",
};

static const struct bpf_mount_opts pinonly = {
	.sz = sizeof(pinonly),
	.options = "pinonly",
};

/* How many the process has open. */
static long descriptors(void)
{
	return count_names("/proc/self/fd");
}

/* Those of these tests and their copies; others of this machine come and go. */
static int maps(void)
{
	struct bpf_map_info info;
	int count = 0, fd;
	__u32 id = 0, len;

	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			count += !strcmp(info.name, "conns") || !strcmp(info.name, "special");
		close(fd);
	}
	return count;
}

/*
 * What was refused may let go of it a moment later; without the module, what the test
 * before had may also go meanwhile.
 */
static int maps_when(int count)
{
	int tries, now = maps();

	for (tries = 0; tries < 500 && (is_fuse() ? now > count : now != count); tries++) {
		usleep(10000);
		now = maps();
	}
	return is_fuse() && now < count ? count : now;
}

/*
 * A hash whose values are { struct NAME special; u64 n; }, where the kernel knows
 * structs of that name; -errno.
 */
static int make_special(const char *name, int words)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct btf *btf = btf__new_empty();
	int u32_id, u64_id, special, i, fd;

	u32_id = btf__add_int(btf, "unsigned int", 4, 0);
	u64_id = btf__add_int(btf, "unsigned long long", 8, 0);
	special = btf__add_struct(btf, name, words ? 8 * words : 4);
	if (!words)
		btf__add_field(btf, "val", u32_id, 0, 0);
	for (i = 0; i < words; i++)
		btf__add_field(btf, i ? "b" : "a", u64_id, 64 * i, 0);
	opts.btf_key_type_id = u32_id;
	opts.btf_value_type_id = btf__add_struct(btf, "value", 8 * (words ?: 1) + 8);
	btf__add_field(btf, "special", special, 0, 0);
	btf__add_field(btf, "n", u64_id, 64 * (words ?: 1), 0);
	fd = btf__load_into_kernel(btf);
	if (!fd) {
		opts.btf_fd = btf__fd(btf);
		fd = bpf_map_create(BPF_MAP_TYPE_HASH, "special", 4,
				    8 * (words ?: 1) + 8, 16, &opts);
	}
	btf__free(btf);
	return fd;
}

FIXTURE(snapshot) {
	int map;
};

FIXTURE_SETUP(snapshot)
{
	ASSERT_EQ(0, private_mounts());
	self->map = make_hash(16);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 7, 42));
}

FIXTURE_TEARDOWN(snapshot)
{
}

TEST_F(snapshot, is_frozen)
{
	long before = descriptors();
	__u32 id;

	ASSERT_EQ(0, bpf_mount_fd(self->map, MNT, &snapshot));
	EXPECT_EQ(before, descriptors());
	EXPECT_EQ(0, put(self->map, 7, 43));
	EXPECT_EQ(0, put(self->map, 8, 44));
	EXPECT_STREQ(HEX64("2a") "\n", text_of(at(HEX32("07"))));
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_EQ(-EROFS, write_to(at(HEX32("07")), 0, "0000000000000000\n"));
	/* As every mount of a frozen map, it is read-only. */
	EXPECT_EQ(-EROFS, bpf_mount_open(MNT, O_RDWR));
	EXPECT_STREQ("conns\n", text_of(at(".bpf/name")));
	id = strtoul(text_of(at(".bpf/id")), NULL, 10);
	EXPECT_NE(0U, id);
	EXPECT_NE(map_id(self->map), id);
	EXPECT_EQ(0, bpf_umount(MNT, 0));
	EXPECT_TRUE(map_is_gone(id));
}

/* A lock is the reason that newer kernels do not freeze the map as it is. */
TEST_F(snapshot, lock)
{
	struct { __u32 lock; __u32 pad; __u64 n; } value = { .n = 42 };
	int map = make_special("bpf_spin_lock", 0);
	char layout[256];
	__u32 key = 7;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, bpf_map_update_elem(map, &key, &value, BPF_ANY));
	ASSERT_EQ(0, bpf_mount_fd(map, MNT, NULL));
	snprintf(layout, sizeof(layout), "%s", text_of(at(".bpf/value")));
	EXPECT_EQ(0, bpf_umount(MNT, 0));
	ASSERT_EQ(0, bpf_mount_fd(map, MNT, &snapshot));
	EXPECT_STREQ(layout, text_of(at(".bpf/value")));
	EXPECT_NE(NULL, strstr(text_of(at("7")), "n=42\n"));
	EXPECT_EQ(0, bpf_umount(MNT, 0));
}

TEST_F(snapshot, timer)
{
	int map = make_special("bpf_timer", 2);
	long before = descriptors();
	int count = maps();

	ASSERT_LE(0, map);
	EXPECT_EQ(-EOPNOTSUPP, bpf_mount_fd(map, MNT, &snapshot));
	EXPECT_NE(NULL, strstr(bpf_mount_error(), "timers or pointers"));
	EXPECT_EQ(before, descriptors());
	EXPECT_EQ(count, maps_when(count));
}

TEST_F(snapshot, refusals)
{
	struct bpf_mount_opts too_long = {
		.sz = sizeof(too_long),
		.options = "snapshot",
		.key = "u64",
	};
	long before = descriptors();
	int queue = make_map(BPF_MAP_TYPE_QUEUE, 0, 8, 4, 0);
	int count = maps();

	EXPECT_EQ(-EOPNOTSUPP, bpf_mount_fd(queue, MNT, &snapshot));
	EXPECT_EQ(-EINVAL, bpf_mount_fd(0, MNT, &snapshot));
	EXPECT_STREQ("snapshot: only a map can be copied", bpf_mount_error());
	EXPECT_EQ(-EINVAL, bpf_mount_fd(self->map, MNT, &too_long));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-ENOENT, bpf_mount_fd(self->map, "/absent", &snapshot));
	close(queue);
	EXPECT_EQ(before, descriptors());
	EXPECT_EQ(count - 1, maps_when(count - 1));
}

/* One fits into a batch, but a bucket has several: it has to grow. */
TEST_F(snapshot, large_values)
{
	static char value[600 << 10];
	int map = make_map(BPF_MAP_TYPE_HASH, 4, sizeof(value), 32, 0);
	const struct bpf_mount_opts opts = {
		.sz = sizeof(opts),
		.options = "snapshot",
		.key = "u32",
	};
	__u32 key;

	ASSERT_LE(0, map);
	for (key = 0; key < 32; key++) {
		value[sizeof(value) - 1] = key;
		ASSERT_EQ(0, bpf_map_update_elem(map, &key, value, BPF_ANY));
	}
	ASSERT_EQ(0, bpf_mount_fd(map, MNT, &opts));
	EXPECT_EQ(32, count_names(MNT));
	EXPECT_EQ(0, sh("for i in " MNT "/*; do test $(tail -c 3 $i) = "
			"$(printf %%02x ${i##*/}) || exit 1; done"));
	EXPECT_EQ(0, bpf_umount(MNT, 0));
}

static bool stop;

static void *write_always(void *arg)
{
	int map = *(int *)arg;
	__u32 i;

	/* Those from 1000 on come and go; those below stay. */
	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		__u32 key = 1000 + i % 1000;

		put(map, key, i);
		put(map, i % 1000, 1 + (__u64)i);
		bpf_map_delete_elem(map, &key);
	}
	return NULL;
}

TEST_F(snapshot, under_a_writer)
{
	int map = make_hash(2000);
	pthread_t thread;
	char text[16];
	int i, round;

	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, put(map, i, 1));
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_always, &map));
	for (round = 0; round < 5; round++) {
		struct bpf_mount_opts opts = snapshot;
		int mnt;

		opts.key = "u32";
		mnt = bpf_mount_fd_detached(map, &opts);
		ASSERT_LE(0, mnt);
		for (i = 0; i < 1000; i++) {
			snprintf(text, sizeof(text), "%d", i);
			ASSERT_EQ(0, faccessat(mnt, text, F_OK, 0));
		}
		close(mnt);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* --- pinonly --- */

TEST_F(snapshot, pin_of_a_program)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "nothing", "GPL", insns, 2, NULL);
	long before = descriptors();
	struct statfs fs;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, bpf_mount_fd(prog, MNT, &pinonly));
	EXPECT_EQ(0, statfs(MNT, &fs));
	EXPECT_EQ(BPF_FS_MAGIC, fs.f_type);
	EXPECT_TRUE(file_exists(at("prog")));
	/* These are for bpffs, which it is not. */
	EXPECT_EQ(-EINVAL, bpf_mount_open(MNT, O_RDWR));
	EXPECT_EQ(-EINVAL, bpf_umount(MNT, 0));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(before, descriptors());
}

/* A pin may not give more than the descriptor. */
TEST_F(snapshot, pin_of_a_read_only_descriptor)
{
	LIBBPF_OPTS(bpf_obj_get_opts, read_only, .file_flags = BPF_F_RDONLY);
	LIBBPF_OPTS(bpf_obj_get_opts, write_only, .file_flags = BPF_F_WRONLY);
	int map;

	ASSERT_EQ(0, bpf_mount_fd(self->map, MNT, &pinonly));
	map = bpf_obj_get_opts(at("map"), &write_only);
	ASSERT_LE(0, map);
	EXPECT_EQ(-EACCES, bpf_mount_fd(map, "/proc", &pinonly));
	EXPECT_EQ(-EACCES, bpf_mount_fd(map, "/proc", &snapshot));
	close(map);
	map = bpf_obj_get_opts(at("map"), &read_only);
	ASSERT_LE(0, map);
	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, bpf_mount_fd(map, MNT, &pinonly));
	EXPECT_EQ(-EROFS, bpf_obj_get(at("map")));
	EXPECT_EQ(-EROFS, bpf_obj_pin(self->map, at("other")));
	close(map);
	map = bpf_obj_get_opts(at("map"), &read_only);
	EXPECT_LE(0, map);
	EXPECT_EQ(42ULL, get(map, 7));
	close(map);
	EXPECT_EQ(0, umount(MNT));
}

TEST_HARNESS_MAIN
