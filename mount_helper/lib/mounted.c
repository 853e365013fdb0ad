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

bool libbpffs_is_fuse_root(int fd)
{
	return is_root(fd, FUSE_SUPER_MAGIC) > 0;
}

bool libbpffs_is_ours(int fd)
{
	struct statfs fs;
	struct statx stx;

	if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) &&
	    stx.stx_mask & STATX_MNT_ID && has_type(stx.stx_mnt_id, FUSE_TYPE))
		return true;
	return !fstatfs(fd, &fs) && fs.f_type == BPFFS_SUPER_MAGIC;
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
