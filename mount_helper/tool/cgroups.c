// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Paths of cgroups of version 2 by id, which is the inode number of the directory. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include <libmount.h>
#include <linux/magic.h>

#include "cgroups.h"

struct cgroup {
	u64 id;
	char *path;
};

static char *mounted;		/* the directory */
static char *mounted_root;	/* which cgroup it shows; "" is the root */
static struct cgroup *cgroups;
static size_t count;
static bool has_read;
static time_t read_at;

static void forget(void)
{
	while (count)
		free(cgroups[--count].path);
	free(cgroups);
	cgroups = NULL;
}

void free_cgroups(void)
{
	forget();
	free(mounted);
	free(mounted_root);
	mounted = NULL;
	mounted_root = NULL;
	has_read = false;
}

/* Of the cgroup that it shows; "/../.." is above the root of a cgroup namespace. */
static int depth_of(const char *root)
{
	int depth = 0;

	for (; *root; root += strcspn(root, "/")) {
		root += strspn(root, "/");
		if (*root)
			depth += strncmp(root, "..", 2) || (root[2] && root[2] != '/') ? 1 : -1;
	}
	return depth;
}

/* Nothing else is mounted over it, or over what is above. */
static bool is_visible(struct libmnt_table *table, struct libmnt_fs *fs)
{
	const char *target = mnt_fs_get_target(fs);
	struct statfs there;

	return mnt_table_find_target(table, target, MNT_ITER_BACKWARD) == fs &&
	       !statfs(target, &there) && there.f_type == CGROUP2_SUPER_MAGIC;
}

/* Where most of them are seen: what is mounted may be one of them, with those below. */
static struct libmnt_fs *find_mount(struct libmnt_table *table, struct libmnt_iter *iter)
{
	struct libmnt_fs *fs, *found = NULL;
	int depth, least = 0;

	while (!mnt_table_next_fs(table, iter, &fs)) {
		if (strcmp(mnt_fs_get_fstype(fs), "cgroup2") || !is_visible(table, fs))
			continue;
		depth = depth_of(mnt_fs_get_root(fs) ?: "");
		if (found && depth >= least)
			continue;
		found = fs;
		least = depth;
	}
	return found;
}

enum status load_cgroups(void)
{
	struct libmnt_table *table;
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	if (mounted)
		return DONE;
	table = mnt_new_table_from_file("/proc/self/mountinfo");
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	fs = table && iter ? find_mount(table, iter) : NULL;
	if (fs) {
		const char *root = mnt_fs_get_root(fs);

		mounted = strdup(mnt_fs_get_target(fs));
		mounted_root = strdup(root && strcmp(root, "/") ? root : "");
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	if (!mounted || !mounted_root)
		return fail("no cgroup2 is mounted here, which would have the names of cgroups");
	return DONE;
}

static int compare(const void *a, const void *b)
{
	const struct cgroup *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static bool add_cgroup(const FTSENT *entry)
{
	struct cgroup *more = reallocarray(cgroups, count + 1, sizeof(*more));
	const char *below = entry->fts_path + strlen(mounted);

	if (!more)
		return false;
	cgroups = more;
	more += count;
	more->id = entry->fts_statp->st_ino;
	if (asprintf(&more->path, "%s%s", mounted_root,
		     *below || *mounted_root ? below : "/") < 0)
		return false;
	count++;
	return true;
}

/* What vanishes meanwhile is not there. */
static void read_cgroups(void)
{
	char *const paths[2] = { mounted };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	forget();
	while (fts && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_D && !add_cgroup(entry))
			break;
	if (fts)
		fts_close(fts);
	if (count)
		qsort(cgroups, count, sizeof(*cgroups), compare);
}

static const char *find_path(u64 id)
{
	const struct cgroup key = { .id = id }, *found;

	found = count ? bsearch(&key, cgroups, count, sizeof(key), compare) : NULL;
	return found ? found->path : NULL;
}

/* One that is not there may be new; whether it is, is looked up once a second. */
const char *cgroup_path(u64 id)
{
	const char *path = find_path(id);
	struct timespec now;

	if (path)
		return path;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (has_read && now.tv_sec == read_at)
		return NULL;
	has_read = true;
	read_at = now.tv_sec;
	read_cgroups();
	return find_path(id);
}
