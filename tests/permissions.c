// SPDX-License-Identifier: GPL-2.0-only
/* The files are the boundary: what a process without capabilities may do. */
#include "util.h"

#include <grp.h>

FIXTURE(permissions) {
	int map;
};

FIXTURE_SETUP(permissions)
{
	ASSERT_EQ(0, private_mounts());
	self->map = make_hash(16);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 7, 0x2a));
}

FIXTURE_TEARDOWN(permissions)
{
}

/* From here on the process is user 1000, without any capability. */
static int become_service(void)
{
	return setgroups(0, NULL) || setgid(1000) || setuid(1000) ? -errno : 0;
}

TEST_F(permissions, owner_only)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64"));
	ASSERT_EQ(0, become_service());
	EXPECT_EQ(-1, count_names(MNT));
	EXPECT_EQ(EACCES, errno);
	EXPECT_STREQ("open: Permission denied", text_of(at("7")));
	EXPECT_STREQ("open: Permission denied", text_of(at(".bpf/id")));
	EXPECT_EQ(-EACCES, write_to(at("7"), O_TRUNC, "1\n"));
	EXPECT_EQ(-EACCES, write_to(at("8"), O_CREAT, "1\n"));
	EXPECT_EQ(EACCES, errno_of(unlink(at("7"))));
}

TEST_F(permissions, everyone_reads)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64,mode=0444"));
	ASSERT_EQ(0, become_service());
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_STREQ("42\n", text_of(at("7")));
	EXPECT_STREQ("7 42\n", text_of(at(".bpf/table")));
	EXPECT_STREQ("hash\n", text_of(at(".bpf/type")));
	EXPECT_EQ(-EACCES, write_to(at("7"), O_TRUNC, "1\n"));
	EXPECT_EQ(-EACCES, write_to(at("8"), O_CREAT, "1\n"));
	EXPECT_EQ(-EACCES, write_to(at(".bpf/table"), 0, "7 1\n"));
	EXPECT_EQ(EACCES, errno_of(unlink(at("7"))));
	EXPECT_EQ(EPERM, errno_of(chmod(at("7"), 0666)));
	EXPECT_EQ(EPERM, errno_of(chown(at("7"), 1000, 1000)));
	EXPECT_EQ(42ULL, get(self->map, 7));
}

TEST_F(permissions, owner_writes)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64,uid=1000,mode=0600"));
	ASSERT_EQ(0, become_service());
	EXPECT_EQ(0, write_to(at("7"), O_TRUNC, "1\n"));
	EXPECT_EQ(0, write_to(at("8"), O_CREAT, "2\n"));
	EXPECT_EQ(0, unlink(at("7")));
	EXPECT_STREQ("8 2\n", text_of(at(".bpf/table")));
}

TEST_F(permissions, group_reads)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64,gid=1000,mode=0640"));
	ASSERT_EQ(0, become_service());
	EXPECT_STREQ("42\n", text_of(at("7")));
	EXPECT_EQ(-EACCES, write_to(at("7"), O_TRUNC, "1\n"));
}

TEST_F(permissions, read_only_mount)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64,uid=1000,ro"));
	ASSERT_EQ(0, become_service());
	EXPECT_STREQ("42\n", text_of(at("7")));
	EXPECT_EQ(-EROFS, write_to(at("7"), O_TRUNC, "1\n"));
	EXPECT_EQ(-EROFS, write_to(at("8"), O_CREAT, "1\n"));
	EXPECT_EQ(EROFS, errno_of(unlink(at("7"))));
}

TEST_F(permissions, mounting_needs_cap_sys_admin)
{
	ASSERT_EQ(0, become_service());
	EXPECT_EQ(-EPERM, mount_fd(self->map, MNT, ""));
	EXPECT_EQ(-1, mount("none", MNT, "bpffs", 0, "fd=3"));
	EXPECT_EQ(EPERM, errno);
}

/* bpf(2) refuses this process all of it. */
TEST_F(permissions, without_bpf_2)
{
	__u32 id = map_id(self->map);

	ASSERT_EQ(0, mount_fd(self->map, MNT, "uid=1000"));
	ASSERT_EQ(0, become_service());
	EXPECT_EQ(EPERM, errno_of(bpf_map_get_fd_by_id(id)));
	EXPECT_STREQ("2a00000000000000\n", text_of(at("07000000")));
}

TEST_HARNESS_MAIN
