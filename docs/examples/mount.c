// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * A map as a file system, from C: without any mount point, on a directory, and
 * back as a descriptor. Its keys here are 4 bytes, its values 8.
 *
 *	cc mount.c $(pkg-config --cflags --libs libbpffs libbpf)
 *	./a.out /sys/fs/bpf/x /mnt
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <libbpffs.h>
#include <stdio.h>
#include <unistd.h>

static const struct bpf_mount_opts opts = {
	.sz = sizeof(opts),
	.options = "mode=0640",
	.key = "u32",
	.value = "packets=u64",
};

/* What a function of the library failed for, it says in one sentence. */
static int fail(void)
{
	fprintf(stderr, "%s\n", bpf_mount_error());
	return 1;
}

/* The mount is a descriptor: only who has it can reach its files. */
static int read_detached(int map)
{
	int mnt = bpf_mount_fd_detached(map, &opts);
	char text[64];
	ssize_t len;
	int file;

	if (mnt < 0)
		return fail();
	file = openat(mnt, "7", O_RDONLY);
	len = read(file, text, sizeof(text));
	if (len < 0)
		perror("7");
	else
		printf("7 has %.*s", (int)len, text);
	close(file);
	/* This was the last reference to it. */
	close(mnt);
	return len < 0;
}

static int write_mounted(const char *dir)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/8", dir);
	file = fopen(path, "w");
	if (!file || fprintf(file, "packets=43\n") < 0 || fclose(file)) {
		perror(path);
		return 1;
	}
	return 0;
}

/* For what there is no file: the object itself. */
static int look_up(const char *dir)
{
	int map = bpf_mount_open(dir, O_RDWR);
	unsigned long long value;
	unsigned int key = 8;
	int err;

	if (map < 0)
		return fail();
	err = bpf_map_lookup_elem(map, &key, &value);
	if (!err)
		printf("8 is %llu\n", value);
	close(map);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	int map, status;

	if (argc != 3) {
		fprintf(stderr, "usage: %s SOURCE DIR\n", argv[0]);
		return 2;
	}
	map = bpffs_source_open(argv[1]);
	if (map < 0)
		return fail();
	status = read_detached(map);
	if (!status && bpf_mount_fd(map, argv[2], &opts))
		status = fail();
	/* The mount has the map. */
	close(map);
	if (status)
		return status;
	status = write_mounted(argv[2]) || look_up(argv[2]);
	if (bpf_umount(argv[2], 0))
		status = fail();
	return status;
}
