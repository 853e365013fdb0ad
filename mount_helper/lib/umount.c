// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Unmounting, but only what is bpffs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <libmount.h>
#include <linux/bpffs.h>
#include <linux/magic.h>

#include "internal.h"

#define UMOUNT_FLAGS	(MNT_DETACH | MNT_FORCE | MNT_EXPIRE | UMOUNT_NOFOLLOW)

/* The type of the mount with that number, as /proc/self/mountinfo has it. */
static bool has_type(int id, const char *type)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	bool found = false;

	while (table && iter && !found && !mnt_table_next_fs(table, iter, &fs))
		found = mnt_fs_get_id(fs) == id && !strcmp(mnt_fs_get_fstype(fs), type);
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return found;
}

/*
 * 1: the root of a mount of that type; 0: something else; or a negative errno. Whoever
 * serves a mount is not asked, as it may be dead, or hang.
 */
static int is_root(int fd, unsigned int magic)
{
	struct statfs fs;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx))
		return -errno;
	if (!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (magic == FUSE_SUPER_MAGIC)
		return stx.stx_mask & STATX_MNT_ID && has_type(stx.stx_mnt_id, FUSE_TYPE);
	if (fstatfs(fd, &fs))
		return -errno;
	return (unsigned int)fs.f_type == magic;
}

/* In which directory is the mount point @target? To be freed; NULL: errno. */
static char *parent_of(const char *target, const char **name)
{
	const char *slash = strrchr(target, '/');
	char *parent, *real;

	*name = slash ? slash + 1 : target;
	if (!slash)
		return realpath(".", NULL);
	parent = strndup(target, slash == target ? 1 : slash - target);
	real = parent ? realpath(parent, NULL) : NULL;
	free(parent);
	return real;
}

/* What is mounted there, as /proc/self/mountinfo has it? */
static int find_bpffs(const char *path)
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_fs *fs = NULL;
	int err = ENOMEM;

	if (table)
		err = -mnt_table_parse_file(table, "/proc/self/mountinfo");
	if (!err)
		fs = mnt_table_find_target(table, path, MNT_ITER_BACKWARD);
	if (!err && !(fs && mnt_fs_match_fstype(fs, FS_TYPE "," FUSE_TYPE)))
		err = EINVAL;
	mnt_unref_table(table);
	return err;
}

/*
 * Any look at the mount is a use of it, and takes the mark of MNT_EXPIRE away.
 * So look only at the directory above it, and into the table of mounts.
 */
static int check_expire(const char *target)
{
	const char *name;
	char *parent = parent_of(target, &name);
	int err = 0;
	char *path;

	if (!parent)
		return libbpffs_refuse_path(errno, target);
	if (asprintf(&path, "%s/%s", strcmp(parent, "/") ? parent : "", name) < 0) {
		path = NULL;
		err = libbpffs_refuse_path(ENOMEM, target);
	} else if (!*name || find_bpffs(path)) {
		err = libbpffs_refuse(EINVAL,
				      "%s: with MNT_EXPIRE, not the name of a bpffs mount",
				      target);
	}
	free(parent);
	free(path);
	return err;
}

bool libbpffs_is_fuse_root(int fd)
{
	return is_root(fd, FUSE_SUPER_MAGIC) > 0;
}

int libbpffs_check_root_fd(int fd, const char *what)
{
	int ret = libbpffs_is_fuse_root(fd) ? 1 : is_root(fd, BPFFS_SUPER_MAGIC);

	if (ret < 0)
		return libbpffs_refuse_path(-ret, what);
	if (!ret)
		return libbpffs_refuse(EINVAL, "%s: not the root of a bpffs mount", what);
	return 0;
}

int libbpffs_check_root(const char *target, bool follow)
{
	int fd, err;

	fd = open(target, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return libbpffs_refuse_path(errno, target);
	err = libbpffs_check_root_fd(fd, target);
	/* Open, it would make the mount busy. */
	close(fd);
	return err;
}

int libbpffs_check_pinonly_root(const char *target)
{
	int fd, ret;

	fd = open(target, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return libbpffs_refuse_path(errno, target);
	ret = is_root(fd, BPF_FS_MAGIC);
	close(fd);
	if (ret < 0)
		return libbpffs_refuse_path(-ret, target);
	if (!ret)
		return libbpffs_refuse(EINVAL, "%s: not the root of a mount of type bpf, which pinonly is",
				       target);
	return 0;
}

int bpf_umount(const char *target, int flags)
{
	int err;

	libbpffs_clear_error();
	err = libbpffs_check_target(target);
	if (err)
		return err;
	if (flags & ~UMOUNT_FLAGS)
		return libbpffs_refuse(EINVAL, "flags: %#x has unknown ones", flags);
	if (flags & MNT_EXPIRE && flags & (MNT_DETACH | MNT_FORCE))
		return libbpffs_refuse(EINVAL,
				       "flags: MNT_EXPIRE goes with neither MNT_DETACH nor MNT_FORCE");
	err = flags & MNT_EXPIRE ? check_expire(target) :
				   libbpffs_check_root(target, !(flags & UMOUNT_NOFOLLOW));
	if (err)
		return err;
	if (!umount2(target, flags))
		return 0;
	switch (errno) {
	case EAGAIN:
		return libbpffs_refuse(EAGAIN, "%s: marked as expired, not unmounted yet",
				       target);
	case EBUSY:
		return libbpffs_refuse(EBUSY, "%s: in use", target);
	case EPERM:
		return libbpffs_refuse(EPERM, "unmounting needs CAP_SYS_ADMIN");
	default:
		return libbpffs_refuse_path(errno, target);
	}
}
