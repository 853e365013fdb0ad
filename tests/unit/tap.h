/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the unit tests of core share: cases, and what .bpf/error says. */
#ifndef _UNIT_TAP_H
#define _UNIT_TAP_H

#include <stdio.h>
#include <string.h>

#include "map.h"

static int tests, failures;

/* One line of TAP a case: which check of it failed goes before it. */
static bool case_ok;

#define CHECK(expr) do {							\
	if (!(expr)) {								\
		printf("# line %d: %s\n", __LINE__, #expr);			\
		case_ok = false;						\
	}									\
} while (0)

static void run(const char *name, void (*test)(void))
{
	fail_alloc = 0;
	fail_copy = 0;
	stop = 0;
	has_failed = false;
	has_stopped = false;
	allocated = 0;
	case_ok = true;
	test();
	CHECK(!allocated);
	printf("%sok %d %s\n", case_ok ? "" : "not ", ++tests, name);
	failures += !case_ok;
}

__attribute__((unused))
static bool said(struct map *map, const char *sentence)
{
	char text[8192] = "";
	struct seq_file seq = { .buf = text, .size = sizeof(text) };

	bpffs_errors_show(&map->info.errors, &seq);
	if (strstr(text, sentence))
		return true;
	printf("# .bpf/error: %s\n", text);
	return false;
}

#endif
