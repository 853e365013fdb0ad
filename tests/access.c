// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what: the tables of docs/reliability.rst, each cell of which is tried. A row
 * is who, a column what; a cell says "ok" or the error.
 */
#include "idmapped.h"

#include <grp.h>
#include <linux/bpffs.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>

#define TABLES		"/usr/libexec/bpffs/access/reliability.rst"
#define OWN		"/tmp/own"	/* a directory of who mounts */

/* The mount's are OWNER and GROUP, mode 0640. */
#define OWNER	1000
#define GROUP	2000
#define OTHER	1002

/* --- What is tried; errno, or 0 --- */

/* The mount as whoever tries sees it, where it is, and the map. */
static int mnt;
static const char *target;
static int map;
/* Is @mnt what a process was left, and no path of its own? */
static bool left;

static int try_list(void)
{
	int fd = left ? dup(mnt) : openat(mnt, ".", O_RDONLY | O_DIRECTORY), found = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return errno;
	dir = fdopendir(fd);
	for (errno = 0; (entry = readdir(dir));)
		found |= !strcmp(entry->d_name, "7");
	if (!errno && !found)
		errno = ENOENT;
	return errno;
}

static int try_stat(void)
{
	struct stat st;

	return errno_of(fstatat(mnt, "7", &st, 0));
}

static int read_at(const char *name)
{
	int file = openat(mnt, name, O_RDONLY);
	char text[64];

	return file < 0 ? errno : errno_of(read(file, text, sizeof(text)));
}

static int write_at(const char *name, int flags, const char *text)
{
	int file = openat(mnt, name, O_WRONLY | flags, 0600);

	return file < 0 ? errno : errno_of(write(file, text, strlen(text)));
}

static int try_read(void)
{
	return read_at("7");
}

static int try_write(void)
{
	return write_at("7", O_TRUNC, "5\n") ?: get(map, 7) == 5 ? 0 : EIO;
}

/* In the map; where another directory is, a file would be made in that. */
static int try_create(void)
{
	int err = write_at("9", O_CREAT | O_EXCL, "6\n");

	if (err || get(map, 9) == 6)
		return err;
	unlinkat(mnt, "9", 0);
	errno = ENOENT;
	return errno;
}

static int try_unlink(void)
{
	return errno_of(unlinkat(mnt, "7", 0));
}

static int try_chmod(void)
{
	return errno_of(fchmodat(mnt, "7", 0600, 0));
}

static int try_chown(void)
{
	return errno_of(fchownat(mnt, "7", 0, 0, 0));
}

static int try_table(void)
{
	return read_at(".bpf/table");
}

static int try_store(void)
{
	return write_at(".bpf/table", 0, "7 5\n");
}

static int try_fd(void)
{
	int file = openat(mnt, ".bpf/fd", O_RDONLY);

	return file < 0 ? errno : errno_of(ioctl(file, BPFFS_IOC_GET_FD, &(__u32){ O_RDONLY }));
}

/* Another mount of the map, of which there is a descriptor. */
static int try_mount(void)
{
	int err = -mount_fd(map, OWN, "");

	if (!err && umount2(OWN, 0))
		sh("fusermount3 -u " OWN);
	return err;
}

static int try_remount(void)
{
	return errno_of(mount(NULL, target, NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

static int try_umount(void)
{
	close(mnt);
	return errno_of(umount2(target, 0));
}

static const struct {
	const char *name;
	int (*what)(void);
} columns[] = {
	{ "list", try_list },
	{ "stat", try_stat },
	{ "read", try_read },
	{ "write", try_write },
	{ "create", try_create },
	{ "rm", try_unlink },
	{ "chmod", try_chmod },
	{ "chown", try_chown },
	{ "table", try_table },
	{ "store", try_store },
	{ "fd", try_fd },
	{ "mount", try_mount },
	{ "remount", try_remount },
	{ "umount", try_umount },
};

#define COLUMNS	ARRAY_SIZE(columns)

/* --- Who tries; from here on, a process is that. 0, or -errno --- */

/* The name space of mounts that this began in, where the mount is not. */
static int elsewhere;

static int become(uid_t uid, gid_t gid)
{
	return setgroups(0, NULL) || setgid(gid) || setuid(uid) ? -errno : 0;
}

static int be_root(void)
{
	return 0;
}

static int be_elsewhere(void)
{
	return setns(elsewhere, CLONE_NEWNS) ? -errno : 0;
}

static int be_owner(void)
{
	return become(OWNER, OWNER);
}

/* By the process that made it: it has no more, nor less. */
static int be_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? -errno : become(OWNER, OWNER);
}

static int be_group(void)
{
	return become(OTHER, GROUP);
}

static int be_other(void)
{
	return become(OTHER, OTHER);
}

/* The root of a user namespace, who outside is somebody else. */
static int become_root_there(uid_t uid)
{
	char map[32];
	int err = become(uid, uid);

	/* Its files in /proc are root's, else. */
	if (err || prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return err ?: -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	err = write_to("/proc/self/setgroups", 0, "deny");
	return err ?: write_to("/proc/self/uid_map", 0, map) ?:
	       write_to("/proc/self/gid_map", 0, map);
}

static int be_root_of_owner(void)
{
	return become_root_there(OWNER);
}

static int be_root_of_other(void)
{
	return become_root_there(OTHER);
}

/* That of a container, which has the mount with its own users. */
static int userns;

/* With each capability there. */
static int be_root_contained(void)
{
	return setns(userns, CLONE_NEWUSER) ? -errno : become(0, 0);
}

/* Who is not root any more has none left. */
static int be_contained(void)
{
	return be_root_contained() ?: become(OWNER, OWNER);
}

/* --- The document's tables --- */

/* The words of the row @who of the table @name; how many there are. */
static int read_row(const char *name, const char *who, char cells[][16])
{
	FILE *file = fopen(TABLES, "r");
	char line[512], marker[64];
	int count = 0, pos, len;
	bool found = false;

	snprintf(marker, sizeof(marker), ".. access: %s\n", name);
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, ".. access:", 10))
			found = !strcmp(line, marker);
		len = strlen(who);
		if (!found || strncmp(line, who, len) || strncmp(line + len, "  ", 2))
			continue;
		for (pos = len; count < COLUMNS &&
		     sscanf(line + pos, "%15s%n", cells[count], &len) == 1; pos += len)
			count++;
		break;
	}
	if (file)
		fclose(file);
	return count;
}

FIXTURE(access) {
};

FIXTURE_VARIANT(access) {
	const char *who;
	int (*be)(void);
	uid_t uid;
	/* By a descriptor that was open before. */
	bool leaked;
	bool idmapped;
};

FIXTURE_VARIANT_ADD(access, root) {
	.who = "root", .be = be_root, .uid = 0,
};
FIXTURE_VARIANT_ADD(access, elsewhere) {
	.who = "root, elsewhere", .be = be_elsewhere, .uid = 0,
};
FIXTURE_VARIANT_ADD(access, owner) {
	.who = "owner", .be = be_owner, .uid = OWNER,
};
FIXTURE_VARIANT_ADD(access, traced) {
	.who = "owner, traced", .be = be_traced, .uid = OWNER,
};
FIXTURE_VARIANT_ADD(access, group) {
	.who = "group", .be = be_group, .uid = OTHER,
};
FIXTURE_VARIANT_ADD(access, other) {
	.who = "other", .be = be_other, .uid = OTHER,
};
FIXTURE_VARIANT_ADD(access, leaked) {
	.who = "other, with a descriptor", .be = be_other, .uid = OTHER, .leaked = true,
};
FIXTURE_VARIANT_ADD(access, root_of_owner) {
	.who = "owner, root of a namespace", .be = be_root_of_owner, .uid = OWNER,
};
FIXTURE_VARIANT_ADD(access, root_of_other) {
	.who = "other, root of a namespace", .be = be_root_of_other, .uid = OTHER,
};
FIXTURE_VARIANT_ADD(access, contained) {
	.who = "owner, in a container", .be = be_contained, .uid = FIRST + OWNER, .idmapped = true,
};
FIXTURE_VARIANT_ADD(access, root_contained) {
	.who = "root, in a container", .be = be_root_contained, .uid = FIRST, .idmapped = true,
};

static int mount_at(bool read_only)
{
	char options[64];

	snprintf(options, sizeof(options), "key=u32,value=u64,uid=%u,gid=%u,mode=0640%s", OWNER,
		 GROUP, read_only ? ",ro" : "");
	return mount_fd(map, MNT, options);
}

FIXTURE_SETUP(access)
{
	elsewhere = open("/proc/self/ns/mnt", O_RDONLY);
	ASSERT_LE(0, elsewhere);
	ASSERT_EQ(0, private_mounts());
	mkdir(OWN, 0755);
	/* fusermount3 asks for their names. */
	sh("grep -q ':x:%u:' /etc/passwd || echo 'other:x:%u:%u::/:/bin/sh' >> /etc/passwd",
	   OTHER, OTHER, OTHER);
	map = make_hash(16);
	ASSERT_LE(0, map);
	put(map, 7, 42);
	userns = open_userns();
	ASSERT_LE(0, userns);
}

FIXTURE_TEARDOWN(access)
{
	close(userns);
	umount2(IDMAPPED, MNT_DETACH);
	umount2(MNT, MNT_DETACH);
}

/* What @what returns to a process that is that, in mounts of its own. */
static int as(const FIXTURE_VARIANT(access) *variant, int (*what)(void))
{
	int status, stopped = 0;
	pid_t child;

	left = variant->leaked;
	mnt = left ? open(target, O_RDONLY | O_DIRECTORY) : -1;
	child = fork();
	if (!child) {
		if (private_mounts() || chown(OWN, variant->uid, variant->uid) || variant->be())
			_exit(255);
		if (!left)
			mnt = open(target, O_PATH | O_DIRECTORY);
		if (mnt < 0)
			_exit(errno);
		_exit(what());
	}
	/* One that is traced stops now and then, if there is a signal. */
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status) && stopped++ < 100)
		ptrace(PTRACE_CONT, child, NULL, NULL);
	close(mnt);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 253;
}

static const char *word_of(int err)
{
	return err ? strerrorname_np(err) ?: "?" : "ok";
}

static void try_all(struct __test_metadata *_metadata, const FIXTURE_VARIANT(access) *variant,
		    bool read_only)
{
	char table[32], want[COLUMNS][16] = {};
	bool comes_in;
	int i, err;

	snprintf(table, sizeof(table), "%s%s", is_fuse() ? "fuse" : "module",
		 read_only ? ", read-only" : "");
	EXPECT_EQ(COLUMNS, read_row(table, variant->who, want));
	ASSERT_EQ(0, mount_at(read_only)) TH_LOG("%s", refusal);
	/* Where there are no idmapped mounts, no container has one. */
	comes_in = !variant->idmapped || !mount_with(userns);
	target = variant->idmapped ? IDMAPPED : MNT;
	printf("# %s: %-28s", table, variant->who);
	for (i = 0; i < COLUMNS; i++) {
		/* As it was before. */
		put(map, 7, 42);
		bpf_map_delete_elem(map, &(__u32){ 9 });
		if (!read_only)
			mount(NULL, MNT, NULL, MS_REMOUNT, NULL);
		err = comes_in ? as(variant, columns[i].what) : EINVAL;
		printf(" %-6s", word_of(err));
		if (strcmp(want[i], word_of(err)))
			EXPECT_STREQ(want[i], word_of(err)) TH_LOG("%s", columns[i].name);
	}
	printf("\n");
}

TEST_F(access, read_write)
{
	try_all(_metadata, variant, false);
}

TEST_F(access, read_only)
{
	try_all(_metadata, variant, true);
}

TEST_HARNESS_MAIN
