// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that FUSE can be: every number is a file of the same text, which takes what is
 * written. What it takes, is FUSE's and not bpffs-fuse's; nothing is cached by either.
 *
 * smallest DIR: mounts, prints a byte when it has, and answers until the mount goes.
 */
#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 12)
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "packets=1\nbytes=100\n";

static struct stat attributes(fuse_ino_t ino)
{
	return (struct stat){
		.st_ino = ino,
		.st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644,
		.st_nlink = 1,
		.st_size = sizeof(text) - 1,
	};
}

static void look_up(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .ino = 2 + strtoul(name, NULL, 10) };

	(void)parent;
	entry.attr = attributes(entry.ino);
	fuse_reply_entry(req, &entry);
}

static void get_attr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
	const struct stat st = attributes(ino);

	(void)file;
	fuse_reply_attr(req, &st, 0);
}

static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
	(void)ino;
	file->direct_io = 1;
	fuse_reply_open(req, file);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		      struct fuse_file_info *file)
{
	const size_t all = sizeof(text) - 1, from = offset < (off_t)all ? (size_t)offset : all;
	const size_t left = all - from;

	(void)ino;
	(void)file;
	fuse_reply_buf(req, text + from, left < size ? left : size);
}

static void write_file(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
		       off_t offset, struct fuse_file_info *file)
{
	(void)ino;
	(void)buf;
	(void)offset;
	(void)file;
	fuse_reply_write(req, size);
}

static const struct fuse_lowlevel_ops ops = {
	.lookup = look_up,
	.getattr = get_attr,
	.open = open_file,
	.read = read_file,
	.write = write_file,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(2, ((char *[]){ argv[0], "-odefault_permissions", NULL }));
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_session *session;
	int ret;

	if (argc != 2)
		return 2;
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_session_mount(session, argv[1]))
		return 1;
	putchar('.');
	fclose(stdout);
	ret = fuse_session_loop_mt(session, config);
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	fuse_loop_cfg_destroy(config);
	return !!ret;
}
