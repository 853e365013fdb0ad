// SPDX-License-Identifier: GPL-2.0-only
/* The files are the boundary: what a process without capabilities may do. */
#include "idmapped.h"

#include <grp.h>
#include <libbpffs.h>
#include <linux/bpffs.h>
#include <sys/ioctl.h>

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
	EXPECT_STREQ(HEX64("2a") "\n", text_of(at(HEX32("07"))));
}

/* --- Idmapped mounts, as a container with a user namespace has them --- */

/* The mount at MNT once more, idmapped. */
static int mount_idmapped(void)
{
	int ns = open_userns(), err;

	if (ns < 0)
		return -errno;
	err = mount_with(ns);
	close(ns);
	return err;
}

static const char *owner_of(const char *path)
{
	static char text[32];
	struct stat st;

	if (stat(path, &st))
		return strerror(errno);
	snprintf(text, sizeof(text), "%u %u %o", st.st_uid, st.st_gid, st.st_mode & 0777);
	return text;
}

/* What @what returns as user @id, without capabilities. */
static int as_user(uid_t id, int (*what)(const char *), const char *path)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setgroups(0, NULL) || setgid(id) || setuid(id))
			_exit(255);
		_exit(what(path));
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ?
	       WEXITSTATUS(status) : 254;
}

static int try_read(const char *path)
{
	int fd = open(path, O_RDONLY);

	return fd < 0 ? errno : 0;
}

static int try_write(const char *path)
{
	return -write_to(path, O_TRUNC, "5\n");
}

static int try_create(const char *path)
{
	return -write_to(path, O_CREAT | O_EXCL, "6\n");
}

static int try_unlink(const char *path)
{
	return errno_of(unlink(path));
}

static int try_chmod(const char *path)
{
	return errno_of(chmod(path, 0600));
}

static int try_get_fd(const char *path)
{
	__u32 flags = O_RDWR;
	int fd = open(path, O_RDWR);

	return fd < 0 ? errno : errno_of(ioctl(fd, BPFFS_IOC_GET_FD, &flags));
}

TEST_F(permissions, idmapped)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64,uid=0,gid=7,mode=0640"));
	ASSERT_EQ(0, mount_idmapped());
	EXPECT_STREQ("0 7 640", owner_of(at("7")));
	EXPECT_STREQ("100000 100007 640", owner_of(IDMAPPED "/7"));
	EXPECT_STREQ("100000 100007 750", owner_of(IDMAPPED));
	EXPECT_STREQ("100000 100007 640", owner_of(IDMAPPED "/.bpf/table"));
	EXPECT_STREQ("100000 100007 550", owner_of(IDMAPPED "/.bpf"));

	/* Who is root there has what the owner has, there only. */
	EXPECT_EQ(0, as_user(FIRST, try_read, IDMAPPED "/7"));
	EXPECT_EQ(0, as_user(FIRST, try_write, IDMAPPED "/7"));
	EXPECT_EQ(5ULL, get(self->map, 7));
	EXPECT_EQ(0, as_user(FIRST, try_create, IDMAPPED "/8"));
	EXPECT_EQ(6ULL, get(self->map, 8));
	EXPECT_STREQ("100000 100007 640", owner_of(IDMAPPED "/8"));
	EXPECT_STREQ("0 7 640", owner_of(at("8")));
	EXPECT_EQ(0, as_user(FIRST, try_chmod, IDMAPPED "/8"));
	EXPECT_EQ(0, as_user(FIRST, try_unlink, IDMAPPED "/8"));
	EXPECT_EQ(~0ULL, get(self->map, 8));
	EXPECT_EQ(EACCES, as_user(FIRST, try_read, MNT "/7"));
	EXPECT_EQ(EACCES, as_user(FIRST, try_write, MNT "/7"));

	/* The group; somebody else there; who is nobody there. */
	EXPECT_EQ(0, as_user(FIRST + 7, try_read, IDMAPPED "/7"));
	EXPECT_EQ(EACCES, as_user(FIRST + 7, try_write, IDMAPPED "/7"));
	EXPECT_EQ(EACCES, as_user(FIRST + 1, try_read, IDMAPPED "/7"));
	EXPECT_EQ(EACCES, as_user(1000, try_read, IDMAPPED "/7"));
	EXPECT_EQ(EACCES, as_user(FIRST + 7, try_unlink, IDMAPPED "/7"));
	EXPECT_EQ(EPERM, as_user(FIRST + 7, try_chmod, IDMAPPED "/7"));
	EXPECT_EQ(5ULL, get(self->map, 7));
}

/* Where everybody may write, who has no identity there makes nothing. */
TEST_F(permissions, idmapped_and_nobody)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64,mode=0666"));
	ASSERT_EQ(0, mount_idmapped());
	EXPECT_EQ(0, as_user(FIRST + 1, try_create, IDMAPPED "/8"));
	EXPECT_EQ(EOVERFLOW, as_user(1000, try_create, IDMAPPED "/9"));
	EXPECT_EQ(~0ULL, get(self->map, 9));
	EXPECT_EQ(0, as_user(1000, try_write, IDMAPPED "/7"));
	/* It is the owner's, whoever made it. */
	EXPECT_STREQ("100000 100000 666", owner_of(IDMAPPED "/8"));
	EXPECT_EQ(EPERM, as_user(FIRST + 1, try_chmod, IDMAPPED "/8"));
}

/* The root of a container is not root: the object itself is not handed out. */
TEST_F(permissions, idmapped_hands_nothing_out)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=u32,value=u64"));
	ASSERT_EQ(0, mount_idmapped());
	EXPECT_EQ(EPERM, as_user(FIRST, try_get_fd, IDMAPPED "/.bpf/fd"));
	EXPECT_EQ(EPERM, try_get_fd(IDMAPPED "/.bpf/fd"));
	EXPECT_EQ(EACCES, as_user(FIRST, try_get_fd, MNT "/.bpf/fd"));
	EXPECT_EQ(0, try_get_fd(MNT "/.bpf/fd"));
}

TEST_F(permissions, idmapped_hands_no_pin_out)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .options = "pin" };

	ASSERT_EQ(0, bpf_mount_fd(self->map, MNT, &opts)) TH_LOG("%s", bpf_mount_error());
	ASSERT_EQ(0, mount_idmapped());
	EXPECT_EQ(EPERM, try_read(IDMAPPED "/.bpf/pin/map"));
	EXPECT_EQ(EPERM, as_user(FIRST, try_read, IDMAPPED "/.bpf/pin"));
	EXPECT_EQ(0, access(MNT "/.bpf/pin/map", F_OK));
	EXPECT_EQ(EPERM, try_read(IDMAPPED "/.bpf/pin/map"));
}

TEST_HARNESS_MAIN
