/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What the commands of bpffs share: how they end, and their options. */
#ifndef LIBBPFFS_COMMAND_H
#define LIBBPFFS_COMMAND_H

#include <getopt.h>
#include <stdbool.h>

enum status {
	DONE,
	DIFFERS,	/* check: it is another object */
	FAILED,
};

/* What gives the terminal back, if it is in use. */
extern void (*before_sentence)(void);

/* A sentence on standard error. */
__attribute__((format(printf, 1, 2)))
enum status fail(const char *fmt, ...);

/* Of the program; each command begins with a line "bpffs COMMAND". */
extern const char usage[];

/* What it says of one, and its options. */
enum status help(const char *command, const char *letters, const struct option *options);

/*
 * As getopt_long(3); of what is refused, the sentence has been printed: '?'. -h and --help
 * end the program.
 */
int next_option(int argc, char **argv, const char *letters, const struct option *options);

/* The only argument behind the options, DIR. NULL: the sentence has been printed. */
const char *only_argument(int argc, char **argv, const char *name);

/* A number of seconds as nanoseconds, of whole ones; 0: the sentence has been printed. */
unsigned long long read_seconds(const char *command, const char *text);
unsigned long read_count(const char *command, const char *text);

/* Has all that was printed arrived? */
enum status end_output(void);

/**
 * write_file() - what goes to standard output, into a file
 * @name: of it; it is replaced as a whole, or not at all, also by a signal; what is
 *	there and no regular file is written to
 * @put: prints it
 * @context: for @put
 *
 * Return: DONE, or FAILED after a sentence.
 */
enum status write_file(const char *name, enum status (*put)(void *context), void *context);

/* --- A file each; @argv begins with the name of the command --- */

enum status json_command(int argc, char **argv);
enum status export_command(int argc, char **argv);
enum status list_command(int argc, char **argv);
enum status watch_command(int argc, char **argv);
enum status top_command(int argc, char **argv);
enum status plot_command(int argc, char **argv);
enum status save_command(int argc, char **argv);
enum status restore_command(int argc, char **argv);
enum status all_command(int argc, char **argv);

#endif
