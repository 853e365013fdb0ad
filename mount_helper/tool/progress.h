/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* How far long work has got: a line on a terminal, which goes when there is more to say. */
#ifndef LIBBPFFS_PROGRESS_H
#define LIBBPFFS_PROGRESS_H

#include <stdbool.h>

/**
 * progress_begin() - long work begins
 * @what: the line begins with it; stays the caller's
 * @unit: what is counted, in the plural; likewise
 * @total: how many there will be; 0: nobody knows
 *
 * What was begun before ends. Nothing is shown if standard error is no terminal, nor as
 * long as it does not take a second.
 */
void progress_begin(const char *what, const char *unit, unsigned long long total);

/*
 * Would it be seen, and is standard output a file? What goes through a pipe can come to the
 * same terminal. If not, a total need not be asked for.
 */
bool progress_beside_output(void);

/* So many more are done. */
void progress_add(unsigned long long count);

/* The line goes. */
void progress_end(void);

#endif
