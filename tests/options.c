// SPDX-License-Identifier: GPL-2.0-only
/* Mount options: what they do, what is shown, what is refused and how. */
#include "util.h"

#include <arpa/inet.h>
#include <bpf/btf.h>
#include <linux/capability.h>

FIXTURE(options) {
	int map;
};

FIXTURE_SETUP(options)
{
	ASSERT_EQ(0, private_mounts());
	self->map = make_hash(16);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 7, 0x2a));
}

FIXTURE_TEARDOWN(options)
{
}

static bool is_mounted(const char *path)
{
	return !sh("grep -q ' %s %s ' /proc/self/mounts", path, fs_type());
}

/* The options of MNT in /proc/self/mounts. */
static const char *shown_options(void)
{
	static char options[1024];
	char line[2048], dir[256], type[64];
	FILE *mounts = fopen("/proc/self/mounts", "r");

	options[0] = '\0';
	while (mounts && fgets(line, sizeof(line), mounts)) {
		char text[1024];

		if (sscanf(line, "%*s %255s %63s %1023s", dir, type, text) == 3 &&
		    !strcmp(dir, MNT) && !strcmp(type, fs_type()))
			snprintf(options, sizeof(options), "%s", text);
	}
	if (mounts)
		fclose(mounts);
	return options;
}

/* Refused with @err and a sentence that holds @why; nothing is mounted. */
#define EXPECT_REFUSED(err, why, fd, options) do {			\
	EXPECT_EQ(-(err), mount_fd(fd, MNT, options));			\
	EXPECT_NE(NULL, strstr(refusal, why))				\
		TH_LOG("not in the log: %s\nlog: %s", why, refusal);	\
	EXPECT_FALSE(is_mounted(MNT));					\
} while (0)

TEST_F(options, refuse_no_fd)
{
	EXPECT_REFUSED(EINVAL, "fd: which BPF object?", -1, "");
}

TEST_F(options, refuse_fd_twice)
{
	EXPECT_REFUSED(EINVAL, "fd: given twice", self->map, "fd=3");
}

TEST_F(options, refuse_what_is_no_number)
{
	EXPECT_REFUSED(EINVAL, "\"x\" is not a descriptor's number", -1, "fd=x");
	EXPECT_REFUSED(EINVAL, "\"-1\" is not a descriptor's number", -1, "fd=-1");
	EXPECT_REFUSED(EINVAL, "\"3x\" is not a descriptor's number", -1, "fd=3x");
	EXPECT_REFUSED(EINVAL, "\"99999999999\" is not", -1, "fd=99999999999");
	EXPECT_REFUSED(EINVAL, "fd: ", -1, "fd=");
}

TEST_F(options, refuse_what_is_not_open)
{
	EXPECT_REFUSED(EBADF, "descriptor 999 is not open in the mounting process", -1,
		       "fd=999");
}

TEST_F(options, refuse_what_is_no_object)
{
	struct btf *btf = btf__new_empty();
	int fd = open("/dev/null", O_RDWR);

	EXPECT_REFUSED(EINVAL, "not a BPF map, program or link", fd, "");
	ASSERT_LT(0, btf__add_int(btf, "int", 4, BTF_INT_SIGNED));
	ASSERT_EQ(0, btf__load_into_kernel(btf));
	EXPECT_REFUSED(EINVAL, "not a BPF map, program or link", btf__fd(btf), "");
}

TEST_F(options, refuse_o_path)
{
	char option[32];
	int fd = open("/dev/null", O_PATH);

	snprintf(option, sizeof(option), "fd=%d", fd);
	EXPECT_REFUSED(EBADF, "O_PATH", -1, option);
}

TEST_F(options, refuse_a_write_only_map)
{
	int map = make_map(BPF_MAP_TYPE_HASH, 4, 8, 1, BPF_F_WRONLY);

	ASSERT_LE(0, map);
	EXPECT_REFUSED(EACCES, "write-only", map, "");
}

TEST_F(options, refuse_long_keys)
{
	int fits = make_map(BPF_MAP_TYPE_HASH, 4096, 8, 1, 0);
	int map = make_map(BPF_MAP_TYPE_HASH, 4097, 8, 1, 0);

	ASSERT_LE(0, map);
	EXPECT_REFUSED(ENAMETOOLONG, "a key of more than 4096 bytes", map, "");
	EXPECT_EQ(0, mount_fd(map, MNT, "key=none"));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_STREQ("4097\n", text_of(at(".bpf/key_size")));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(0, mount_fd(fits, MNT, ""));
	EXPECT_EQ(0, umount(MNT));
}

TEST_F(options, refuse_unknown_options)
{
	EXPECT_REFUSED(EINVAL, "Unknown parameter 'colour'", self->map, "colour=red");
}

/* It comes with a descriptor of the file system for pins. */
TEST_F(options, refuse_pin)
{
	EXPECT_REFUSED(EINVAL, "Unknown parameter 'pin'", self->map, "pin");
}

TEST_F(options, refuse_bad_numbers)
{
	EXPECT_REFUSED(EINVAL, "mode", self->map, "mode=9");
	EXPECT_REFUSED(EINVAL, "mode: 010000 has more than permission bits", self->map,
		       "mode=10000");
	EXPECT_REFUSED(EINVAL, "uid", self->map, "uid=root");
	EXPECT_REFUSED(EINVAL, "uid: 4294967295 is no user", self->map, "uid=4294967295");
	EXPECT_REFUSED(EINVAL, "gid: 4294967295 is no group", self->map, "gid=4294967295");
}

TEST_F(options, refuse_twice)
{
	EXPECT_REFUSED(EINVAL, "uid: given twice", self->map, "uid=1,uid=1");
}

TEST_F(options, refuse_wrong_assertions)
{
	char option[64];

	EXPECT_REFUSED(EINVAL, "name: the object's name is \"conns\", not \"cons\"", self->map,
		       "name=cons");
	snprintf(option, sizeof(option), "id=%u", map_id(self->map) + 1);
	EXPECT_REFUSED(EINVAL, "id: the object's id is", self->map, option);
	snprintf(option, sizeof(option), "id=%u,name=conns", map_id(self->map));
	EXPECT_EQ(0, mount_fd(self->map, MNT, option));
}

TEST_F(options, refuse_layouts)
{
	int ring = make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	int wide = make_map(BPF_MAP_TYPE_HASH, 8, 8, 1, 0);

	EXPECT_REFUSED(EINVAL, "key: the layout covers 2 of 4 bytes; add \":hex2\"",
		       self->map, "key=u16");
	EXPECT_REFUSED(EINVAL, "value: unknown type \"u63\" (column 3)", self->map,
		       "value=a=u63");
	EXPECT_REFUSED(EINVAL, "key: plen is for maps of type lpm_trie", wide,
		       "key=plen:ip4");
	EXPECT_REFUSED(EINVAL, "a map of this type shows no elements", ring,
		       "key=hex");
}

/* No capability in the initial user namespace: nothing is even parsed. */
/* What fsconfig(2) can give, and mount(8) cannot. */
TEST_F(options, refuse_other_kinds_of_values)
{
	static char text[65536 + 1];
	int fs;

	if (is_fuse())
		SKIP(return, "bpffs-fuse is given texts only");
	memset(text, 'x', sizeof(text));
	fs = fsopen("bpffs", FSOPEN_CLOEXEC);
	ASSERT_LE(0, fs);
	EXPECT_EQ(EINVAL, errno_of(fsconfig(fs, FSCONFIG_SET_FLAG, "fd", NULL, 0)));
	read_refusal(fs);
	EXPECT_NE(NULL, strstr(refusal, "fd: needs a descriptor or its number"));
	EXPECT_EQ(EINVAL, errno_of(fsconfig(fs, FSCONFIG_SET_FLAG, "key", NULL, 0)));
	read_refusal(fs);
	EXPECT_NE(NULL, strstr(refusal, "key: needs a layout"));
	EXPECT_EQ(EINVAL, errno_of(fsconfig(fs, FSCONFIG_SET_BINARY, "key", text, sizeof(text))));
	read_refusal(fs);
	EXPECT_NE(NULL, strstr(refusal, "key: the layout is longer than"));
	EXPECT_EQ(EINVAL, errno_of(fsconfig(fs, FSCONFIG_SET_BINARY, "key", "u32", 4)));
	read_refusal(fs);
	EXPECT_NE(NULL, strstr(refusal, "key: the layout has a NUL byte"));
	close(fs);
}

TEST_F(options, refuse_without_cap_sys_admin)
{
	int fs;

	ASSERT_EQ(0, unshare(CLONE_NEWUSER | CLONE_NEWNS));
	fs = fsopen("bpffs", FSOPEN_CLOEXEC);
	EXPECT_EQ(-1, fs);
	EXPECT_EQ(EPERM, errno);
}

TEST_F(options, refusals_reach_dmesg)
{
	char marker[64];

	snprintf(marker, sizeof(marker), "fd=nonsense%d", getpid());
	EXPECT_EQ(-1, mount("none", MNT, "bpffs", 0, marker));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, sh("dmesg | grep -q 'bpffs: fd: \"nonsense%d\" is not'", getpid()));
}

TEST_F(options, refusals_leak_nothing)
{
	__u32 id = map_id(self->map);
	int i;

	for (i = 0; i < 100; i++) {
		mount_fd(self->map, MNT, "mode=9");
		mount_fd(self->map, MNT, "id=0");
		mount_fd(self->map, MNT, "fd=3");
		mount_fd(self->map, MNT, "key=u8,value=u8");
	}
	close(self->map);
	EXPECT_TRUE(map_is_gone(id));
}

/* --- What is shown, and remount --- */

TEST_F(options, shown)
{
	char wanted[128];

	ASSERT_EQ(0, mount_fd(self->map, MNT, "uid=7,gid=8,mode=0640,key=be32,value=x64"));
	snprintf(wanted, sizeof(wanted),
		 "rw,relatime,id=%u,name=conns,key=be32,uid=7,gid=8,mode=0640",
		 map_id(self->map));
	EXPECT_STREQ(wanted, shown_options());
	EXPECT_STREQ("be32\n", text_of(at(".bpf/key")));
	EXPECT_STREQ("x64\n", text_of(at(".bpf/value")));
}

TEST_F(options, remount)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "uid=7,mode=0640,key=be32,value=x64"));
	EXPECT_EQ(0, sh("mount -o remount,ro " MNT));
	EXPECT_EQ(0, strncmp(shown_options(), "ro,", 3));
	EXPECT_EQ(-EROFS, write_to(at("%u", htonl(7)), O_TRUNC, "5\n"));
	EXPECT_EQ(0x2aULL, get(self->map, 7));
	EXPECT_EQ(0, sh("mount -o remount,rw " MNT));
	EXPECT_EQ(0, write_to(at("%u", htonl(7)), O_TRUNC, "5\n"));
	EXPECT_EQ(5ULL, get(self->map, 7));
}

TEST_F(options, remount_changes_nothing_else)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "uid=7,mode=0640,key=be32,value=x64"));
	EXPECT_NE(0, sh("mount -o remount,mode=0600 " MNT " 2> /dev/null"));
	EXPECT_NE(0, sh("mount -o remount,uid=8 " MNT " 2> /dev/null"));
	EXPECT_NE(0, sh("mount -o remount,key=hex " MNT " 2> /dev/null"));
	EXPECT_NE(0, sh("mount -o remount,value=u64 " MNT " 2> /dev/null"));
	EXPECT_NE(0, sh("mount -o remount,fd=%d " MNT " 2> /dev/null", self->map));
	EXPECT_EQ(0, sh("mount -o remount,ro,value=x64 " MNT));
}

static int reconfigure(const char *options)
{
	int fs = fspick(AT_FDCWD, MNT, FSPICK_CLOEXEC);
	int err;

	if (fs < 0)
		return -errno;
	err = set_options(fs, options);
	if (!err && fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		err = -errno;
	read_refusal(fs);
	close(fs);
	return err;
}

/* By the system calls, where the helper does not refuse before. */
TEST_F(options, remount_by_the_kernel)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, "gid=7,key=be32,value=x64"));
	if (is_fuse())
		SKIP(return, "the kernel's own word on a remount is the module's");
	EXPECT_EQ(-EINVAL, reconfigure("gid=8"));
	EXPECT_NE(NULL, strstr(refusal, "gid: cannot change"));
	EXPECT_EQ(-EINVAL, reconfigure("percpu=sum"));
	EXPECT_NE(NULL, strstr(refusal, "percpu: cannot change"));
	EXPECT_EQ(-EINVAL, reconfigure("fd=3"));
	EXPECT_NE(NULL, strstr(refusal, "fd: a mount keeps its object"));
	EXPECT_EQ(0, reconfigure("gid=7,percpu=each"));
}

TEST_F(options, source_is_kept)
{
	int fd = fcntl(self->map, F_DUPFD, 100);

	ASSERT_EQ(0, sh("mount -i -t bpffs -o fd=%d map:conns " MNT, fd));
	EXPECT_EQ(0, sh("test $(findmnt -no SOURCE " MNT ") = map:conns"));
	EXPECT_EQ(0, sh("findmnt -no OPTIONS " MNT " | grep -q 'id=%u,name=conns'",
			map_id(self->map)));
	EXPECT_NE(0, sh("findmnt -no OPTIONS " MNT " | grep -q fd="));
}

TEST_F(options, owner_and_mode)
{
	struct stat st;

	ASSERT_EQ(0, mount_fd(self->map, MNT, "uid=7,gid=8,mode=0640"));
	ASSERT_EQ(0, stat(at(HEX32("07")), &st));
	EXPECT_EQ(0100640U, st.st_mode);
	EXPECT_EQ(7U, st.st_uid);
	EXPECT_EQ(8U, st.st_gid);
	ASSERT_EQ(0, stat(MNT, &st));
	EXPECT_EQ(0040750U, st.st_mode);
	EXPECT_EQ(7U, st.st_uid);
}

/* What the held descriptor may not do, the files may not do. */
TEST_F(options, read_only_fd)
{
	int map = make_map(BPF_MAP_TYPE_HASH, 4, 8, 1, BPF_F_RDONLY);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	EXPECT_EQ(0, strncmp(shown_options(), "ro,", 3));
	EXPECT_EQ(-EROFS, write_to(at(HEX32("01")), O_CREAT, HEX64("01")));
	EXPECT_NE(0, sh("mount -o remount,rw " MNT " 2> /dev/null"));
}

TEST_F(options, frozen_map)
{
	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	EXPECT_STREQ("0\n", text_of(at(".bpf/frozen")));
	ASSERT_EQ(0, bpf_map_freeze(self->map));
	EXPECT_STREQ("1\n", text_of(at(".bpf/frozen")));
	EXPECT_EQ(-EPERM, write_to(at(HEX32("07")), O_TRUNC, HEX64("01") "\n"));
	EXPECT_EQ(-EPERM, write_to(at(HEX32("08")), O_CREAT, HEX64("01") "\n"));
	EXPECT_EQ(EPERM, errno_of(unlink(at(HEX32("07")))));
	EXPECT_EQ(0x2aULL, get(self->map, 7));
	EXPECT_EQ(0, umount(MNT));
	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	EXPECT_EQ(0, strncmp(shown_options(), "ro,", 3));
}

/* Of a map that programs only read, a field is stored by the whole. */
TEST_F(options, frozen_map_and_fields)
{
	static const __u32 flags[] = { 0, BPF_F_RDONLY_PROG };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 16, 1, flags[i]);

		ASSERT_LE(0, map);
		ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=a=u64:b=u64"));
		ASSERT_EQ(0, bpf_map_freeze(map));
		EXPECT_EQ(-EPERM, write_to(at("0"), O_TRUNC, "a=1\n"));
		EXPECT_STREQ("0: the map is frozen; nothing was changed\n", text_of(at(".bpf/error")));
		EXPECT_EQ(0, umount(MNT));
		close(map);
	}
}

TEST_F(options, other_map_types_show_attributes)
{
	int map = make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_STREQ("ringbuf\n", text_of(at(".bpf/type")));
	EXPECT_STREQ("4096\n", text_of(at(".bpf/max_entries")));
	EXPECT_EQ(-EOPNOTSUPP, write_to(at("00000000"), O_CREAT, "00000000\n"));
	EXPECT_FALSE(file_exists(at(".bpf/table")));
}

TEST_HARNESS_MAIN
