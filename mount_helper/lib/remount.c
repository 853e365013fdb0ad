// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* mount -o remount: of a mount that is there, ro and rw can change. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "internal.h"

/* All that mount(8) gives back is checked by the kernel, which says what differs. */
static int reconfigure(int fs, const struct libbpffs_plan *plan)
{
	const struct libbpffs_param *param = plan->params;
	bool ro = plan->attr & MOUNT_ATTR_RDONLY;

	for (; param < plan->params + plan->count; param++) {
		/* It belongs to the mount. */
		if (!strcmp(param->name, "source"))
			continue;
		if (libbpffs_set_param(fs, param))
			return libbpffs_refuse_step(fs, errno, param->name);
	}
	if (!ro && fsconfig(fs, FSCONFIG_SET_FLAG, "rw", NULL, 0))
		return libbpffs_refuse_step(fs, errno, "rw");
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		return libbpffs_refuse_step(fs, errno, "remount");
	return 0;
}

static int set_attributes(const char *target, unsigned int attr)
{
	struct mount_attr now = {
		.attr_set = attr,
		.attr_clr = MOUNT_ATTR__ATIME | (~attr & (MOUNT_ATTR_RDONLY |
							  MOUNT_ATTR_NODIRATIME |
							  MOUNT_ATTR_NOSYMFOLLOW)),
	};

	if (!mount_setattr(AT_FDCWD, target, 0, &now, sizeof(now)))
		return 0;
	return libbpffs_refuse_path(errno, target);
}

/*
 * FUSE knows nothing of the options by which the object was mounted, and so cannot say
 * whether one differs; and takes none back of its own, which mount(8) finds in
 * /proc/mounts.
 */
static void keep_ro(struct libbpffs_plan *plan)
{
	struct libbpffs_param *to = plan->params;
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->params[i].name, "ro"))
			*to++ = plan->params[i];
	plan->count = to - plan->params;
}

static int apply(const char *target, struct libbpffs_plan *plan)
{
	int fs = fspick(AT_FDCWD, target, FSPICK_CLOEXEC);
	int err;

	if (fs < 0)
		return libbpffs_refuse_path(errno, target);
	if (!libbpffs_check_fuse_root(target))
		keep_ro(plan);
	err = reconfigure(fs, plan);
	close(fs);
	return err ?: set_attributes(target, plan->attr);
}

int libbpffs_remount(const char *target, const char *options)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .options = options };
	struct libbpffs_plan plan = {};
	int err;

	libbpffs_clear_error();
	err = libbpffs_plan_mount(&plan, &opts);
	/* Of another type, ro would be changed just as well. */
	if (!err)
		err = plan.pinonly ? libbpffs_check_pinonly_root(target) :
				     libbpffs_check_root(target, true);
	if (!err)
		err = apply(target, &plan);
	libbpffs_plan_free(&plan);
	return err;
}
