// SPDX-License-Identifier: GPL-2.0-only
/* -o pin: a real pin in the mount, which goes with it. */
#include "util.h"

#include <arpa/inet.h>
#include <libbpffs.h>

FIXTURE(pin) {
	int map;
	__u32 id;
};

FIXTURE_SETUP(pin)
{
	ASSERT_EQ(0, private_mounts());
	self->map = make_hash(16);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 7, 42));
	self->id = map_id(self->map);
}

FIXTURE_TEARDOWN(pin)
{
}

static int mount_pin(int fd, const char *options)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .options = options };

	return bpf_mount_fd(fd, MNT, &opts);
}

TEST_F(pin, bpftool_and_libbpf)
{
	int fd;

	ASSERT_EQ(0, mount_pin(self->map, "pin,uid=1000,mode=0644")) TH_LOG("%s", bpf_mount_error());
	close(self->map);
	EXPECT_EQ(0, sh("bpftool map show pinned " MNT "/.bpf/pin/map | grep -q '^%u: hash'",
			self->id));
	EXPECT_EQ(0, sh("bpftool map lookup pinned " MNT "/.bpf/pin/map key %s > /dev/null",
			htonl(1) == 1 ? "0 0 0 7" : "7 0 0 0"));
	fd = bpf_obj_get(MNT "/.bpf/pin/map");
	ASSERT_LE(0, fd);
	EXPECT_EQ(42ULL, get(fd, 7));
	EXPECT_EQ(0, put(fd, 7, 43));
	close(fd);
	/* It is root's. */
	EXPECT_NE(0, sh("setpriv --clear-groups --regid 1000 --reuid 1000 ls " MNT "/.bpf/pin "
			"2> /dev/null"));
	/* A plain umount takes it along. */
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F_TIMEOUT(pin, rounds, 600)
{
	int i;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, mount_pin(self->map, "pin"));
		/* Not each is walked into, nor taken away at once. */
		ASSERT_EQ(0, i % 4 ? access(MNT "/.bpf/pin/map", F_OK) : 0);
		ASSERT_EQ(0, umount2(MNT, i % 3 ? 0 : MNT_DETACH));
	}
	close(self->map);
	EXPECT_TRUE(map_is_gone(self->id));
	if (sh("grep -q '^bpffs ' /proc/modules"))
		SKIP(return, "bpffs is built in: there is no module that a mount could hold");
	/* Nothing of them holds the module; what RCU has yet to free, for a moment. */
	EXPECT_EQ(0, sh("for i in $(seq 100); do rmmod bpffs 2> /dev/null && break; sleep 0.1; done; "
			"test ! -d /sys/module/bpffs"));
	EXPECT_EQ(0, sh("modprobe bpffs"));
}

TEST_F(pin, shared_propagation)
{
	ASSERT_EQ(0, mkdir("/tmp/peer", 0755) && errno != EEXIST);
	ASSERT_EQ(0, mount(MNT, MNT, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_SHARED, NULL));
	ASSERT_EQ(0, mount(MNT, "/tmp/peer", NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount_pin(self->map, "pin"));
	close(self->map);
	EXPECT_EQ(0, access(MNT "/.bpf/pin/map", F_OK));
	EXPECT_EQ(0, access("/tmp/peer/.bpf/pin/map", F_OK));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

/* A namespace that exits takes its mounts along, and their pins. */
TEST_F(pin, namespace_exits)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (private_mounts() || mount_pin(self->map, "pin") ||
		    access(MNT "/.bpf/pin/map", F_OK))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close(self->map);
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(pin, of_a_map_of_maps)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = self->map);
	int outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", 4, 4, 2, &opts);

	ASSERT_LE(0, outer);
	ASSERT_EQ(0, mount_pin(outer, "pin")) TH_LOG("%s", bpf_mount_error());
	EXPECT_EQ(0, sh("bpftool map show pinned " MNT "/.bpf/pin/map | grep -q array_of_maps"));
	EXPECT_EQ(0, umount(MNT));
}

static int bind_read_only(const char *from, const char *to, int rec)
{
	if ((mkdir(to, 0755) && errno != EEXIST) || mount(from, to, NULL, MS_BIND | rec, NULL))
		return -errno;
	return mount(NULL, to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) ? -errno : 0;
}

static int walk_into(const char *mnt)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/.bpf/pin/map", mnt);
	return access(path, F_OK) ? -errno : 0;
}

/* A read-only mount hands the object to nobody, nor does one of a mount that is not. */
TEST_F(pin, read_only_bind_mounts)
{
	ASSERT_EQ(0, mount_pin(self->map, "pin"));
	close(self->map);
	ASSERT_EQ(0, bind_read_only(MNT, "/tmp/bound", 0));
	EXPECT_EQ(-EROFS, walk_into("/tmp/bound"));
	EXPECT_EQ(EROFS, errno_of(bpf_obj_get("/tmp/bound/.bpf/pin/map")));
	EXPECT_EQ(EROFS, errno_of(bpf_mount_open("/tmp/bound", O_RDWR)));
	EXPECT_EQ(0, walk_into(MNT));
	EXPECT_EQ(-EROFS, walk_into("/tmp/bound"));
	/* With a copy of the pin that is mounted by now. */
	ASSERT_EQ(0, bind_read_only(MNT, "/tmp/copy", MS_REC));
	EXPECT_EQ(-EROFS, walk_into("/tmp/copy"));
	EXPECT_EQ(0, walk_into(MNT));
	/* One that is read-only from now on, with the pin mounted in it. */
	ASSERT_EQ(0, mount(NULL, "/tmp/bound", NULL, MS_REMOUNT | MS_BIND, NULL));
	EXPECT_EQ(0, walk_into("/tmp/bound"));
	ASSERT_EQ(0, mount(NULL, "/tmp/bound", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_EQ(-EROFS, walk_into("/tmp/bound"));
	EXPECT_EQ(0, umount("/tmp/bound"));
	EXPECT_EQ(0, umount("/tmp/copy"));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(pin, of_a_program_and_a_link)
{
	int prog = make_prog(BPF_PROG_TYPE_XDP), link;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, mount_pin(prog, "pin")) TH_LOG("%s", bpf_mount_error());
	EXPECT_EQ(0, sh("bpftool prog show pinned " MNT "/pin/prog | grep -q xdp"));
	EXPECT_EQ(0, umount(MNT));
	close(prog);
	link = make_xdp_link();
	ASSERT_LE(0, link);
	ASSERT_EQ(0, mount_pin(link, "pin")) TH_LOG("%s", bpf_mount_error());
	close(link);
	link = bpf_obj_get(MNT "/pin/link");
	EXPECT_LE(0, link);
	close(link);
	EXPECT_EQ(0, umount(MNT));
}

TEST_F(pin, refused)
{
	int other = make_hash(1);
	int fs, root;

	EXPECT_EQ(-EROFS, mount_pin(self->map, "pin,ro"));
	EXPECT_NE(NULL, strstr(bpf_mount_error(), "a read-only mount hands the object to nobody"));
	EXPECT_EQ(-EINVAL, mount_fd(self->map, MNT, "pinroot=3"));
	/* What is no such root, or holds another object. */
	root = open("/sys/fs/bpf", O_RDONLY | O_DIRECTORY);
	fs = fsopen("bpffs", FSOPEN_CLOEXEC);
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, other));
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_SET_FD, "pinroot", NULL, root));
	EXPECT_EQ(EINVAL, errno_of(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)));
	close(fs);
	close(root);
	ASSERT_EQ(0, mount_pin(self->map, "pin"));
	/* It stays one that hands the object out. */
	EXPECT_NE(0, sh("mount -i -o remount,ro " MNT " 2> /dev/null"));
	EXPECT_EQ(0, umount(MNT));
}

TEST_HARNESS_MAIN
