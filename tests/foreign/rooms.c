// SPDX-License-Identifier: GPL-2.0-only
/*
 * For stress-ng, which makes a directory of its own for each stressor, and a mount of a map
 * has none: below the directory $ROOMS, what mkdir(2) makes gets a bind mount of $MAP, and
 * rmdir(2) takes it away before. All else is stress-ng's, on the mount.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_room(const char *path)
{
	const char *rooms = getenv("ROOMS");
	size_t len = rooms ? strlen(rooms) : 0;

	return len && !strncmp(path, rooms, len) && path[len] == '/' &&
		!strchr(path + len + 1, '/');
}

int mkdir(const char *path, mode_t mode)
{
	__typeof__(mkdir) *next = dlsym(RTLD_NEXT, "mkdir");
	int ret = next(path, mode);

	if (!ret && is_room(path) && mount(getenv("MAP"), path, NULL, MS_BIND, NULL)) {
		perror("rooms: mount");
		_exit(99);
	}
	return ret;
}

int rmdir(const char *path)
{
	__typeof__(rmdir) *next = dlsym(RTLD_NEXT, "rmdir");

	/* A stressor may have files open there, which it closes when it ends. */
	if (is_room(path))
		umount2(path, MNT_DETACH);
	return next(path);
}
