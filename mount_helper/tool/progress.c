// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* How far long work has got: a line on a terminal, which goes when there is more to say. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "pure.h"

/* In ns: what is quicker needs none; and between two looks at it. */
#define FIRST		1000000000ULL
#define NEXT		250000000ULL

/**
 * struct progress - of the work that is done, as a terminal shows one
 * @what: the line begins with it; NULL: there is none
 * @unit: what is counted
 * @done: how many
 * @total: of how many, or 0
 * @due: when the line is to be written again, in ns
 * @width: of what is on the terminal
 */
static struct progress {
	const char *what;
	const char *unit;
	unsigned long long done;
	unsigned long long total;
	unsigned long long due;
	int width;
} progress;

/* It is looked at for each element, and need not be exact. */
static unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static bool is_seen(void)
{
	return isatty(STDERR_FILENO);
}

bool progress_beside_output(void)
{
	struct stat st;

	return is_seen() && !fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode);
}

void progress_begin(const char *what, const char *unit, unsigned long long total)
{
	progress_end();
	if (!is_seen())
		return;
	progress = (struct progress) {
		.what = what,
		.unit = unit,
		.total = total,
		.due = now() + FIRST,
	};
}

/* For one line, as what is in the last column can already begin another. */
static int room(void)
{
	struct winsize size;

	return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col - 1 : 79;
}

static void put_line(void)
{
	char line[256];
	int len;

	/* A map can have grown. */
	if (!progress.total || progress.done > progress.total)
		len = snprintf(line, sizeof(line), "%s: %llu %s", progress.what, progress.done,
			       progress.unit);
	else
		len = snprintf(line, sizeof(line), "%s: %llu of %llu %s (%llu%%)",
			       progress.what, progress.done, progress.total, progress.unit,
			       (unsigned long long)(100.0L * progress.done / progress.total));
	len = min(len, min(room(), (int)sizeof(line) - 1));
	fprintf(stderr, "\r%.*s", len, line);
	/* The line before can have been longer. */
	if (progress.width > len)
		fprintf(stderr, "%*s", min(progress.width, room()) - len, "");
	progress.width = len;
}

void progress_add(unsigned long long count)
{
	unsigned long long time;

	if (!progress.what)
		return;
	progress.done += count;
	time = now();
	if (time < progress.due)
		return;
	put_line();
	progress.due = time + NEXT;
}

void progress_end(void)
{
	if (progress.width)
		fprintf(stderr, "\r%*s\r", min(progress.width, room()), "");
	progress = (struct progress) {};
}
