// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * -o pin: bpffs with a real pin of the object in it, .bpf/pin. The pin lies in a
 * file system of its own, of the kernel's type "bpf", whose root bpffs takes.
 *
 * -o pinonly: for kernels without bpffs, a file system of the kernel's own type
 * "bpf" with nothing in it but a pin of the object. (A kernel that preloads its
 * iterators adds these: maps.debug and progs.debug cannot be removed.)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "internal.h"
#include "object.h"

/* The pin's name. */
static const char *name_of(int fd)
{
	switch (libbpffs_kind_of(fd)) {
	case LIBBPFFS_MAP:
		return "map";
	case LIBBPFFS_PROG:
		return "prog";
	case LIBBPFFS_LINK:
		return "link";
	default:
		return NULL;
	}
}

static int open_context(void)
{
	int fs = fsopen("bpf", FSOPEN_CLOEXEC);
	int err = errno;

	if (fs >= 0)
		return fs;
	if (err == EPERM)
		return libbpffs_refuse(err, NEEDS_CAP);
	return libbpffs_refuse(err, "pinonly: fsopen of type bpf: %s", strerror(err));
}

/* Root's, as is the power over the object. */
static int create(int fs, const struct libbpffs_plan *plan)
{
	const struct libbpffs_param mode = { "mode", "0700" };
	size_t i;

	if (libbpffs_set_param(fs, &mode))
		return libbpffs_refuse_step(fs, errno, "mode");
	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->params[i].name, "source") &&
		    libbpffs_set_param(fs, &plan->params[i]))
			return libbpffs_refuse_step(fs, errno, "source");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return libbpffs_refuse_step(fs, errno, "pinonly: making the file system");
	return 0;
}

static int pin(int mnt, int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", mnt, name);
	if (!bpf_obj_pin(fd, path))
		return 0;
	return libbpffs_refuse(errno, "pinonly: pinning the %s: %s", name, strerror(errno));
}

/* What could not be pinned before: both the file system and the mount. */
static int make_read_only(int fs, int mnt)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) ||
	    fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		return libbpffs_refuse_step(fs, errno, "ro");
	if (mount_setattr(mnt, "", AT_EMPTY_PATH, &attr, sizeof(attr)))
		return libbpffs_refuse(errno, "ro: %s", strerror(errno));
	return 0;
}

static int make_mount(int fs, int fd, const char *name, const struct libbpffs_plan *plan,
		      bool read_only)
{
	int mnt, err;

	err = create(fs, plan);
	if (err)
		return err;
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, plan->attr & ~MOUNT_ATTR_RDONLY);
	if (mnt < 0)
		return libbpffs_refuse_step(fs, errno, "fsmount");
	err = pin(mnt, fd, name);
	if (!err && read_only)
		err = make_read_only(fs, mnt);
	if (!err)
		return mnt;
	close(mnt);
	return err;
}

/*
 * A pin can be opened for what the descriptor does not allow. Only a map's says
 * what that is: a link's is O_RDONLY for the kernel, whatever can be done with it.
 */
static int check_access(int fd, const struct libbpffs_plan *plan, bool *read_only)
{
	enum libbpffs_kind kind = libbpffs_kind_of(fd);
	int access = fcntl(fd, F_GETFL) & O_ACCMODE;

	*read_only = plan->attr & MOUNT_ATTR_RDONLY;
	if (kind == LIBBPFFS_LINK && *read_only)
		return libbpffs_refuse(EINVAL,
				       "ro: the pin of a link can only be opened read-write");
	if (kind != LIBBPFFS_MAP)
		return 0;
	if (access == O_WRONLY)
		return libbpffs_refuse(EACCES, "fd: the descriptor is write-only");
	if (access == O_RDONLY)
		*read_only = true;
	return 0;
}

int libbpffs_mount_pin(int fd, const struct libbpffs_plan *plan)
{
	const char *name = name_of(fd);
	bool read_only;
	int fs, ret;

	if (!name)
		return libbpffs_refuse(EINVAL, "fd: not a BPF map, program or link");
	ret = check_access(fd, plan, &read_only);
	if (ret)
		return ret;
	fs = open_context();
	if (fs < 0)
		return fs;
	ret = make_mount(fs, fd, name, plan, read_only);
	close(fs);
	if (ret < 0)
		errno = -ret;
	return ret;
}

int libbpffs_pin_root(int fd)
{
	const struct libbpffs_plan plan = {};
	const char *name = name_of(fd);
	int fs, mnt, root;

	if (!name)
		return libbpffs_refuse(EINVAL, "fd: not a BPF map, program or link");
	fs = open_context();
	if (fs < 0)
		return fs;
	mnt = make_mount(fs, fd, name, &plan, false);
	close(fs);
	if (mnt < 0)
		return mnt;
	/* The kernel takes no O_PATH descriptor, as that of the mount is. */
	root = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		root = libbpffs_refuse(errno, "pin: %s", strerror(errno));
	close(mnt);
	return root;
}
