// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs open: the object of a mount, as a descriptor for a command. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "open.h"

/* As env(1), nohup(1) and others have them; the rest is the command's own. */
enum {
	EXIT_OURS = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

/* After the standard ones, unless the caller has others there. */
#define FIRST_FD	3

static int fail(const char *what, int err)
{
	fprintf(stderr, "bpffs: %s: %s\n", what, strerror(err));
	return EXIT_OURS;
}

/* The descriptor that the command inherits, and its number where it is told. */
static int open_inherited(const char *dir, int flags)
{
	int fd = bpf_mount_open(dir, flags);
	int inherited;
	char text[16];

	if (fd < 0) {
		fprintf(stderr, "bpffs: %s\n", bpf_mount_error());
		return EXIT_OURS;
	}
	/* Without FD_CLOEXEC. */
	inherited = fcntl(fd, F_DUPFD, FIRST_FD);
	if (inherited < 0)
		return fail(dir, errno);
	close(fd);
	snprintf(text, sizeof(text), "%d", inherited);
	return setenv("BPFFS_FD", text, 1) ? fail("BPFFS_FD", errno) : 0;
}

int open_command(int argc, char **argv)
{
	int flags = O_RDWR;
	int status;

	if (argc && !strcmp(argv[0], "-r")) {
		flags = O_RDONLY;
		argc--;
		argv++;
	}
	if (argc < 3 || strcmp(argv[1], "--"))
		return -EINVAL;
	status = open_inherited(argv[0], flags);
	if (status)
		return status;
	execvp(argv[2], argv + 2);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	fail(argv[2], errno);
	return status;
}
