// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What the commands of bpffs share: how they end, and their options. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "progress.h"

void (*before_sentence)(void);

/* One line, whatever is in names of files, and nothing that a terminal would obey. */
static void put_sentence(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			fprintf(stderr, "\\%03o", (unsigned char)*text);
		else
			fputc(*text, stderr);
}

enum status fail(const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	progress_end();
	if (before_sentence)
		before_sentence();
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	fprintf(stderr, "bpffs: ");
	put_sentence(len < 0 ? strerror(ENOMEM) : text);
	fputc('\n', stderr);
	if (len >= 0)
		free(text);
	return FAILED;
}

/* What the usage says of a command: its lines, and what is indented below each. */
static void print_usage(const char *command)
{
	size_t indent = strcspn(usage, "b"), len = strlen(command), size;
	const char *line, *name;
	bool its = false;

	for (line = usage; *line != '\n'; line += size) {
		size = strcspn(line, "\n") + 1;
		name = line + indent + strlen("bpffs ");
		if (size <= indent || line[indent] != 'b') {
			if (its)
				printf("%.*s", (int)size, line);
			continue;
		}
		its = !strncmp(name, command, len) && name[len] == ' ';
		if (its)
			printf("usage: %.*s", (int)(size - indent), line + indent);
	}
}

enum status help(const char *command, const char *letters, const struct option *options)
{
	print_usage(command);
	for (; options && options->name; options++) {
		if (strchr(letters, options->val))
			printf("  -%c, ", options->val);
		else
			printf("      ");
		printf("--%s%s\n", options->name, options->has_arg ? "=..." : "");
	}
	puts("See bpffs(8).");
	return end_output();
}

int next_option(int argc, char **argv, const char *letters, const struct option *options)
{
	const char *word;
	int option, i;

	/* The one that is looked at, as optind stays within letters, and before arguments. */
	for (i = optind; i < argc - 1 && (argv[i][0] != '-' || !argv[i][1]); i++)
		;
	word = argv[i];
	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option == ':')
		fail("%s: %s needs a value", argv[0], word);
	else if (option == '?' && (!strcmp(word, "--help") || !strcmp(word, "-h")))
		exit(help(argv[0], letters, options));
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

unsigned long long read_seconds(const char *command, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	/* Also ".5", but not what only C takes for a number. */
	if (!text[strspn(text, "0123456789.")] && !*end && seconds >= 0.01 && seconds <= 86400)
		return (unsigned long long)(seconds * 1e9);
	fail("%s: \"%s\" is no time of 0.01 to 86400 seconds", command, text);
	return 0;
}

unsigned long read_count(const char *command, const char *text)
{
	unsigned long count;
	char *end;

	errno = 0;
	count = strtoul(text, &end, 10);
	if (isdigit((unsigned char)*text) && !*end && !errno && count)
		return count;
	fail("%s: \"%s\" is no number from 1 on", command, text);
	return 0;
}

enum status end_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail("standard output: %s", strerror(errno));
	return DONE;
}

/* Of write_file(), the new one; NULL: there is none. */
static char *_Atomic unfinished;

static const int ends[] = {
	SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGXCPU, SIGXFSZ,
};

static void end_by_signal(int number)
{
	if (unfinished)
		unlink(unfinished);
	signal(number, SIG_DFL);
	raise(number);
}

/* What is ignored, as by nohup(1), stays so. */
static void catch_ends(void)
{
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (signal(ends[i], end_by_signal) == SIG_IGN)
			signal(ends[i], SIG_IGN);
}

/* A link, a device or a pipe leads elsewhere, and stays what it is. */
static bool is_replaced(const char *name)
{
	struct stat st;

	return lstat(name, &st) || S_ISREG(st.st_mode);
}

static enum status replace_file(const char *name, enum status (*put)(void *context),
				void *context)
{
	enum status status;
	char *new;

	if (asprintf(&new, "%s.%d", name, getpid()) < 0)
		return fail("%s", strerror(ENOMEM));
	unlink(new);
	unfinished = new;
	catch_ends();
	if (!freopen(new, "wxe", stdout)) {
		status = fail("%s: %s", new, strerror(errno));
	} else {
		status = put(context);
		if (!status && rename(new, name))
			status = fail("%s: %s", name, strerror(errno));
		if (status)
			unlink(new);
	}
	unfinished = NULL;
	free(new);
	return status;
}

enum status write_file(const char *name, enum status (*put)(void *context), void *context)
{
	if (is_replaced(name))
		return replace_file(name, put, context);
	if (!freopen(name, "we", stdout))
		return fail("%s: %s", name, strerror(errno));
	return put(context);
}
