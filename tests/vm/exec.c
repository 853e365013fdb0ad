// SPDX-License-Identifier: GPL-2.0-only
/*
 * $(exec PROGRAM,ARGUMENT...) for GNU make: make becomes that program.
 *
 * make itself turns every failure of a recipe into 2, but "make vm CMD=..."
 * ends with the status of the command. It is also how the interactive shell
 * gets the terminal to itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <gnumake.h>

int plugin_is_GPL_compatible;
int exec_gmk_setup(void);

static char *make_exec(const char *name, unsigned int argc, char **argv)
{
	(void)name;
	(void)argc;
	fflush(NULL);
	execvp(argv[0], argv);	/* make ends argv with NULL */
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int exec_gmk_setup(void)
{
	gmk_add_function("exec", make_exec, 1, 0, GMK_FUNC_DEFAULT);
	return 1;
}
