// SPDX-License-Identifier: GPL-2.0-only
/* A mount holds its object; the last umount and the last open file release it. */
#include "util.h"

#include <sys/socket.h>

FIXTURE(lifecycle) {
	int map;
	__u32 id;
};

FIXTURE_SETUP(lifecycle)
{
	ASSERT_EQ(0, private_mounts());
	self->map = make_hash(16);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 7, 0x2a));
	self->id = map_id(self->map);
}

FIXTURE_TEARDOWN(lifecycle)
{
}

TEST_F(lifecycle, creator_gone)
{
	int status;
	pid_t child;

	close(self->map);
	child = fork();
	if (!child) {
		int map = make_hash(4);

		put(map, 1, 1);
		_exit(mount_fd(map, MNT, "") ? 1 : 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	self->id = atoi(text_of(at(".bpf/id")));
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_STREQ(HEX64("01") "\n", text_of(at(HEX32("01"))));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(lifecycle, two_mounts_of_one_fd)
{
	struct stat a, b;

	ASSERT_EQ(0, mkdir("/tmp/second", 0755) && errno != EEXIST);
	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	ASSERT_EQ(0, mount_fd(self->map, "/tmp/second", ""));
	close(self->map);
	EXPECT_EQ(0, stat(MNT, &a));
	EXPECT_EQ(0, stat("/tmp/second", &b));
	EXPECT_NE(a.st_dev, b.st_dev);
	EXPECT_EQ(0, write_to(at(HEX32("07")), O_TRUNC, HEX64("01") "\n"));
	EXPECT_STREQ(HEX64("01") "\n", text_of("/tmp/second/" HEX32("07")));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_STREQ(HEX64("01") "\n", text_of("/tmp/second/" HEX32("07")));
	EXPECT_EQ(0, umount("/tmp/second"));
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(lifecycle, open_file_keeps_the_mount)
{
	char text[32] = "";
	int fd;

	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	close(self->map);
	fd = open(at(HEX32("07")), O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, errno_of(umount(MNT)));
	EXPECT_EQ(0, umount2(MNT, MNT_DETACH));
	EXPECT_EQ(17, read(fd, text, sizeof(text)));
	EXPECT_STREQ(HEX64("2a") "\n", text);
	close(fd);
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(lifecycle, working_directory_keeps_the_mount)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	close(self->map);
	ASSERT_EQ(0, chdir(MNT));
	EXPECT_EQ(EBUSY, errno_of(umount(MNT)));
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(lifecycle, fd_closed_before_create)
{
	int fs = fsopen("bpffs", FSOPEN_CLOEXEC);
	int mnt;

	ASSERT_LE(0, fs);
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, self->map));
	close(self->map);
	/* Another object may have the number now. */
	ASSERT_EQ(self->map, make_hash(1));
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	ASSERT_LE(0, mnt);
	close(fs);
	ASSERT_EQ(0, move_mount(mnt, "", AT_FDCWD, MNT, MOVE_MOUNT_F_EMPTY_PATH));
	close(mnt);
	EXPECT_EQ(self->id, (__u32)atoi(text_of(at(".bpf/id"))));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(lifecycle, context_that_was_never_mounted)
{
	int fs = fsopen("bpffs", FSOPEN_CLOEXEC);

	ASSERT_LE(0, fs);
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, self->map));
	close(self->map);
	close(fs);
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(lifecycle, detached_mount)
{
	int fs = fsopen("bpffs", FSOPEN_CLOEXEC);
	int mnt, fd;
	char text[32];

	ASSERT_LE(0, fs);
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, self->map));
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	ASSERT_LE(0, mnt);
	close(fs);
	close(self->map);
	fd = openat(mnt, HEX32("07"), O_RDONLY);
	EXPECT_LE(0, fd);
	EXPECT_EQ(17, read(fd, text, sizeof(text)));
	close(fd);
	close(mnt);
	EXPECT_TRUE(map_is_gone(self->id));
}

/* The ways in which a descriptor's number arrives. */
TEST_F(lifecycle, number_by_fsconfig)
{
	char option[32];

	snprintf(option, sizeof(option), "fd=%d", self->map);
	ASSERT_EQ(0, mount_fd(-1, MNT, option));
	close(self->map);
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

TEST_F(lifecycle, number_by_mount_2)
{
	char option[32];

	snprintf(option, sizeof(option), "fd=%d", self->map);
	ASSERT_EQ(0, mount("none", MNT, "bpffs", 0, option));
	close(self->map);
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(map_is_gone(self->id));
}

static void mount_by(struct __test_metadata *_metadata, int map, __u32 id,
		     const char *command)
{
	/* libbpf's descriptors are closed by exec. */
	int fd = fcntl(map, F_DUPFD, 100);

	ASSERT_LE(0, fd);
	/* -i: no helper, which would choose a layout; without the module, it mounts. */
	ASSERT_EQ(0, sh("%s %s -t bpffs -o fd=%d none " MNT, command, is_fuse() ? "" : "-i", fd));
	close(fd);
	close(map);
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_EQ(0, sh("test $(cat " MNT "/" HEX32("07") ") = " HEX64("2a")));
	EXPECT_EQ(0, sh("umount " MNT));
	EXPECT_TRUE(map_is_gone(id));
}

TEST_F(lifecycle, mount_8)
{
	mount_by(_metadata, self->map, self->id, "mount");
}

TEST_F(lifecycle, busybox_mount)
{
	mount_by(_metadata, self->map, self->id, "busybox mount");
}

/* A process that makes a map, mounts it and is gone; then the usual tools. */
TEST_F(lifecycle, tools_after_the_creator)
{
	__u32 id = self->id;
	int fd = fcntl(self->map, F_DUPFD, 100);

	ASSERT_EQ(0, sh("mount %s -t bpffs -o fd=%d none " MNT, is_fuse() ? "" : "-i", fd));
	close(fd);
	close(self->map);
	EXPECT_EQ(0, sh("cd " MNT " && test \"$(ls)\" = " HEX32("07") " && "
			"echo " HEX64("05") " > " HEX32("07") " && "
			"test $(cat " HEX32("07") ") = " HEX64("05") " && "
			"rm " HEX32("07") " && test -z \"$(ls)\""));
	EXPECT_EQ(0, sh("bpftool map show id %u > /dev/null", id));
	EXPECT_EQ(0, sh("umount " MNT));
	EXPECT_TRUE(map_is_gone(id));
	EXPECT_NE(0, sh("bpftool map show id %u 2> /dev/null", id));
}

/* Send a packet through a socket with this filter. */
static int run_filter(__u32 id)
{
	int prog = bpf_prog_get_fd_by_id(id);
	int sockets[2];
	int err;

	if (prog < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets))
		return -1;
	err = setsockopt(sockets[0], SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog));
	if (!err)
		err = send(sockets[1], "ab", 2, 0) != 2;
	close(prog);
	close(sockets[0]);
	close(sockets[1]);
	return err;
}

TEST_F(lifecycle, program)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int prog = make_prog(BPF_PROG_TYPE_SOCKET_FILTER);

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, bpf_obj_get_info_by_fd(prog, &info, &len));
	ASSERT_EQ(0, mount_fd(prog, MNT, ""));
	close(prog);
	EXPECT_EQ(info.id, (__u32)atoi(text_of(at("id"))));
	EXPECT_STREQ("socket_filter\n", text_of(at("type")));
	EXPECT_STREQ("pass\n", text_of(at("name")));
	EXPECT_NE(NULL, strstr(text_of(at("info")), "prog_type"));
	EXPECT_EQ(17, (int)strlen(text_of(at("tag"))));
	EXPECT_EQ(0, sh("test $(cat " MNT "/verified_insns) = 2"));
	EXPECT_EQ(0, sh("bpftool prog show id %u | grep -q \"tag $(cat " MNT "/tag)\"", info.id));
	/* Run counts move while the kernel keeps them. */
	EXPECT_STREQ("0\n", text_of(at("run_cnt")));
	EXPECT_EQ(0, sh("sysctl -qw kernel.bpf_stats_enabled=1"));
	EXPECT_EQ(0, run_filter(info.id));
	EXPECT_EQ(0, sh("sysctl -qw kernel.bpf_stats_enabled=0"));
	EXPECT_LT(0, atoi(text_of(at("run_cnt"))));
	EXPECT_LT(0, atoi(text_of(at("run_time_ns"))));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(is_gone(bpf_prog_get_fd_by_id, info.id));
}

/* A link stays attached after its creator, and detaches at umount. */
TEST_F(lifecycle, link)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int link = make_xdp_link();

	ASSERT_LE(0, link);
	ASSERT_EQ(0, bpf_obj_get_info_by_fd(link, &info, &len));
	ASSERT_EQ(0, mount_fd(link, MNT, ""));
	close(link);
	EXPECT_EQ(info.id, (__u32)atoi(text_of(at("id"))));
	EXPECT_STREQ("xdp\n", text_of(at("type")));
	EXPECT_EQ(info.prog_id, (__u32)atoi(text_of(at("prog_id"))));
	EXPECT_EQ(0, sh("ip link show lo | grep -q prog/xdp"));
	EXPECT_STREQ("1\n", text_of(at("ifindex")));
	EXPECT_FALSE(file_exists(at("attach_type")));
	EXPECT_FALSE(file_exists(at("tp_name")));
	EXPECT_FALSE(file_exists(at("map_ids")));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(is_gone(bpf_link_get_fd_by_id, info.id));
	EXPECT_NE(0, sh("ip link show lo | grep -q prog/xdp"));
}

/* The maps that a program uses. */
TEST_F(lifecycle, map_ids_of_a_program)
{
	int second = make_hash(4), prog;
	char want[32];
	struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = self->map },
		{},
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = second },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	ASSERT_LE(0, second);
	prog = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "uses", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, mount_fd(prog, MNT, ""));
	snprintf(want, sizeof(want), "%u\n%u\n", self->id, map_id(second));
	EXPECT_STREQ(want, text_of(at("map_ids")));
	EXPECT_EQ(0, umount(MNT));
	close(prog);
	/* One that uses none. */
	prog = make_prog(BPF_PROG_TYPE_SOCKET_FILTER);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, mount_fd(prog, MNT, ""));
	EXPECT_STREQ("", text_of(at("map_ids")));
}

/* Mount a link of @prog and @target; the link's own description of itself. */
static int mount_link(int prog, int target, enum bpf_attach_type type,
		      struct bpf_link_info *info)
{
	__u32 len = sizeof(*info);
	int link = bpf_link_create(prog, target, type, NULL), err;

	memset(info, 0, sizeof(*info));
	if (link < 0)
		return -errno;
	err = bpf_obj_get_info_by_fd(link, info, &len) ? -errno : mount_fd(link, MNT, "");
	close(link);
	return err;
}

static const char *number(unsigned long long n)
{
	static char text[32];

	snprintf(text, sizeof(text), "%llu\n", n);
	return text;
}

TEST_F(lifecycle, what_a_link_is_attached_to)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_SK_LOOKUP);
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_link_info info;
	int prog, target;

	/* A cgroup. */
	ASSERT_EQ(0, sh("mkdir -p /tmp/cgroup"));
	ASSERT_EQ(0, mount("none", "/tmp/cgroup", "cgroup2", 0, NULL));
	prog = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "pass", "GPL", pass, 2, NULL);
	target = open("/tmp/cgroup", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, prog);
	ASSERT_LE(0, target);
	ASSERT_EQ(0, mount_link(prog, target, BPF_CGROUP_INET_EGRESS, &info));
	EXPECT_STREQ("cgroup\n", text_of(at("type")));
	EXPECT_STREQ("cgroup_inet_egress\n", text_of(at("attach_type")));
	EXPECT_STREQ(number(info.cgroup.cgroup_id), text_of(at("cgroup_id")));
	EXPECT_FALSE(file_exists(at("ifindex")));
	EXPECT_EQ(0, umount(MNT));
	close(target);
	close(prog);

	/* A network namespace. */
	prog = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "pass", "GPL", pass, 2, &opts);
	target = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, prog);
	ASSERT_LE(0, target);
	ASSERT_EQ(0, mount_link(prog, target, BPF_SK_LOOKUP, &info));
	EXPECT_STREQ("sk_lookup\n", text_of(at("attach_type")));
	EXPECT_STREQ(number(info.netns.netns_ino), text_of(at("netns_ino")));
	EXPECT_EQ(0, umount(MNT));
	close(target);
	close(prog);

	/* A raw tracepoint. */
	prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "pass", "GPL", pass, 2, NULL);
	ASSERT_LE(0, prog);
	target = bpf_raw_tracepoint_open("sys_enter", prog);
	ASSERT_LE(0, target);
	ASSERT_EQ(0, mount_fd(target, MNT, ""));
	EXPECT_STREQ("raw_tracepoint\n", text_of(at("type")));
	EXPECT_STREQ("sys_enter\n", text_of(at("tp_name")));
	EXPECT_FALSE(file_exists(at("target_name")));
	EXPECT_EQ(0, umount(MNT));
	close(target);
	close(prog);
}

TEST_HARNESS_MAIN
