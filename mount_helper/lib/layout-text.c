// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Layouts for programs: the kernel module's own code, from fs/core. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "text.h"

/* Keeps sums and products of sizes in bounds. */
#define VALUE_MAX	0x40000000U

static int refuse_reason(int err, const char *what,
			 const struct bpffs_reason *why)
{
	if (err == -ENOMEM)
		return libbpffs_refuse(ENOMEM, "%s: %s", what, strerror(ENOMEM));
	if (why->column)
		return libbpffs_refuse(-err, "%s: %s (column %u)", what,
				       why->text, why->column);
	return libbpffs_refuse(-err, "%s: %s", what, why->text);
}

struct bpffs_layout *bpffs_layout_parse(const char *text, size_t size,
					unsigned int flags)
{
	enum bpffs_use use = flags & BPFFS_LAYOUT_KEY ? BPFFS_KEY : BPFFS_VALUE;
	struct bpffs_reason why = {};
	struct bpffs_layout *layout;
	int err;

	libbpffs_clear_error();
	if (!text || flags & ~BPFFS_LAYOUT_KEY || !size || size > VALUE_MAX) {
		libbpffs_refuse(EINVAL, "layout: no text, no such flags, or no such size");
		return NULL;
	}
	err = bpffs_layout_compile(&layout, text, strlen(text), size, use, &why);
	if (!err)
		return layout;
	refuse_reason(err, "layout", &why);
	return NULL;
}

void bpffs_layout_free(struct bpffs_layout *layout)
{
	bpffs_layout_release(layout);
}

size_t bpffs_layout_text(const struct bpffs_layout *layout, char *buf, size_t size)
{
	return bpffs_layout_print(layout, buf, size);
}

/* --- Keys --- */

/* Only the longest name of a key's layout is known. */
static int check_is_key(const struct bpffs_layout *layout)
{
	if (bpffs_layout_name_max(layout))
		return 0;
	return libbpffs_refuse(EINVAL, "layout: made for a value, not with BPFFS_LAYOUT_KEY");
}

int bpffs_key_encode(const struct bpffs_layout *layout, const void *key,
		     char *name, size_t size)
{
	char text[BPFFS_NAME_MAX + 1];
	int len;

	libbpffs_clear_error();
	len = check_is_key(layout);
	if (len)
		return len;
	len = bpffs_name_encode(layout, key, text);
	if ((size_t)len >= size)
		return libbpffs_refuse(ENOBUFS, "name: needs room for %d bytes", len + 1);
	memcpy(name, text, len + 1);
	return len;
}

int bpffs_key_decode(const struct bpffs_layout *layout, const char *name, void *key)
{
	struct bpffs_reason why = {};
	void *found;
	int err;

	libbpffs_clear_error();
	err = check_is_key(layout);
	if (err)
		return err;
	/* What is refused leaves the caller's key as it was. */
	found = malloc(bpffs_layout_size(layout));
	if (!found)
		return libbpffs_refuse(ENOMEM, "name: %s", strerror(ENOMEM));
	err = bpffs_name_decode(layout, name, strlen(name), found, &why);
	if (err)
		err = refuse_reason(err, "name", &why);
	else
		memcpy(key, found, bpffs_layout_size(layout));
	free(found);
	return err;
}

/* --- Values --- */

#define OPT_END(opts, field) \
	(offsetof(struct bpffs_value_opts, field) + sizeof((opts)->field))
#define OPT(opts, field, none) \
	((opts) && (opts)->sz >= OPT_END(opts, field) ? (opts)->field : (none))

static bool ascending(const unsigned int *cpus, unsigned int count)
{
	unsigned int i;

	for (i = 1; i < count; i++)
		if (cpus[i] <= cpus[i - 1])
			return false;
	return true;
}

static int make_shape(const struct bpffs_layout *layout,
		      const struct bpffs_value_opts *opts,
		      struct bpffs_shape *shape)
{
	const unsigned int *cpus = OPT(opts, cpus, NULL);
	unsigned int count = OPT(opts, cpu_count, 0);
	unsigned int separator = OPT(opts, separator, 0);
	size_t i;

	if (bpffs_layout_name_max(layout))
		return libbpffs_refuse(EINVAL, "layout: made for a key, with BPFFS_LAYOUT_KEY");
	if (opts && opts->sz < sizeof(opts->sz))
		return libbpffs_refuse(EINVAL, "opts: sz is not the struct's size");
	for (i = OPT_END(opts, separator); opts && i < opts->sz; i++)
		if (((const char *)opts)[i])
			return libbpffs_refuse(E2BIG, "opts: made for a newer library than %s",
					       LIBBPFFS_VERSION);
	if (!cpus != !count || !ascending(cpus, count))
		return libbpffs_refuse(EINVAL, "opts: cpus and cpu_count, ascending, or neither");
	if (separator && separator != '\n' && separator != ' ')
		return libbpffs_refuse(EINVAL, "opts: separator is a newline or a blank");
	if (cpus && bpffs_layout_bare(layout) > 1)
		return libbpffs_refuse(EINVAL,
				       "layout: a per-CPU value can have one field without a name");
	shape->layout = layout;
	shape->copies = cpus ? count : 1;
	shape->stride = (bpffs_layout_size(layout) + 7) & ~7U;
	shape->cpus = cpus;
	shape->separator = separator ?: '\n';
	if ((u64)shape->copies * shape->stride > VALUE_MAX)
		return libbpffs_refuse(EFBIG, "value: of all CPUs together, beyond %u bytes",
				       VALUE_MAX);
	return 0;
}

ssize_t bpffs_value_encode(const struct bpffs_layout *layout, const void *value,
			   char *text, size_t size,
			   const struct bpffs_value_opts *opts)
{
	struct bpffs_text_pos pos = {};
	struct bpffs_shape shape;
	size_t len;
	int err;

	libbpffs_clear_error();
	err = make_shape(layout, opts, &shape);
	if (err)
		return err;
	len = size ? bpffs_text_read(&shape, value, 0, &pos, text, size) : 0;
	if (len < size) {
		text[len] = '\0';
		return len;
	}
	if (size)
		text[size - 1] = '\0';
	return bpffs_text_size(&shape, value);
}

/* Which bits of byte @i of its storage unit does a bit-field have? */
static unsigned char bits_in_byte(const struct bpffs_leaf *leaf, unsigned int i)
{
	bool swapped = leaf->big_endian ||
		       __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	unsigned int low = 8 * (swapped ? leaf->size - 1 - i : i);
	unsigned char mask = 0;
	unsigned int bit;

	for (bit = 0; bit < 8; bit++)
		if (low + bit >= leaf->bit && low + bit < leaf->bit + leaf->width)
			mask |= 1 << bit;
	return mask;
}

static void store_leaf(const struct bpffs_leaf *leaf, const unsigned char *from,
		       unsigned char *to)
{
	unsigned int i;

	from += leaf->offset;
	to += leaf->offset;
	if (!leaf->width) {
		memcpy(to, from, leaf->size);
		return;
	}
	for (i = 0; i < leaf->size; i++) {
		unsigned char mask = bits_in_byte(leaf, i);

		to[i] = (to[i] & ~mask) | (from[i] & mask);
	}
}

/* Of a value that is set as a whole, padding becomes zero. */
static void store_fields(const struct bpffs_parser *parser,
			 const struct bpffs_shape *shape, void *value)
{
	const void *from = bpffs_parse_value(parser);
	struct bpffs_leaf leaf;
	u64 n;

	if (bpffs_parse_all_fresh(parser)) {
		memcpy(value, from, shape->cpus ?
		       (size_t)shape->copies * shape->stride :
		       bpffs_layout_size(shape->layout));
		return;
	}
	for (n = bpffs_parse_next_fresh(parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(parser, n + 1)) {
		if (bpffs_parse_is_added(parser, n)) {
			bpffs_shape_add(shape, n, from, value);
			continue;
		}
		bpffs_shape_leaf(shape, n, &leaf);
		store_leaf(&leaf, from, value);
	}
}

int bpffs_value_decode(const struct bpffs_layout *layout, const char *text,
		       void *value, const struct bpffs_value_opts *opts)
{
	struct bpffs_reason why = {};
	struct bpffs_parser *parser;
	struct bpffs_shape shape;
	int err;

	libbpffs_clear_error();
	err = make_shape(layout, opts, &shape);
	if (err)
		return err;
	parser = bpffs_parser_new(&shape);
	if (!parser)
		return libbpffs_refuse(ENOMEM, "value: %s", strerror(ENOMEM));
	bpffs_parse_begin(parser);
	err = bpffs_parse_piece(parser, text, strlen(text), &why);
	/* The last field may lack its newline. */
	if (!err)
		err = bpffs_parse_piece(parser, "\n", 1, &why);
	if (err)
		err = refuse_reason(err, "value", &why);
	else
		store_fields(parser, &shape, value);
	bpffs_parser_free(parser);
	return err;
}
