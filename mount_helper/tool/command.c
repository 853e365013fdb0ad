// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What the commands of bpffs share: how they end, and their options. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

enum status fail(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "bpffs: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return FAILED;
}

int next_option(int argc, char **argv, const char *letters, const struct option *options)
{
	/* The one that is looked at, as optind stays within letters. */
	const char *word = argv[optind];
	int option;

	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option == ':')
		fail("%s: %s needs a value", argv[0], word);
	else if (option == '?')
		fail("%s: there is no option %s (see bpffs --help)", argv[0], word);
	return option == ':' ? '?' : option;
}

const char *only_argument(int argc, char **argv, const char *name)
{
	if (argc - optind == 1)
		return argv[optind];
	if (argc == optind)
		fail("%s: %s is missing (see bpffs --help)", argv[0], name);
	else
		fail("%s: only one %s is possible, and \"%s\" is another argument", argv[0],
		     name, argv[optind + 1]);
	return NULL;
}

enum status end_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail("standard output: %s", strerror(errno));
	return DONE;
}
