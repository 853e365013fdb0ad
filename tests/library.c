// SPDX-License-Identifier: GPL-2.0-only
/* libbpffs: mounting in one call, and the sentence when it is refused. */
#include "util.h"

#include <bpf/btf.h>
#include <libbpffs.h>
#include <pthread.h>

FIXTURE(library) {
	int map;
};

FIXTURE_SETUP(library)
{
	ASSERT_EQ(0, private_mounts());
	self->map = make_hash(16);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 7, 0x2a));
}

FIXTURE_TEARDOWN(library)
{
}

TEST_F(library, mount_and_umount)
{
	__u32 id = map_id(self->map);

	EXPECT_EQ(0, bpf_mount_fd(self->map, MNT, NULL));
	EXPECT_STREQ("", bpf_mount_error());
	close(self->map);
	EXPECT_STREQ(HEX64("2a") "\n", text_of(at(HEX32("07"))));
	EXPECT_EQ(0, bpf_umount(MNT, 0));
	EXPECT_TRUE(map_is_gone(id));
}

TEST_F(library, options)
{
	struct bpf_mount_opts opts = {
		.sz = sizeof(opts),
		.source = "map:conns",
		.options = "uid=1000,mode=0640,ro",
		.key = "u32",
		.value = "n=u64",
	};
	struct stat st;

	EXPECT_EQ(0, bpf_mount_fd(self->map, MNT, &opts));
	EXPECT_STREQ("n=42\n", text_of(at("7")));
	EXPECT_EQ(-EROFS, write_to(at("7"), O_TRUNC, "1\n"));
	EXPECT_EQ(0, sh("test $(findmnt -no SOURCE " MNT ") = map:conns"));
	EXPECT_EQ(0, sh("findmnt -no VFS-OPTIONS " MNT " | grep -q nosuid,nodev,noexec"));
	EXPECT_EQ(0, stat(at("7"), &st));
	EXPECT_EQ(0100640U, st.st_mode);
	EXPECT_EQ(1000U, st.st_uid);
}

/* Longer than a string of fsconfig(2) can be. */
TEST_F(library, long_layout)
{
	char layout[4096] = "n=u64{A0=0";
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .value = layout };
	int i;

	for (i = 1; i < 300; i++)
		snprintf(layout + strlen(layout), 16, "/A%d=%d", i, i);
	strcat(layout, "}");
	EXPECT_EQ(0, bpf_mount_fd(self->map, MNT, &opts));
	EXPECT_STREQ("n=A42\n", text_of(at(HEX32("07"))));
	EXPECT_EQ(0, write_to(at(HEX32("07")), O_TRUNC, "n=A299"));
	EXPECT_EQ(299ULL, get(self->map, 7));
}

TEST_F(library, refusals)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .key = "u16" };
	struct {
		struct bpf_mount_opts opts;
		long later;
	} newer = { .opts.sz = sizeof(newer), .later = 1 };

	EXPECT_EQ(-EINVAL, bpf_mount_fd(self->map, MNT, &opts));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NE(NULL, strstr(bpf_mount_error(), "key: the layout covers 2 of 4 bytes"));
	EXPECT_EQ(-EBADF, bpf_mount_fd(999, MNT, NULL));
	EXPECT_STRNE("", bpf_mount_error());
	EXPECT_EQ(-ENOENT, bpf_mount_fd(self->map, "/absent", NULL));
	EXPECT_NE(NULL, strstr(bpf_mount_error(), "/absent"));
	EXPECT_EQ(-E2BIG, bpf_mount_fd(self->map, MNT, &newer.opts));
	newer.later = 0;
	EXPECT_EQ(0, bpf_mount_fd(self->map, MNT, &newer.opts));
	EXPECT_STREQ("", bpf_mount_error());
}

TEST_F(library, umount_refuses_what_is_not_ours)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	EXPECT_EQ(-EINVAL, bpf_umount("/proc", 0));
	EXPECT_EQ(-EINVAL, bpf_umount("/", MNT_DETACH));
	EXPECT_EQ(-EINVAL, bpf_umount(at(".bpf"), 0));
	EXPECT_EQ(-ENOENT, bpf_umount("/absent", 0));
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_EQ(0, bpf_umount(MNT, 0));
	EXPECT_EQ(-EINVAL, bpf_umount(MNT, 0));
}

TEST_F(library, detached)
{
	int mnt = bpf_mount_fd_detached(self->map, NULL);
	char text[32];
	int fd;

	ASSERT_LE(0, mnt);
	fd = openat(mnt, HEX32("07"), O_RDONLY);
	EXPECT_EQ(17, read(fd, text, sizeof(text)));
	close(fd);
	close(mnt);
}

/* A map of values { u32 addr, u32 port } in BTF, which has no keys. */
static int make_bloom_filter(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct btf *btf = btf__new_empty();
	int u32_id, map;

	u32_id = btf__add_int(btf, "unsigned int", 4, 0);
	opts.btf_value_type_id = btf__add_struct(btf, "value", 8);
	btf__add_field(btf, "addr", u32_id, 0, 0);
	btf__add_field(btf, "port", u32_id, 32, 0);
	if (btf__load_into_kernel(btf))
		return -errno;
	opts.btf_fd = btf__fd(btf);
	map = bpf_map_create(BPF_MAP_TYPE_BLOOM_FILTER, "bloom", 0, 8, 100, &opts);
	btf__free(btf);
	return map;
}

TEST_F(library, names_of_a_bloom_filter)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .options = "as=value.port:x32" };
	int map = make_bloom_filter();
	char *key, *value;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, bpffs_map_layouts(map, &key, &value));
	EXPECT_STREQ("addr=u32:port=u32", key);
	EXPECT_EQ(NULL, value);
	free(key);
	EXPECT_EQ(0, bpf_mount_fd(map, MNT, NULL));
	EXPECT_EQ(0, sh("touch " MNT "/7,80"));
	EXPECT_TRUE(file_exists(at("7,80")));
	EXPECT_EQ(0, bpf_umount(MNT, 0));
	EXPECT_EQ(0, bpf_mount_fd(map, MNT, &opts));
	EXPECT_TRUE(file_exists(at("7,0x50")));
	EXPECT_EQ(0, bpf_umount(MNT, 0));
	opts.key = "u32:u32";
	EXPECT_EQ(-EINVAL, bpf_mount_fd(map, MNT, &opts));
	EXPECT_STREQ("as: goes with key=auto only", bpf_mount_error());
}

TEST_F(library, layouts_of_no_map)
{
	char *key, *value;

	EXPECT_EQ(-EBADF, bpffs_map_layouts(-1, &key, &value));
	EXPECT_EQ(-EBADF, bpffs_map_layouts(999, &key, &value));
	EXPECT_EQ(-EINVAL, bpffs_map_layouts(0, &key, &value));
}

/* Elsewhere, a file of that name is not even opened. */
TEST_F(library, openat_of_something_else)
{
	int root, fd;

	/* It would wait for a writer. */
	ASSERT_EQ(0, mkfifo(MNT "/fd", 0600));
	root = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, root);
	EXPECT_EQ(-EINVAL, bpf_mount_openat(root, O_RDONLY));
	EXPECT_NE(NULL, strstr(bpf_mount_error(), "not the root of a bpffs mount"));
	close(root);
	unlink(MNT "/fd");
	EXPECT_EQ(-EBADF, bpf_mount_openat(999, O_RDWR));

	ASSERT_EQ(0, bpf_mount_fd(self->map, MNT, NULL));
	root = open(MNT, O_PATH);
	fd = bpf_mount_openat(root, O_RDWR);
	EXPECT_LE(0, fd);
	close(fd);
	close(root);
	root = open(at(".bpf"), O_PATH);
	EXPECT_EQ(-EINVAL, bpf_mount_openat(root, O_RDWR));
	close(root);
}

static void *refuse_in_a_thread(void *arg)
{
	bpf_mount_fd(-1, MNT, NULL);
	return NULL;
}

TEST_F(library, errors_are_per_thread)
{
	pthread_t thread;

	EXPECT_EQ(0, bpf_mount_fd(self->map, MNT, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, refuse_in_a_thread, NULL));
	pthread_join(thread, NULL);
	EXPECT_STREQ("", bpf_mount_error());
}

TEST_HARNESS_MAIN
