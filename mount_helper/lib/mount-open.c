// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The object of a mount, back as a descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpffs.h>

#include "internal.h"

/* A map has it in .bpf, a program or a link in the root itself. */
static int open_fd_file(int mount_fd, int mode)
{
	static const char * const names[] = { ".bpf/fd", "fd" };
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fd = openat(mount_fd, names[i], mode | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			return fd;
	}
	return -1;
}

static int refuse(int err, const char *what)
{
	switch (err) {
	case EACCES:
		return libbpffs_refuse(err, "%s: no permission to take a descriptor", what);
	case EPERM:
		return libbpffs_refuse(err, "%s: an idmapped mount hands no descriptor out", what);
	case EROFS:
		return libbpffs_refuse(err, "%s: a read-only mount hands no descriptor out", what);
	case ENOENT:
	case ENOTTY:
		return libbpffs_refuse(EINVAL, "%s: not the root of a bpffs mount", what);
	}
	return libbpffs_refuse_path(err, what);
}

/* A number that is all of a small file. */
static int read_id(int mount_fd, const char *name, __u32 *id)
{
	int fd = openat(mount_fd, name, O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	int err;

	if (fd < 0)
		return -errno;
	err = read(fd, text, sizeof(text) - 1) < 0 ? -errno : 0;
	close(fd);
	*id = strtoul(text, NULL, 10);
	if (!err && !*id)
		err = -ENOENT;
	return err;
}

/*
 * FUSE gives no descriptor. But who may have one as the module's .bpf/fd gives it, may
 * open any object by its number, and this one keeps it as long as it is mounted.
 */
static int open_by_id(int mount_fd, int mode, const char *what)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = mode == O_RDONLY ? BPF_F_RDONLY : 0);
	struct statfs fs;
	__u32 id;
	int fd;

	if (fstatfs(mount_fd, &fs))
		return refuse(errno, what);
	if (fs.f_flags & ST_RDONLY)
		return refuse(EROFS, what);
	if (!read_id(mount_fd, ".bpf/id", &id))
		fd = bpf_map_get_fd_by_id_opts(id, &opts);
	else if (read_id(mount_fd, "id", &id))
		return refuse(ENOENT, what);
	else if (mode == O_RDONLY)
		return refuse(EACCES, what);
	else if (!faccessat(mount_fd, "prog_id", F_OK, AT_SYMLINK_NOFOLLOW))
		fd = bpf_link_get_fd_by_id(id);
	else
		fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return refuse(errno == EPERM ? EACCES : errno, what);
	return fd;
}

/* @what: for the sentence of a refusal */
static int open_object(int mount_fd, int flags, const char *what)
{
	__u32 asked = flags | O_CLOEXEC;
	int mode = flags & O_ACCMODE;
	int file, fd, err;

	if (flags & ~(O_ACCMODE | O_CLOEXEC) || mode == O_WRONLY)
		return libbpffs_refuse(EINVAL, "flags: %#x is neither O_RDONLY nor O_RDWR", flags);
	if (libbpffs_is_fuse_root(mount_fd))
		return open_by_id(mount_fd, mode, what);
	file = open_fd_file(mount_fd, mode);
	if (file < 0)
		return refuse(errno, what);
	fd = ioctl(file, BPFFS_IOC_GET_FD, &asked);
	err = fd < 0 ? errno : 0;
	close(file);
	return err ? refuse(err, what) : fd;
}

int bpf_mount_openat(int mount_fd, int flags)
{
	static const char what[] = "the mount";
	int err;

	libbpffs_clear_error();
	/* Elsewhere, a file "fd" may be a device or a fifo: do not open it. */
	err = libbpffs_check_root_fd(mount_fd, what);
	return err ?: open_object(mount_fd, flags, what);
}

int bpf_mount_open(const char *target, int flags)
{
	int mount_fd, ret, err;

	libbpffs_clear_error();
	err = libbpffs_check_target(target);
	if (err)
		return err;
	mount_fd = open(target, O_PATH | O_CLOEXEC);
	if (mount_fd < 0)
		return libbpffs_refuse_path(errno, target);
	ret = libbpffs_check_root_fd(mount_fd, target);
	if (!ret)
		ret = open_object(mount_fd, flags, target);
	err = errno;
	close(mount_fd);
	errno = err;
	return ret;
}
