/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* The records of a ring buffer, as they come. */
#ifndef LIBBPFFS_RING_H
#define LIBBPFFS_RING_H

#include "json.h"
#include "mounted-map.h"
#include "resolve.h"

bool is_ring(int root);

/**
 * watch_ring() - take the records out, and print them
 * @dir: for sentences
 * @root: of the mount
 * @text: a layout, for records of its size; NULL: none
 * @resolves: of its fields
 * @count: ends after so many; 0: never
 * @out: for JSON, or NULL
 *
 * Return: DONE, or FAILED after a sentence.
 */
enum status watch_ring(const char *dir, int root, const char *text, struct resolves *resolves,
		       unsigned long count, struct json_out *out);

#endif
