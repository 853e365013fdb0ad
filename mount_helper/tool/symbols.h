/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* Functions of the running kernel by address. */
#ifndef LIBBPFFS_SYMBOLS_H
#define LIBBPFFS_SYMBOLS_H

#include "command.h"
#include "line.h"
#include "pure.h"

/* As /proc/kallsyms has them now. Return: DONE, or FAILED after a sentence. */
enum status load_symbols(void);
void free_symbols(void);

/* "function+0x1f", of a module "module:function+0x1f"; false: it is in none. */
bool put_symbol(struct line *text, u64 address);

#endif
