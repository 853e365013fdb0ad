// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What --resolve has found, as JSON beside an element. */
#include <string.h>

#include "internal.h"
#include "json.h"
#include "resolve.h"

/* The functions of a stack, with NULs between. */
static void put_stack_frames(struct json_out *out, const struct line *line)
{
	const char *at = line->text, *end = at + line->len;

	json_text(out, "[");
	for (; at <= end; at += strlen(at) + 1) {
		if (at != line->text)
			json_text(out, ",");
		json_string(out, at, strlen(at));
	}
	json_text(out, "]");
}

static void put_leaf(struct json_out *out, const struct resolve *resolve, const void *bytes,
		     u64 n)
{
	struct line line = {};

	if (!resolve_leaf(resolve, bytes, n, &line) || !line.text)
		json_text(out, "null");
	else if (resolve->meaning == STACK)
		put_stack_frames(out, &line);
	else
		json_string(out, line.text, line.len);
	free(line.text);
}

/* An array is one here, whatever its dimensions. */
static void put_field(struct json_out *out, const struct resolve *resolve, const void *bytes)
{
	const struct column *column = resolve->column;
	u64 n;

	if (!column->dims) {
		put_leaf(out, resolve, bytes, 0);
		return;
	}
	for (n = 0; n < column->count; n++) {
		json_text(out, n ? "," : "[");
		put_leaf(out, resolve, bytes, n);
	}
	json_text(out, "]");
}

void json_resolves(struct json_out *out, const struct resolves *resolves,
		   const struct bpffs_shape *shape, const void *key, const void *value)
{
	const char *begin = ",\"resolved\":{\"";
	size_t i;
	u32 copy;

	if (!resolves->count)
		return;
	for (i = 0; i < resolves->count; i++) {
		const struct resolve *resolve = &resolves->one[i];
		const u8 *bytes = resolve->is_key ? key : value;

		for (copy = 0; copy < resolve_copies(resolve, shape); copy++) {
			struct line name = {};

			put_resolve_name(&name, resolve, shape, copy);
			json_text(out, begin);
			json_text(out, name.text ?: "");
			json_text(out, "\":");
			put_field(out, resolve, bytes + (size_t)copy * shape->stride);
			free(name.text);
			begin = ",\"";
		}
	}
	json_text(out, "}");
}
