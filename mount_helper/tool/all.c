// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs all: maps below a directory, each by its name, and away again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <libmount.h>

#include "command.h"
#include "internal.h"
#include "objects.h"

/* What is mounted has this source, by which it is found again. */
#define SOURCE	"map:id:"

/* What bpffs-fuse has for itself, for each of its mounts: there would be no end. */
#define FUSE_MAP	"bpffs_place"

/**
 * struct found - a map that is to be mounted
 * @id: of it
 * @fd: of one that a SOURCE itself names, as who may open that may not open it by its
 *	id; else -1
 * @name: "", if there is none for a file; NULL: it is not to be mounted, as long as it is
 *	not looked at, and if it has gone or may not be opened
 */
struct found {
	u32 id;
	int fd;
	char *name;
};

/**
 * struct all - where to mount, and what
 * @dir: an absolute path without links
 * @mounts: /proc/self/mountinfo, before anything is done
 * @options: of each mount, or NULL
 * @only_reads: nothing is written by way of these mounts
 * @found: each map once
 * @count: of @found
 * @system: these are all that there are
 * @any: of the SOURCE that is looked at, there are some
 * @failed: a sentence about one of them was printed
 * @no_memory: that of all may lack some
 */
struct all {
	char *dir;
	struct libmnt_table *mounts;
	const char *options;
	bool only_reads;
	struct found *found;
	size_t count;
	bool system;
	bool any;
	bool failed;
	bool no_memory;
};

/* --- Which maps --- */

static struct found *add_map(struct all *all, u32 id)
{
	struct found *more;
	size_t i;

	all->any = true;
	for (i = 0; i < all->count; i++)
		if (all->found[i].id == id)
			return &all->found[i];
	more = reallocarray(all->found, all->count + 1, sizeof(*more));
	if (!more) {
		all->no_memory = true;
		return NULL;
	}
	all->found = more;
	more += all->count++;
	*more = (struct found){ .id = id, .fd = -1 };
	return more;
}

static int add_maps_of(struct all *all, int prog)
{
	u32 *ids;
	int count = maps_of(prog, &ids), i;

	for (i = 0; i < count; i++)
		add_map(all, ids[i]);
	free(ids);
	return count < 0 ? count : 0;
}

/* The program of a link, if it has one. */
static int add_maps_of_link(struct all *all, int link)
{
	struct bpf_link_info info = {};
	u32 len = sizeof(info);
	int prog, err;

	if (bpf_obj_get_info_by_fd(link, &info, &len))
		return -errno;
	if (!info.prog_id)
		return 0;
	prog = bpf_prog_get_fd_by_id(info.prog_id);
	if (prog < 0)
		return -errno;
	err = add_maps_of(all, prog);
	close(prog);
	return err;
}

/* Becomes the owner of @fd. */
static int add_object(struct all *all, int fd)
{
	struct found *found;
	int err = -EINVAL;

	switch (libbpffs_kind_of(fd)) {
	case LIBBPFFS_MAP:
		found = add_map(all, libbpffs_id_of(fd));
		if (found && found->fd < 0) {
			found->fd = fd;
			return 0;
		}
		err = 0;
		break;
	case LIBBPFFS_PROG:
		err = add_maps_of(all, fd);
		break;
	case LIBBPFFS_LINK:
		err = add_maps_of_link(all, fd);
		break;
	default:
		break;
	}
	close(fd);
	return err;
}

static void add_open_object(void *context, enum libbpffs_kind kind, u32 id)
{
	struct all *all = context;
	int fd, err;

	if (kind == LIBBPFFS_MAP) {
		add_map(all, id);
		return;
	}
	fd = kind == LIBBPFFS_PROG ? bpf_prog_get_fd_by_id(id) : bpf_link_get_fd_by_id(id);
	err = fd < 0 ? -errno : add_object(all, fd);
	/* It may have gone meanwhile. */
	if (err && err != -ENOENT) {
		fail("all: %s:id:%u: %s", kind == LIBBPFFS_PROG ? "prog" : "link", id,
		     strerror(-err));
		all->failed = true;
	}
}

static int add_process(struct all *all, const char *pid)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (proc < 0)
		return -errno;
	err = each_open_object(proc, pid, add_open_object, all);
	close(proc);
	return err == -ENOENT ? -ESRCH : err;
}

static enum status take_source(struct all *all, const char *source)
{
	int fd, err;

	all->any = false;
	if (!strncmp(source, "pid:", 4)) {
		if (!source[4] || source[4 + strspn(source + 4, "0123456789")])
			return fail("all: %s: \"%s\" is no number of a process", source, source + 4);
		err = add_process(all, source + 4);
	} else {
		fd = libbpffs_source_open(source, all->only_reads);
		if (fd < 0)
			return fail("all: %s", bpf_mount_error());
		err = add_object(all, fd);
	}
	if (err)
		return fail("all: %s: %s", source, strerror(-err));
	return all->any ? DONE : fail("all: %s: has no maps", source);
}

static enum status take_system(struct all *all)
{
	u32 id = 0;

	all->system = true;
	while (!bpf_map_get_next_id(id, &id))
		add_map(all, id);
	if (errno == EPERM)
		return fail("all: looking for BPF objects needs CAP_SYS_ADMIN; give a SOURCE");
	return errno == ENOENT ? DONE : fail("all: %s", strerror(errno));
}

/* --- Their names --- */

static int open_found(struct all *all, const struct found *found)
{
	char source[32];
	int fd;

	if (found->fd >= 0)
		return fcntl(found->fd, F_DUPFD_CLOEXEC, 0);
	snprintf(source, sizeof(source), SOURCE "%u", found->id);
	fd = libbpffs_source_open(source, all->only_reads);
	if (fd < 0 && fd != -ENOENT) {
		fail("all: %s", bpf_mount_error());
		all->failed = true;
	}
	return fd;
}

/* Is it one for a file, with an id behind it? Names of sections can have anything. */
static bool is_file_name(const char *name)
{
	return name && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/') &&
	       strlen(name) <= 200;
}

static void find_names(struct all *all)
{
	struct found *found;
	char *name;
	size_t i;
	int fd;

	for (i = 0; i < all->count; i++) {
		found = &all->found[i];
		fd = open_found(all, found);
		if (fd < 0)
			continue;
		if (name_of(fd, &name) == -ENOMEM)
			all->no_memory = true;
		close(fd);
		if (!is_file_name(name)) {
			free(name);
			name = strdup("");
		} else if (all->system && !strcmp(name, FUSE_MAP)) {
			free(name);
			continue;
		}
		found->name = name;
		if (!name)
			all->no_memory = true;
	}
}

/* Only its own. */
static bool has_own_name(const struct all *all, const struct found *found)
{
	size_t i;

	for (i = 0; i < all->count; i++)
		if (&all->found[i] != found && all->found[i].name &&
		    !strcmp(all->found[i].name, found->name))
			return false;
	return *found->name;
}

/* --- Mounting --- */

/* Of what "all" has mounted, the id; else 0. */
static unsigned long source_id(struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs);

	if (!mnt_fs_match_fstype(fs, FS_TYPE "," FUSE_TYPE) || !source ||
	    strncmp(source, SOURCE, strlen(SOURCE)))
		return 0;
	return strtoul(source + strlen(SOURCE), NULL, 10);
}

/* By another call of the same? */
static bool is_mounted(const struct all *all, const char *path, u32 id)
{
	struct libmnt_fs *fs = mnt_table_find_target(all->mounts, path, MNT_ITER_BACKWARD);

	return fs && source_id(fs) == id;
}

/* New, or what a mount that has gone, as with a boot, has left. */
static bool make_directory(const char *path)
{
	return !mkdir(path, 0755) || (errno == EEXIST && !rmdir(path) && !mkdir(path, 0755));
}

static enum status mount_on(const struct all *all, int fd, u32 id, const char *path)
{
	struct libbpffs_outcome outcome;
	char source[32];
	struct bpf_mount_opts opts = {
		.sz = sizeof(opts),
		.source = source,
		.options = all->options,
	};
	int err;

	snprintf(source, sizeof(source), SOURCE "%u", id);
	libbpffs_clear_error();
	err = libbpffs_mount(fd, path, &opts, &outcome);
	if (!err && outcome.mnt >= 0) {
		err = libbpffs_attach(outcome.mnt, path);
		close(outcome.mnt);
	}
	if (err) {
		rmdir(path);
		return fail("all: %s: " SOURCE "%u: %s", path, id, bpf_mount_error());
	}
	if (*outcome.note)
		fail("all: %s: %s", path, outcome.note);
	return DONE;
}

/* Under its name, unless others have that too, or something else is there. */
static enum status mount_found(struct all *all, const struct found *found)
{
	char *plain, *with_id, *path;
	enum status status = DONE;
	bool own = has_own_name(all, found);
	int fd;

	if (asprintf(&with_id, "%s/%s-%u", all->dir, *found->name ? found->name : "map",
		     found->id) < 0)
		return fail("all: %s", strerror(ENOMEM));
	if (asprintf(&plain, "%s/%s", all->dir, found->name) < 0) {
		free(with_id);
		return fail("all: %s", strerror(ENOMEM));
	}
	if (is_mounted(all, plain, found->id) || is_mounted(all, with_id, found->id))
		goto out;
	fd = open_found(all, found);
	if (fd < 0)
		goto out;
	path = own && make_directory(plain) ? plain : with_id;
	if (path == plain || make_directory(with_id))
		status = mount_on(all, fd, found->id, path);
	else
		status = fail("all: %s: %s", path, strerror(errno));
	close(fd);
out:
	free(plain);
	free(with_id);
	return status;
}

static enum status mount_all(struct all *all, int count, char **sources)
{
	size_t number;
	int i;

	if (!count && take_system(all))
		return FAILED;
	for (i = 0; i < count; i++)
		if (take_source(all, sources[i]))
			all->failed = true;
	find_names(all);
	if (all->no_memory)
		return fail("all: %s", strerror(ENOMEM));
	for (number = 0; number < all->count; number++)
		if (all->found[number].name && mount_found(all, &all->found[number]))
			all->failed = true;
	return all->failed ? FAILED : DONE;
}

/* --- Unmounting --- */

/* Is it in that directory, and not further below? */
static bool is_below(const char *path, const char *dir)
{
	size_t len = strcmp(dir, "/") ? strlen(dir) : 0;

	return !strncmp(path, dir, len) && path[len] == '/' && !strchr(path + len + 1, '/');
}

static enum status unmount_all(struct all *all)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs;

	if (!iter)
		return fail("all: %s", strerror(ENOMEM));
	while (!mnt_table_next_fs(all->mounts, iter, &fs)) {
		const char *path = mnt_fs_get_target(fs);

		if (!source_id(fs) || !is_below(path, all->dir))
			continue;
		if (bpf_umount(path, UMOUNT_NOFOLLOW)) {
			fail("all: %s", bpf_mount_error());
			all->failed = true;
		} else if (rmdir(path)) {
			fail("all: %s: %s", path, strerror(errno));
			all->failed = true;
		}
	}
	mnt_free_iter(iter);
	return all->failed ? FAILED : DONE;
}

/* --- The command --- */

/* What is wrong with all mounts is said once. */
static enum status check_options(struct all *all)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .options = all->options };
	struct libbpffs_plan plan = {};
	enum status status = DONE;

	libbpffs_clear_error();
	if (libbpffs_plan_mount(&plan, &opts))
		status = fail("all: %s", bpf_mount_error());
	else if (plan.pinonly)
		status = fail("all: pinonly: mounts a pin, and these are mounts of files");
	all->only_reads = libbpffs_plan_only_reads(&plan);
	libbpffs_plan_free(&plan);
	return status;
}

static enum status read_options(struct all *all, bool *unmount, int argc, char **argv)
{
	static const struct option options[] = {
		{ "options", required_argument, NULL, 'o' },
		{ "unmount", no_argument, NULL, 'u' },
		{}
	};
	int option;

	while ((option = next_option(argc, argv, ":o:u", options)) != -1) {
		switch (option) {
		case '?':
			return FAILED;
		case 'o':
			if (all->options)
				return fail("all: -o comes twice: give all options to one, with commas");
			all->options = optarg;
			break;
		case 'u':
			*unmount = true;
			break;
		}
	}
	if (argc == optind)
		return fail("all: DIR is missing (see bpffs --help)");
	if (*unmount && all->options)
		return fail("all: -u takes no -o, as it mounts nothing");
	if (*unmount && argc > optind + 1)
		return fail("all: -u takes no SOURCE: it unmounts all that is below DIR");
	return all->options ? check_options(all) : DONE;
}

static enum status find_directory(struct all *all, const char *dir)
{
	struct stat st;

	all->dir = realpath(dir, NULL);
	if (!all->dir || stat(all->dir, &st))
		return fail("all: %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail("all: %s: %s", dir, strerror(ENOTDIR));
	all->mounts = mnt_new_table_from_file("/proc/self/mountinfo");
	if (!all->mounts)
		return fail("all: /proc/self/mountinfo: %s", strerror(errno ?: ENOMEM));
	return DONE;
}

enum status all_command(int argc, char **argv)
{
	bool unmount = false;
	struct all all = {};
	enum status status = read_options(&all, &unmount, argc, argv);
	size_t i;

	if (!status)
		status = find_directory(&all, argv[optind]);
	if (!status)
		status = unmount ? unmount_all(&all) :
				   mount_all(&all, argc - optind - 1, argv + optind + 1);
	for (i = 0; i < all.count; i++) {
		free(all.found[i].name);
		if (all.found[i].fd >= 0)
			close(all.found[i].fd);
	}
	free(all.found);
	mnt_unref_table(all.mounts);
	free(all.dir);
	return status;
}
