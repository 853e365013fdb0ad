/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What will be asked for next, done by one thread while others answer what they have. */
#ifndef BPFFS_FUSE_AHEAD_H
#define BPFFS_FUSE_AHEAD_H

#include <stdbool.h>

/**
 * struct ahead_job - a call that somebody will need the outcome of
 * @run: the call
 * @pending: it has not come to its end
 */
struct ahead_job {
	void (*run)(struct ahead_job *job);
	bool pending;
};

/* The thread's work, until ahead_over(). */
void ahead_serve(void);
void ahead_over(void);

/* Return: false: the thread is busy, or there is none; the caller has to run it. */
bool ahead_begin(struct ahead_job *job);
/* Only after ahead_begin(): it has come to its end. */
void ahead_wait(struct ahead_job *job);

#endif
