/* SPDX-License-Identifier: GPL-2.0-only */
/* A mount as a container with a user namespace has it: idmapped. */
#ifndef _BPFFS_TESTS_IDMAPPED_H
#define _BPFFS_TESTS_IDMAPPED_H

#include "util.h"

#define IDMAPPED	"/tmp/idmapped"
#define FIRST		100000	/* who is root there */

/* A user namespace in which 0 to 65535 are FIRST and so on; or -1. */
static inline int open_userns(void)
{
	static const char map[] = "0 100000 65536";
	int ready[2], ns = -1;
	char path[64], c;
	pid_t child;

	if (pipe(ready))
		return -1;
	child = fork();
	if (!child) {
		if (!unshare(CLONE_NEWUSER) && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
		if (!write_to(path, 0, map)) {
			snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
			if (!write_to(path, 0, map)) {
				snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
				ns = open(path, O_RDONLY);
			}
		}
	}
	close(ready[0]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return ns;
}

/* The mount at MNT once more, with the users of @userns. */
static inline int mount_with(int userns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = userns };
	int tree = open_tree(AT_FDCWD, MNT, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), err = 0;

	mkdir(IDMAPPED, 0755);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) ||
	    move_mount(tree, "", AT_FDCWD, IDMAPPED, MOVE_MOUNT_F_EMPTY_PATH))
		err = -errno;
	close(tree);
	return err;
}

#endif
