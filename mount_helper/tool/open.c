// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs open: the object of a mount, as a descriptor for a command. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
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

static int fail_with(const char *what, int err)
{
	fail("%s: %s", what, strerror(err));
	return EXIT_OURS;
}

/* The descriptor that the command inherits, and its number where it is told. */
static int open_inherited(const char *dir, int flags)
{
	int fd = bpf_mount_open(dir, flags);
	int inherited;
	char text[16];

	if (fd < 0) {
		fail("%s", bpf_mount_error());
		return EXIT_OURS;
	}
	/* Without FD_CLOEXEC. */
	inherited = fcntl(fd, F_DUPFD, FIRST_FD);
	if (inherited < 0)
		return fail_with(dir, errno);
	close(fd);
	snprintf(text, sizeof(text), "%d", inherited);
	return setenv("BPFFS_FD", text, 1) ? fail_with("BPFFS_FD", errno) : 0;
}

int open_command(int argc, char **argv)
{
	int flags = O_RDWR;
	int option, status;
	char **cmd;

	/* Those behind DIR are the command's. */
	while ((option = next_option(argc, argv, "+:r", NULL)) != -1) {
		if (option == '?')
			return FAILED;
		flags = O_RDONLY;
	}
	if (argc - optind < 3 || strcmp(argv[optind + 1], "--"))
		return fail("open: DIR -- CMD is needed (see bpffs --help)");
	status = open_inherited(argv[optind], flags);
	if (status)
		return status;
	cmd = argv + optind + 2;
	execvp(cmd[0], cmd);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	fail("%s: %s", cmd[0], strerror(errno));
	return status;
}
