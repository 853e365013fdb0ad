// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What was refused last, and why: one sentence for each thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static __thread char last_error[1024];

void libbpffs_clear_error(void)
{
	last_error[0] = '\0';
}

static int fail(int err)
{
	errno = err;
	return -err;
}

/* One line, whatever names and messages hold. */
static void join_lines(char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			*text = text[1] ? ' ' : '\0';
}

int libbpffs_refuse(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(last_error, sizeof(last_error), fmt, args);
	va_end(args);
	join_lines(last_error);
	return fail(err);
}

/* Add to the error; what does not fit is cut. */
static void add_text(const char *text)
{
	size_t used = strlen(last_error);
	size_t room = sizeof(last_error) - 1 - used;
	size_t size = strnlen(text, room);

	memcpy(last_error + used, text, size);
	last_error[used + size] = '\0';
}

int libbpffs_refuse_path(int err, const char *path)
{
	return libbpffs_refuse(err, "%s: %s", path, strerror(err));
}

int libbpffs_check_target(const char *target)
{
	if (target && *target)
		return 0;
	return libbpffs_refuse(target ? ENOENT : EINVAL, "target: which directory?");
}

/* Add one message of the log, "e bpffs: fd: ...", if it is an error. */
static void add_message(char *message)
{
	static const char prefix[] = FS_TYPE ": ";

	if (strncmp(message, "e ", 2))
		return;
	message += 2;
	if (!strncmp(message, prefix, strlen(prefix)))
		message += strlen(prefix);
	join_lines(message);
	/* The kernel's parsers of numbers can say the same twice. */
	if (!strcmp(last_error, message))
		return;
	if (last_error[0])
		add_text("; ");
	add_text(message);
}

/* The context's log: each read(2) takes one message out of it. */
static void read_log(int fs)
{
	char message[4096];
	ssize_t n;

	for (;;) {
		n = read(fs, message, sizeof(message) - 1);
		if (n < 0 && (errno == EINTR || errno == EMSGSIZE))
			continue;
		if (n <= 0)
			return;
		message[n] = '\0';
		add_message(message);
	}
}

int libbpffs_refuse_step(int fs, int err, const char *step)
{
	last_error[0] = '\0';
	read_log(fs);
	if (last_error[0])
		return fail(err);
	if (err == EPERM)
		return libbpffs_refuse(err, NEEDS_CAP);
	return libbpffs_refuse(err, "%s: %s", step, strerror(err));
}

const char *bpf_mount_error(void)
{
	return last_error;
}
