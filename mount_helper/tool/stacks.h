/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* Stacks by id, of a mounted stack_trace map. */
#ifndef LIBBPFFS_STACKS_H
#define LIBBPFFS_STACKS_H

#include "command.h"
#include "line.h"
#include "pure.h"

struct stacks;

/* Return: DONE, or FAILED after a sentence; close_stacks() is due in any case. */
enum status open_stacks(struct stacks **stacks, const char *dir);
void close_stacks(struct stacks *stacks);

/*
 * The functions, innermost first, with NULs between; an address that is in none (of user
 * space, too) is in hex. False: there is no such stack.
 */
bool put_stack(struct line *text, struct stacks *stacks, u64 id);

#endif
