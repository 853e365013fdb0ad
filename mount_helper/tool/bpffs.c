// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs: a small tool for what is mounted, and for what could be. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmount.h>

#include "internal.h"
#include "mounted-map.h"
#include "object.h"
#include "open.h"
#include "progress.h"

const char usage[] =
	"usage: bpffs json [OPTIONS] DIR\n"
	"                             the elements of a mounted map as JSON Lines\n"
	"       bpffs export [OPTIONS] DIR\n"
	"                             the same as metrics: OpenMetrics text\n"
	"       bpffs top [OPTIONS] DIR\n"
	"                             the elements on a terminal, as they change: rates, totals\n"
	"       bpffs watch [OPTIONS] DIR [KEY...]\n"
	"                             what changes: elements that come and go, and their fields\n"
	"       bpffs plot [OPTIONS] DIR [KEY...]\n"
	"                             a field as a picture of text or SVG: a histogram, a series\n"
	"       bpffs save DIR... FILE\n"
	"                             layouts, info and table of maps, as a tar\n"
	"       bpffs restore [--map=NAME] FILE DIR\n"
	"                             the table of such a tar, into an empty map\n"
	"       bpffs list [OPTIONS]  all maps, programs and links: who has them mounted, pinned\n"
	"                             or open; without privileges, those that are mounted\n"
	"       bpffs all [-o OPTIONS] DIR [SOURCE...]\n"
	"                             mounts all maps, of the system, a program or a process\n"
	"                             (pid:N), each below DIR; bpffs all -u DIR unmounts them\n"
	"       bpffs layout SOURCE   the layouts that key=auto,value=auto mean for a map\n"
	"       bpffs check DIR       does the SOURCE of a mount still name its object?\n"
	"                             exit status 0: yes, 1: no, 2: it cannot be said\n"
	"       bpffs open [-r] DIR -- CMD [ARGS]\n"
	"                             run CMD with the mounted object as descriptor 3 (its\n"
	"                             number is in $BPFFS_FD, should 3 be in use); -r: read-only\n"
	"       bpffs --version | --help | COMMAND --help\n"
	"\n"
	"DIR: the root of a mount of type bpffs. SOURCE: PATH of a pinned object,\n"
	"map:NAME, map:id:7, prog:NAME, prog:id:7, prog:tag:TAG or link:id:7.\n"
	"See bpffs(8).\n";

/* The row of /proc/self/mountinfo, in a table that is to be freed: what has the root @dir. */
static struct libmnt_fs *find_mount(const char *dir, struct libmnt_table **table)
{
	char *path = realpath(dir, NULL);
	struct libmnt_fs *fs = NULL;

	*table = mnt_new_table();
	if (path && *table && !mnt_table_parse_file(*table, "/proc/self/mountinfo"))
		fs = mnt_table_find_target(*table, path, MNT_ITER_BACKWARD);
	free(path);
	return fs && mnt_fs_match_fstype(fs, FS_TYPE "," FUSE_TYPE) ? fs : NULL;
}

/* --- layout --- */

static bool put_layout(const char *name, const char *layout)
{
	if (layout)
		printf("%s=%s\n", name, layout);
	return layout;
}

static enum status layout(const char *source)
{
	int fd = libbpffs_source_open(source, true);
	struct libbpffs_layouts found;
	bool any;
	int err;

	if (fd < 0)
		return fail("%s", bpf_mount_error());
	if (libbpffs_kind_of(fd) != LIBBPFFS_MAP) {
		close(fd);
		return fail("%s: only a map has layouts", source);
	}
	err = libbpffs_map_layouts(fd, &found);
	close(fd);
	if (err)
		return fail("%s: %s", source, bpf_mount_error());
	any = put_layout("key", found.key);
	any |= put_layout("value", found.value);
	any |= put_layout("inner_key", found.inner_key);
	any |= put_layout("inner_value", found.inner_value);
	libbpffs_layouts_free(&found);
	return any ? DONE : fail("%s: a map of this type shows no elements", source);
}

/* --- check --- */

static enum status compare(const char *dir, int root, unsigned int id, const char *source)
{
	int fd = libbpffs_source_open(source, true);
	enum status status = DONE;
	enum libbpffs_kind kind;
	char text[128];

	if (fd == -ENOENT) {
		printf("%s: is id %u, but %s\n", dir, id, bpf_mount_error());
		return DIFFERS;
	}
	if (fd < 0)
		return fail("%s: %s", dir, bpf_mount_error());
	if (libbpffs_describe(fd, text, sizeof(text)))
		status = fail("%s: %s", source, strerror(errno));
	kind = mounted_kind(root);
	if (status == DONE && kind == LIBBPFFS_NO_OBJECT)
		status = fail("%s: of what kind the object is: %s", dir, strerror(errno));
	if (status == DONE) {
		unsigned int found = libbpffs_id_of(fd);

		if (!found)
			status = fail("%s: its id: %s", source, strerror(errno));
		else if (libbpffs_kind_of(fd) != kind || found != id)
			status = DIFFERS;
	}
	if (status != FAILED)
		printf("%s: is id %u, and %s is %s%s\n", dir, id, source,
		       status == DIFFERS ? "another object now: " : "", text);
	close(fd);
	return status;
}

/* The module says it in the options of the mount, to everybody; FUSE in a file only. */
static int mounted_id(struct libmnt_fs *fs, int root, unsigned int *id)
{
	char *option, *text;
	size_t size;

	if (!mnt_fs_get_option(fs, "id", &option, &size)) {
		*id = strtoul(option, NULL, 10);
		return 0;
	}
	text = read_file(root, ".bpf/id");
	if (!text && errno == ENOENT)
		text = read_file(root, "id");
	if (!text)
		return -errno;
	*id = strtoul(text, NULL, 10);
	free(text);
	return 0;
}

static enum status check_mount(const char *dir, int root)
{
	struct libmnt_table *table;
	struct libmnt_fs *fs = find_mount(dir, &table);
	const char *source = fs ? mnt_fs_get_source(fs) : NULL;
	enum status status = FAILED;
	unsigned int id = 0;

	if (!source)
		fail("%s: not a mount point of type bpffs", dir);
	else if (mounted_id(fs, root, &id))
		fail("%s: of which object it is: %s", dir, strerror(errno));
	else
		status = compare(dir, root, id, source);
	mnt_unref_table(table);
	return status;
}

static enum status check(const char *dir)
{
	int root = open_mount(dir);
	enum status status;

	if (root < 0)
		return FAILED;
	status = check_mount(dir, root);
	close(root);
	return status;
}

/* --- The command line --- */

/* Commands with nothing but an argument. */
static const char *no_options(int argc, char **argv, const char *name)
{
	return next_option(argc, argv, ":", NULL) == -1 ? only_argument(argc, argv, name) : NULL;
}

static enum status layout_command(int argc, char **argv)
{
	const char *source = no_options(argc, argv, "SOURCE");

	return source ? layout(source) : FAILED;
}

static enum status check_command(int argc, char **argv)
{
	const char *dir = no_options(argc, argv, "DIR");

	return dir ? check(dir) : FAILED;
}

/*
 * What the caller has closed stays so, to write to as well, but its number is of nothing
 * that is opened later: freopen(3) would close it, and a sentence go there.
 */
static void keep_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	} while (fd >= 0 && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum status (*run)(int argc, char **argv);
	} commands[] = {
		{ "json", json_command },
		{ "layout", layout_command },
		{ "check", check_command },
		{ "export", export_command },
		{ "list", list_command },
		{ "watch", watch_command },
		{ "top", top_command },
		{ "plot", plot_command },
		{ "save", save_command },
		{ "restore", restore_command },
		{ "all", all_command },
	};
	enum status status;
	size_t i;

	keep_standard();
	libbpf_set_print(NULL);
	if (argc >= 2 && !strcmp(argv[1], "open"))
		return open_command(argc - 1, argv + 1);
	for (i = 0; argc >= 2 && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name)) {
			status = commands[i].run(argc - 1, argv + 1);
			progress_end();
			return status == FAILED || !end_output() ? status : FAILED;
		}
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
			  !strcmp(argv[1], "help"))) {
		fputs(usage, stdout);
		return end_output();
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("bpffs %s\n", bpffs_version_string());
		return end_output();
	}
	if (argc >= 2)
		return fail("there is no command \"%s\"%s (see bpffs --help)", argv[1],
			    argc > 2 ? " with arguments" : "");
	fputs(usage, stderr);
	return FAILED;
}
