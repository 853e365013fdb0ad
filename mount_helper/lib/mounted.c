// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Is it a mount of ours, by the module or without it? Is it the root of one? */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <libmount.h>
#include <linux/bpffs.h>
#include <linux/magic.h>

#include "internal.h"

enum listed {
	NOT_LISTED,	/* it is detached, or of another name space */
	LISTED,
	LISTED_OTHERWISE,
};

/* Is the mount with that number of that type, as /proc/self/mountinfo has it? */
static enum listed has_type(int id, const char *type)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	enum listed found = NOT_LISTED;
	struct libmnt_fs *fs;

	while (table && iter && found == NOT_LISTED && !mnt_table_next_fs(table, iter, &fs))
		if (mnt_fs_get_id(fs) == id)
			found = !strcmp(mnt_fs_get_fstype(fs), type) ? LISTED : LISTED_OTHERWISE;
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return found;
}

static bool has_magic(int fd, unsigned int magic)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (unsigned int)fs.f_type == magic;
}

static bool is_fuse(int fd, const struct statx *stx)
{
	switch (stx->stx_mask & STATX_MNT_ID ? has_type(stx->stx_mnt_id, FUSE_TYPE) :
					       LISTED_OTHERWISE) {
	case LISTED:
		return true;
	case NOT_LISTED:
		return has_magic(fd, FUSE_SUPER_MAGIC);
	default:
		return false;
	}
}

/*
 * 1: the root of a mount of that type; 0: something else; or a negative errno. Whoever
 * serves a mount that is listed is not asked, as it may be dead, or hang.
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
		return is_fuse(fd, &stx);
	if (fstatfs(fd, &fs))
		return -errno;
	return (unsigned int)fs.f_type == magic;
}

bool libbpffs_is_fuse_root(int fd)
{
	return is_root(fd, FUSE_SUPER_MAGIC) > 0;
}

bool libbpffs_is_ours(int fd)
{
	struct statx stx;

	if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) &&
	    stx.stx_mask & STATX_MNT_ID && has_type(stx.stx_mnt_id, FUSE_TYPE) == LISTED)
		return true;
	return has_magic(fd, BPFFS_SUPER_MAGIC);
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

int libbpffs_check_fuse_root(const char *target)
{
	int fd = open(target, O_PATH | O_CLOEXEC);
	bool fuse = fd >= 0 && libbpffs_is_fuse_root(fd);

	if (fd >= 0)
		close(fd);
	return fuse ? 0 : -EINVAL;
}
