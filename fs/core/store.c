// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The fields of a text into an element: some where they lie, as a BPF program
 * stores them, or every one by an update of the element.
 */
#include "element.h"

/* Say what the map's own refusal means; @err is passed through. @begun: some is stored, maybe. */
static int refuse_store(struct bpffs_info *info, const void *key, int err, bool begun)
{
	const char *changed = begun ? "; some of it may have changed" : UNCHANGED;

	switch (err) {
	case 0:
		break;
	case -EPERM:
		bpffs_refuse_element(info, key, "the map is frozen%s", changed);
		break;
	case -ENOENT:
		bpffs_refuse_element(info, key, "the element is gone" UNCHANGED);
		break;
	case -ESTALE:
		bpffs_refuse_element(info, key,
				     "it was deleted or replaced meanwhile; another key's may have changed");
		break;
	case -EFAULT:
		bpffs_refuse_element(info, key,
				     "the process changed its memory; the element may have changed");
		break;
	case -EEXIST:
		bpffs_refuse_element(info, key, "the element exists by now" UNCHANGED);
		break;
	case -ENOSPC:
		bpffs_refuse_element(info, key, "the map is full (%u elements)" UNCHANGED,
				     info->max_entries);
		break;
	default:
		bpffs_refuse_element(info, key, "the map refuses the update (error %d)%s", -err,
				     changed);
	}
	return err;
}

/* --- Special fields: spin locks, timers, kptrs, ... --- */

/* Would storing @leaf, of one copy, touch one? */
static bool is_special(const struct bpffs_info *info, const struct bpffs_leaf *leaf)
{
	u32 i, offset, size;

	for (i = 0; bpffs_map_special(info, i, &offset, &size); i++)
		if (leaf->offset < offset + size && offset < leaf->offset + leaf->size)
			return true;
	return false;
}

/* Does a text give them bytes? */
static bool gives_special_bytes(const struct bpffs_info *info, const void *value)
{
	const struct bpffs_shape *shape = &info->shape;
	u32 copy, i, offset, size;

	for (copy = 0; copy < shape->copies; copy++, value += shape->stride)
		for (i = 0; bpffs_map_special(info, i, &offset, &size); i++)
			if (memchr_inv(value + offset, 0, size))
				return true;
	return false;
}

/* --- Some fields: stored in place --- */

/* The next fresh leaf of the copy at or after @n. */
static u64 next_fresh(const struct bpffs_store *store, u64 n)
{
	n = bpffs_parse_next_fresh(store->parser, n);
	return n < store->base + bpffs_layout_leaves(store->layout) ? n : U64_MAX;
}

enum bpffs_store_step bpffs_store_step(struct bpffs_store *store, struct bpffs_leaf *leaf)
{
	u64 n = store->next;

	if (n == U64_MAX)
		return BPFFS_STORE_END;
	bpffs_layout_leaf(store->layout, n - store->base, leaf);
	store->next = next_fresh(store, n + 1);
	if (bpffs_parse_is_added(store->parser, n))
		return store->is_rest ? BPFFS_STORE_SKIP : BPFFS_STORE_ADD;
	return leaf->numeric || !store->is_rest ? BPFFS_STORE_SET : BPFFS_STORE_SKIP;
}

/* Into copy @copy of the map; @zero is what a sum's other copies get. @begun: set then. */
static int store_copy(struct bpffs_info *info, const void *key,
		      const struct bpffs_parser *parser, u32 copy,
		      const void *zero, bool *begun)
{
	u32 text_copy = info->sum ? 0 : copy;
	struct bpffs_store store = {
		.layout = info->shape.layout,
		.parser = parser,
		.base = (u64)text_copy * bpffs_layout_leaves(info->shape.layout),
		.from = bpffs_parse_value(parser) + (size_t)text_copy * info->shape.stride,
	};
	bool counted = bpffs_parse_adds(parser) && bpffs_map_can(info, BPFFS_PERCPU);
	u64 first = next_fresh(&store, store.base);
	int err = 0;

	if (info->sum && copy) {
		store.from = zero;
		store.is_rest = true;
	}
	store.next = first;
	while (!err && store.next != U64_MAX) {
		err = bpffs_map_store(info, key, copy, counted && !store.is_rest, &store);
		if (!err && !bpffs_go_on())
			err = -EINTR;
	}
	*begun |= store.next != first;
	return err;
}

static int refuse_special(struct bpffs_info *info, const void *key,
			  const struct bpffs_parser *parser)
{
	u32 leaves = bpffs_layout_leaves(info->shape.layout);
	u32 offset, size, turns = 0;
	struct bpffs_leaf leaf;
	u64 n;

	if (!bpffs_map_special(info, 0, &offset, &size))
		return 0;
	for (n = bpffs_parse_next_fresh(parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(parser, n + 1)) {
		bpffs_layout_leaf(info->shape.layout, n - div_u64(n, leaves) * leaves, &leaf);
		if (!bpffs_go_on_turn(&turns))
			return -EINTR;
		if (!is_special(info, &leaf))
			continue;
		bpffs_refuse_element(info, key,
				     "byte %u is a lock's, timer's or pointer's" UNCHANGED,
				     leaf.offset);
		return -EPERM;
	}
	return 0;
}

/*
 * What is not aligned cannot be added to at once, as values of tries are not. All values
 * of a map, and all copies of one, are aligned alike.
 */
static int refuse_unaligned(struct bpffs_info *info, const void *key,
			    const struct bpffs_parser *parser)
{
	const char *why;
	struct bpffs_leaf leaf;
	unsigned long place;
	u32 turns = 0;
	u64 n;
	int err;

	err = bpffs_map_place(info, key, &place);
	if (err)
		return err == -ENOENT ? err : refuse_store(info, key, err, false);
	for (n = bpffs_parse_next_fresh(parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(parser, n + 1)) {
		if (!bpffs_go_on_turn(&turns))
			return -EINTR;
		if (!bpffs_parse_is_added(parser, n))
			continue;
		bpffs_shape_leaf(&info->shape, n, &leaf);
		leaf.offset %= info->shape.stride;
		if (!IS_ALIGNED(place + leaf.offset, leaf.size))
			why = "is not aligned";
		else if (!bpffs_map_can_add(info, &leaf))
			why = "is in no aligned word of the value";
		else
			continue;
		bpffs_refuse_element(info, key,
				     "the field at byte %u %s: nothing can be added to it"
				     UNCHANGED, leaf.offset, why);
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * bpffs_store_fields - store the fresh fields of a parser, or add them, in place
 * @info: of the mount
 * @key: of the element
 * @parser: has at least one
 *
 * Return: 0; -EPERM with a sentence, -EOPNOTSUPP of an addition; -ENOENT without one
 * (the caller may make the element); -EINTR (some are stored, not all); -EOPNOTSUPP,
 * -ENOMEM.
 */
int bpffs_store_fields(struct bpffs_info *info, const void *key,
		       const struct bpffs_parser *parser)
{
	bool begun = false;
	void *zero = NULL;
	u32 copy;
	int err;

	err = refuse_special(info, key, parser);
	if (!err && bpffs_parse_adds(parser))
		err = refuse_unaligned(info, key, parser);
	if (err)
		return err;
	if (info->sum) {
		zero = bpffs_zalloc(info->shape.stride);
		if (!zero)
			return -ENOMEM;
	}
	for (copy = 0; copy < info->stored.copies && !err; copy++) {
		err = store_copy(info, key, parser, copy, zero, &begun);
		if (!err && !bpffs_go_on())
			err = -EINTR;
	}
	bpffs_free(zero);
	return err == -ENOENT || err == -EINTR ? err : refuse_store(info, key, err, begun);
}

/* --- Every field: one update --- */

/*
 * Are the fresh fields of a text all there are? A single one, beside what an update
 * would destroy, is just some field, too.
 */
bool bpffs_store_is_whole(const struct bpffs_info *info,
			  const struct bpffs_parser *parser)
{
	u64 first;

	if (!bpffs_parse_all_fresh(parser))
		return false;
	if (!bpffs_map_owns(info))
		return true;
	first = bpffs_parse_next_fresh(parser, 0);
	return first != U64_MAX && bpffs_parse_next_fresh(parser, first + 1) != U64_MAX;
}

/**
 * bpffs_store_whole - update an element
 * @info: of the mount
 * @key: of the element
 * @value: every byte of it, of info->shape
 * @flags: of enum bpffs_update
 * @s: as bpffs_map_update() has it
 *
 * Return: 0, or an errno of bpffs_map_update() with a sentence.
 */
int bpffs_store_whole(struct bpffs_info *info, const void *key,
		      const void *value, u64 flags, struct bpffs_scratch *s)
{
	const void *copies;
	int err;

	/* A new element owns nothing yet. */
	if (bpffs_map_owns(info) && flags != BPFFS_NOEXIST) {
		bpffs_refuse_element(info, key,
				     "an update would destroy a timer or pointer" UNCHANGED);
		return -EPERM;
	}
	if (gives_special_bytes(info, value)) {
		bpffs_refuse_element(info, key, "the bytes of a lock are not zero" UNCHANGED);
		return -EPERM;
	}
	copies = bpffs_spread(info, value);
	if (!copies)
		return -ENOMEM;
	if (flags == BPFFS_ANY)
		err = bpffs_map_restore(info, key, copies, s);
	else
		err = bpffs_map_update(info, key, copies, flags, s);
	if (copies != value)
		bpffs_free((void *)copies);
	return refuse_store(info, key, err, false);
}

/* Make an element of zeros, unless there is one by now. */
int bpffs_store_zero(struct bpffs_info *info, const void *key)
{
	void *zero = bpffs_zalloc(bpffs_shape_bytes(&info->stored));
	int err;

	if (!zero)
		return -ENOMEM;
	err = bpffs_map_update(info, key, zero, BPFFS_NOEXIST, NULL);
	bpffs_free(zero);
	return err == -EEXIST ? 0 : refuse_store(info, key, err, false);
}
