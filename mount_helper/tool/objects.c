// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What the kernel says of objects: names, what a program uses, what a process has open. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "objects.h"

int name_of(int fd, char **name)
{
	struct libbpffs_full_name full;
	int err = libbpffs_full_name(&full, fd);

	*name = NULL;
	if (err)
		return err;
	if (full.count == 1 || *full.kept) {
		*name = strdup(full.count == 1 ? full.name[0] : full.kept);
		err = *name ? 0 : -ENOMEM;
	}
	libbpffs_full_name_free(&full);
	return err;
}

int maps_of(int fd, u32 **ids)
{
	struct bpf_prog_info info = {};
	u32 len = sizeof(info), count;

	*ids = NULL;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	count = info.nr_map_ids;
	if (!count)
		return 0;
	*ids = calloc(count, sizeof(**ids));
	if (!*ids)
		return -ENOMEM;
	memset(&info, 0, sizeof(info));
	info.nr_map_ids = count;
	info.map_ids = (unsigned long)*ids;
	len = sizeof(info);
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	return info.nr_map_ids < count ? info.nr_map_ids : count;
}

/* --- Of a process --- */

/* By its line in fdinfo. Returns 0 or a negative errno. */
static int see_fdinfo(int proc, const char *pid, const char *fd, open_action action,
		       void *context)
{
	enum libbpffs_kind kind = LIBBPFFS_NO_OBJECT;
	char path[64], line[128];
	u32 id, found = 0;
	FILE *file;
	int info;

	snprintf(path, sizeof(path), "%.20s/fdinfo/%.20s", pid, fd);
	info = openat(proc, path, O_RDONLY | O_CLOEXEC);
	file = info < 0 ? NULL : fdopen(info, "r");
	if (!file) {
		int err = -errno;

		if (info >= 0)
			close(info);
		return err;
	}
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "map_id: %u", &id) == 1)
			kind = LIBBPFFS_MAP;
		else if (sscanf(line, "link_id: %u", &id) == 1)
			kind = LIBBPFFS_LINK;
		else if (kind != LIBBPFFS_LINK && sscanf(line, "prog_id: %u", &id) == 1)
			kind = LIBBPFFS_PROG;
		else
			continue;
		found = id;
	}
	fclose(file);
	if (kind != LIBBPFFS_NO_OBJECT)
		action(context, kind, found);
	return 0;
}

int each_open_object(int proc, const char *pid, open_action action, void *context)
{
	char path[64], link[64];
	struct dirent *fd;
	ssize_t len;
	int fds, err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fds = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fds < 0 ? NULL : fdopendir(fds);
	if (!dir) {
		err = -errno;
		if (fds >= 0)
			close(fds);
		return err;
	}
	for (errno = 0; err != -ENOMEM && (fd = readdir(dir)); errno = 0) {
		len = readlinkat(dirfd(dir), fd->d_name, link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		if (!strncmp(link, "anon_inode:bpf", 14))
			err = see_fdinfo(proc, pid, fd->d_name, action, context);
	}
	/* It may have closed that one meanwhile. */
	if (err != -ENOMEM)
		err = -errno;
	closedir(dir);
	return err;
}
