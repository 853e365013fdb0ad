// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* libbpffs: mount one BPF object as a file system of type bpffs. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static void close_quietly(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

static int open_context(void)
{
	int fs = fsopen(FS_TYPE, FSOPEN_CLOEXEC);
	int err = errno;

	if (fs >= 0)
		return fs;
	switch (err) {
	case ENODEV:
		return libbpffs_refuse(err, "the kernel has no file system bpffs (modprobe bpffs, or install bpffs-fuse; or -o pinonly for a mere pin)");
	case ENOSYS:
		return libbpffs_refuse(err, "the kernel has no fsopen(2)");
	case EPERM:
		return libbpffs_refuse(err, NEEDS_CAP);
	default:
		return libbpffs_refuse(err, "fsopen: %s", strerror(err));
	}
}

int libbpffs_set_param(int fs, const struct libbpffs_param *param)
{
	size_t size;

	if (!param->value)
		return fsconfig(fs, FSCONFIG_SET_FLAG, param->name, NULL, 0);
	size = strlen(param->value);
	if (size < STRING_MAX)
		return fsconfig(fs, FSCONFIG_SET_STRING, param->name,
				param->value, 0);
	return fsconfig(fs, FSCONFIG_SET_BINARY, param->name, param->value,
			size);
}

static int give_pin(int fs, int fd)
{
	int root = libbpffs_pin_root(fd);
	int err = 0;

	if (root < 0)
		return root;
	if (fsconfig(fs, FSCONFIG_SET_FD, "pinroot", NULL, root))
		err = libbpffs_refuse_step(fs, errno, "pinroot");
	close_quietly(root);
	return err;
}

static int configure(int fs, int fd, const struct libbpffs_plan *plan)
{
	size_t i;
	int err;

	if (fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, fd))
		return libbpffs_refuse_step(fs, errno, "fd");
	err = plan->pin ? give_pin(fs, fd) : 0;
	if (err)
		return err;
	for (i = 0; i < plan->count; i++)
		if (libbpffs_set_param(fs, &plan->params[i]))
			return libbpffs_refuse_step(fs, errno, plan->params[i].name);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return libbpffs_refuse_step(fs, errno, "making the file system");
	return 0;
}

static int mount_kernel(int fd, const struct libbpffs_plan *plan)
{
	int fs = open_context();
	int mnt;

	if (fs < 0)
		return fs;
	mnt = configure(fs, fd, plan);
	if (!mnt) {
		mnt = fsmount(fs, FSMOUNT_CLOEXEC, plan->attr);
		if (mnt < 0)
			mnt = libbpffs_refuse_step(fs, errno, "fsmount");
	}
	close_quietly(fs);
	return mnt;
}

/*
 * Without being asked: where there is no module, and who may not mount by it, which
 * root of a user namespace learns late.
 */
static const char *why_fuse(int err, const struct libbpffs_plan *plan)
{
	if (plan->backend != LIBBPFFS_AUTO || plan->pin || !libbpffs_has_fuse())
		return NULL;
	switch (err) {
	case -ENODEV:
		return "the kernel has no file system bpffs";
	case -EPERM:
		return "the kernel's bpffs needs CAP_SYS_ADMIN";
	default:
		return NULL;
	}
}

static int mount_plan(int fd, struct libbpffs_plan *plan)
{
	int ret;

	if (plan->backend == LIBBPFFS_FUSE)
		return libbpffs_mount_fuse(fd, plan);
	ret = mount_kernel(fd, plan);
	if (ret >= 0) {
		plan->why = plan->backend == LIBBPFFS_AUTO ? "the kernel has it" : NULL;
		plan->backend = LIBBPFFS_KERNEL;
		return ret;
	}
	plan->why = why_fuse(ret, plan);
	if (!plan->why)
		return ret;
	plan->backend = LIBBPFFS_FUSE;
	libbpffs_clear_error();
	return libbpffs_mount_fuse(fd, plan);
}

/*
 * Layouts that nobody asked for are no reason to refuse a mount: the kernel may
 * know fewer types of maps than the library. They are those of @fd.
 */
static int mount_auto(int fd, int object, struct libbpffs_plan *plan)
{
	int ret;

	ret = libbpffs_plan_auto(plan, fd);
	if (ret)
		return ret;
	ret = mount_plan(object, plan);
	if (ret != -EINVAL && ret != -ENAMETOOLONG && ret != -E2BIG)
		return ret;
	if (!libbpffs_plan_drop_auto(plan))
		return ret;
	libbpffs_clear_error();
	return mount_plan(object, plan);
}

/* @object: @fd, or a copy of it, which may lack the types. */
static int mount_object(int fd, int object, struct libbpffs_plan *plan)
{
	if (plan->pinonly)
		return libbpffs_mount_pin(object, plan);
	return mount_auto(fd, object, plan);
}

static int mount_snapshot(int fd, struct libbpffs_plan *plan)
{
	int copy = libbpffs_snapshot(fd);
	int ret;

	if (copy < 0)
		return copy;
	ret = mount_object(fd, copy, plan);
	close_quietly(copy);
	return ret;
}

/* Of these two VFS says EBADF before bpffs can say why. */
int libbpffs_check_fd(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return libbpffs_refuse(EBADF, "fd: descriptor %d is not open", fd);
	if (flags & O_PATH)
		return libbpffs_refuse(EBADF,
				       "fd: an O_PATH descriptor gives no access to an object");
	return 0;
}

int libbpffs_mount(int fd, const char *directory, const struct bpf_mount_opts *opts,
		   struct libbpffs_outcome *outcome)
{
	struct libbpffs_plan plan = { .directory = directory };
	int ret;

	*outcome->note = '\0';
	ret = libbpffs_check_fd(fd);
	if (ret)
		return ret;
	ret = libbpffs_plan_mount(&plan, opts);
	if (!ret)
		ret = plan.snapshot ? mount_snapshot(fd, &plan) :
				      mount_object(fd, fd, &plan);
	outcome->mnt = plan.mounted ? -1 : ret;
	outcome->backend = plan.backend;
	outcome->why = plan.why;
	memcpy(outcome->note, plan.note, sizeof(outcome->note));
	libbpffs_plan_free(&plan);
	return ret < 0 ? ret : 0;
}

int bpf_mount_fd_detached(int fd, const struct bpf_mount_opts *opts)
{
	struct libbpffs_outcome outcome;

	libbpffs_clear_error();
	return libbpffs_mount(fd, NULL, opts, &outcome) ?: outcome.mnt;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int libbpffs_attach(int mnt, const char *target)
{
	int err;

	/* Links are followed, as mount(2) does. */
	if (!move_mount(mnt, "", AT_FDCWD, target,
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS))
		return 0;
	err = errno;
	if (err == EPERM)
		return libbpffs_refuse(err, NEEDS_CAP);
	/* Of a file, move_mount(2) says EINVAL, which says nothing. */
	if (err == EINVAL && !is_directory(target))
		err = ENOTDIR;
	return libbpffs_refuse_path(err, target);
}

int bpf_mount_fd(int fd, const char *target, const struct bpf_mount_opts *opts)
{
	struct libbpffs_outcome outcome;
	int err;

	libbpffs_clear_error();
	err = libbpffs_check_target(target);
	if (!err)
		err = libbpffs_mount(fd, target, opts, &outcome);
	if (err || outcome.mnt < 0)
		return err;
	err = libbpffs_attach(outcome.mnt, target);
	close_quietly(outcome.mnt);
	return err;
}

const char *bpffs_version_string(void)
{
	return LIBBPFFS_VERSION;
}
