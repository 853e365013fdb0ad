// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Unmounting, but only what is bpffs. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmount.h>

#include "internal.h"

#define UMOUNT_FLAGS	(MNT_DETACH | MNT_FORCE | MNT_EXPIRE | UMOUNT_NOFOLLOW)

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

/* Who has mounted by fusermount3(1) unmounts by it. */
static int unmount_as_user(const char *target, int flags)
{
	const char * const argv[] = {
		"fusermount3", "-u", "-q", flags & MNT_DETACH ? "-z" : "-q", "--", target, NULL
	};
	int status = -1;
	pid_t pid;

	if (!(flags & (MNT_FORCE | MNT_EXPIRE)) && !libbpffs_check_fuse_root(target) &&
	    !posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ))
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	libbpffs_clear_error();
	if (!status)
		return 0;
	return libbpffs_refuse(EPERM, "unmounting needs CAP_SYS_ADMIN");
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
		return unmount_as_user(target, flags);
	default:
		return libbpffs_refuse_path(errno, target);
	}
}
