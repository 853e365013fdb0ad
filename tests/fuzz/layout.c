// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any text as a layout: it is refused with a reason, or prints as a text that
 * compiles to the same.
 *
 * input: "k" (key) or "v" (value), a size in bytes, a blank, the layout
 */
#include "fuzz.h"

/* Enough of a large array. */
#define LEAVES_LOOKED_AT	2000

static void check_leaves(const struct bpffs_layout *layout, u32 size)
{
	u32 leaves = bpffs_layout_leaves(layout), n;
	struct bpffs_leaf leaf, last = {};

	law(leaves, "no leaves");
	for (n = 0; n < leaves; n++) {
		if (n == LEAVES_LOOKED_AT && leaves > 2 * LEAVES_LOOKED_AT) {
			n = leaves - LEAVES_LOOKED_AT;
			bpffs_layout_leaf(layout, n - 1, &last);
		}
		bpffs_layout_leaf(layout, n, &leaf);
		law(leaf.size && (u64)leaf.offset + leaf.size <= size,
		    "leaf %u: %u bytes at %u of %u", n, leaf.size, leaf.offset, size);
		law(leaf.bit + leaf.width <= 64 &&
		    (!leaf.width || leaf.bit + leaf.width <= 8U * leaf.size),
		    "leaf %u: %u bits at %u", n, leaf.width, leaf.bit);
		if (leaf.width && leaf.bit)
			law(leaf.offset == last.offset && leaf.bit == last.bit + last.width,
			    "leaf %u: not the bits behind the last", n);
		else
			law(leaf.offset == last.offset + last.size,
			    "leaf %u: not where the last ends", n);
		last = leaf;
	}
	law(leaf.offset + leaf.size == size, "the last leaf ends before %u", size);
}

/* As snprintf() does, whatever the room is. */
static void check_print(const struct bpffs_layout *layout, const char *text, size_t len)
{
	size_t room = len / 2;
	char *part = malloc(room + 1);

	law(strlen(text) == len, "a NUL in a printed layout");
	law(bpffs_layout_print(layout, NULL, 0) == len, "length without room");
	law(bpffs_layout_print(layout, part, room + 1) == len, "length with little room");
	law(strlen(part) == room && !memcmp(part, text, room), "printed in little room");
	free(part);
}

static void check_layout(const struct bpffs_layout *layout, u32 size, enum bpffs_use use)
{
	size_t len = bpffs_layout_print(layout, NULL, 0);
	char *text = malloc(len + 1), *twice = malloc(len + 1), *copy;
	struct bpffs_reason why = {};
	struct bpffs_layout *other;

	law(bpffs_layout_size(layout) == size, "a size of %u", bpffs_layout_size(layout));
	bpffs_layout_print(layout, text, len + 1);
	check_print(layout, text, len);
	check_leaves(layout, size);

	copy = exact(text, len);
	law(!bpffs_layout_compile(&other, copy, len, size, use, &why),
	    "printed, and refused: %s", why.text);
	free(copy);
	law(bpffs_layout_print(other, twice, len + 1) == len && !strcmp(text, twice),
	    "printed as %s, then as %s", text, twice);
	law(bpffs_layout_leaves(other) == bpffs_layout_leaves(layout), "other leaves");
	law(bpffs_layout_bare(other) == bpffs_layout_bare(layout), "other bare leaves");
	law(bpffs_layout_name_max(other) == bpffs_layout_name_max(layout), "other names");
	law(bpffs_layout_has_plen(other) == bpffs_layout_has_plen(layout), "other plen");
	bpffs_layout_release(other);
	free(text);
	free(twice);
}

static void try_size(const char *text, size_t len, u32 size, enum bpffs_use use)
{
	struct bpffs_reason why = {};
	struct bpffs_layout *layout;
	int err = bpffs_layout_compile(&layout, text, len, size, use, &why);

	if (err) {
		law(err == -EINVAL || err == -E2BIG || err == -ENAMETOOLONG, "error %d", err);
		law(!layout, "an error, and a layout");
		check_reason(&why, len);
		return;
	}
	/* What is short is not printed to see how long that would be. */
	law(bpffs_layout_print(layout, NULL, 0) <= 8 * len, "prints as too much");
	check_layout(layout, size, use);
	bpffs_layout_release(layout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum bpffs_use use = size && *data == 'k' ? BPFFS_KEY : BPFFS_VALUE;
	u64 bytes = 0;
	size_t at = 1;
	char *text;
	u32 all;

	while (at < size && isdigit(data[at]) && bytes < U32_MAX)
		bytes = 10 * bytes + data[at++] - '0';
	if (at >= size || data[at++] != ' ')
		return -1;
	text = exact(data + at, size - at);
	try_size(text, size - at, min(bytes, U32_MAX), use);
	/* Few sizes fit; the one that does is worth the rest. */
	all = covered(text, size - at, use);
	if (all && all != bytes)
		try_size(text, size - at, all, use);
	free(text);
	return 0;
}
