// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* mount -o remount: of a mount that is there, ro and rw can change. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "layout.h"
#include "options.h"

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

/* --- Without the module, the mount's own files say what it was mounted with --- */

static int cannot_change(const char *name)
{
	return libbpffs_refuse(EINVAL, BPFFS_CANNOT_CHANGE, name);
}

/* The one line of a file in .bpf, or in the root of a program or link. To be freed. */
static char *told(const char *target, const char *name)
{
	char *path = NULL, *line = NULL;
	size_t size = 0;
	ssize_t len = -1;
	FILE *file;

	if (asprintf(&path, "%s/.bpf/%s", target, name) < 0)
		return NULL;
	file = fopen(path, "re");
	if (!file) {
		sprintf(path, "%s/%s", target, name);
		file = fopen(path, "re");
	}
	if (file) {
		len = getline(&line, &size, file);
		fclose(file);
	}
	free(path);
	if (len > 0) {
		line[len - 1] = '\0';
		return line;
	}
	free(line);
	return NULL;
}

static bool is_told(const char *target, const char *name, const char *value)
{
	char *line = told(target, name);
	bool is = line && !strcmp(line, value);

	free(line);
	return is;
}

/* What is said of the object, whoever can read it, must be true. */
static int check_object(const char *target, const char *name, const char *value)
{
	char *line = told(target, name);
	int err = 0;

	if (line && strcmp(line, value))
		err = libbpffs_refuse(EINVAL, strcmp(name, "id") ?
				      "%s: the object's name is \"%s\", not \"%s\"" :
				      "%s: the object's id is %s, not %s", name, line, value);
	free(line);
	return err;
}

/* Is it a spelling of the layout that is told, for as many bytes? */
static bool is_same_layout(const char *target, const char *name, const char *text)
{
	enum bpffs_use use = strcmp(name, "key") ? BPFFS_VALUE : BPFFS_KEY;
	char size_name[16], *size, *was = told(target, name), *now = NULL;
	struct bpffs_layout *layout;
	struct bpffs_reason why;
	bool same;

	snprintf(size_name, sizeof(size_name), "%s_size", name);
	size = told(target, size_name);
	/* Whoever may not read there is not told. */
	if (!was || !size) {
		same = !size || !strcmp(text, "none");
		free(was);
		free(size);
		return same;
	}
	if (!bpffs_layout_compile(&layout, text, strlen(text), strtoul(size, NULL, 10),
					  use, &why)) {
		now = bpffs_layout_string(layout);
		bpffs_layout_release(layout);
	}
	same = now && !strcmp(was, now);
	free(was);
	free(now);
	free(size);
	return same;
}

static bool is_same(const char *target, const struct stat *st, const char *name,
		    const char *value)
{
	unsigned int mode;

	if (!strcmp(name, "uid"))
		return strtoul(value, NULL, 10) == st->st_uid;
	if (!strcmp(name, "gid"))
		return strtoul(value, NULL, 10) == st->st_gid;
	if (!strcmp(name, "mode")) {
		mode = strtoul(value, NULL, 8);
		/* As directories have it; others than maps are only read. */
		return (st->st_mode & 0777) == bpffs_dir_mode(mode) ||
		       (st->st_mode & 0777) == bpffs_dir_mode(mode & 0444);
	}
	if (!strcmp(name, "key") || !strcmp(name, "value"))
		return is_same_layout(target, name, value);
	return true;
}

static int check_same(const char *target, const struct libbpffs_plan *plan)
{
	const struct libbpffs_param *param;
	struct stat st;
	int err = 0;

	if (stat(target, &st))
		return libbpffs_refuse_path(errno, target);
	for (param = plan->params; param < plan->params + plan->count && !err; param++) {
		if (!param->value)
			continue;
		if (!strcmp(param->name, "id") || !strcmp(param->name, "name"))
			err = check_object(target, param->name, param->value);
		else if (!is_same(target, &st, param->name, param->value))
			err = cannot_change(param->name);
	}
	if (err)
		return err;
	if (!(plan->attr & MOUNT_ATTR_RDONLY) && is_told(target, "frozen", "1"))
		return libbpffs_refuse(EROFS, "rw: the map is frozen or its descriptor read-only");
	return 0;
}

/* FUSE takes none of these back, nor its own, which mount(8) finds in /proc/mounts. */
static void keep_ro(struct libbpffs_plan *plan)
{
	struct libbpffs_param *to = plan->params;
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->params[i].name, "ro"))
			*to++ = plan->params[i];
	plan->count = to - plan->params;
}

/* --- Of either home --- */

static int apply(const char *target, struct libbpffs_plan *plan)
{
	int fs = fspick(AT_FDCWD, target, FSPICK_CLOEXEC);
	int err = 0;

	if (fs < 0)
		return libbpffs_refuse_path(errno, target);
	if (!libbpffs_check_fuse_root(target)) {
		err = check_same(target, plan);
		keep_ro(plan);
	}
	if (!err)
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
