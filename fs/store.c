// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of a text into an element: some where they lie, as a BPF program
 * stores them, or every one by an update of the element.
 */
#include "batch.h"

/* Leaves stored in one RCU section. */
#define STORE_AT_ONCE	1024

/* Say what the map's own refusal means; @err is passed through. */
static int refuse_store(struct bpffs_info *info, const void *key, int err)
{
	switch (err) {
	case 0:
		break;
	case -EPERM:
		bpffs_refuse_element(info, key, "the map is frozen" UNCHANGED);
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
		bpffs_refuse_element(info, key, "the map refuses the update (error %d)" UNCHANGED,
				     -err);
	}
	return err;
}

/* --- Special fields: spin locks, timers, kptrs, ... --- */

/* Would storing @leaf, of one copy, touch one? */
static bool is_special(const struct bpf_map *map, const struct bpffs_leaf *leaf)
{
	u32 i, offset, size;

	for (i = 0; bpffs_special_field(map, i, &offset, &size); i++)
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
		for (i = 0; bpffs_special_field(bpffs_bpf_map(info), i, &offset, &size); i++)
			if (memchr_inv(value + offset, 0, size))
				return true;
	return false;
}

/* --- Some fields: stored in place --- */

#define STORE_BITS(type, to, from, mask) do {				\
	type *unit = (to), old = READ_ONCE(*unit), was;			\
	type m = (mask), bits = *(const type *)(from) & m;		\
									\
	while ((was = cmpxchg(unit, old, (old & ~m) | bits)) != old)	\
		old = was;						\
} while (0)

/* The neighbours in the storage unit may change meanwhile. */
static void store_bits(void *to, const void *from, const struct bpffs_leaf *leaf)
{
	u64 mask = GENMASK_ULL(leaf->bit + leaf->width - 1, leaf->bit);
	bool be = leaf->big_endian;

	switch (leaf->size) {
	case 1:
		STORE_BITS(u8, to, from, mask);
		break;
	case 2:
		STORE_BITS(u16, to, from, be ? (__force u16)cpu_to_be16(mask) : mask);
		break;
	case 4:
		STORE_BITS(u32, to, from, be ? (__force u32)cpu_to_be32(mask) : mask);
		break;
	case 8:
		STORE_BITS(u64, to, from, be ? (__force u64)cpu_to_be64(mask) : mask);
		break;
	}
}

/* In a packed value a unit can lie across cache lines: then byte by byte. */
static void store_bits_unaligned(u8 *to, const u8 *from,
				 const struct bpffs_leaf *leaf)
{
	struct bpffs_leaf byte = { .size = 1 };
	u32 i, first, last;

	for (i = 0; i < leaf->size; i++) {
		u32 low = 8 * (leaf->big_endian == IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ?
			       i : leaf->size - 1 - i);

		first = max_t(u32, leaf->bit, low);
		last = min_t(u32, leaf->bit + leaf->width, low + 8);
		if (first >= last)
			continue;
		byte.bit = first - low;
		byte.width = last - first;
		store_bits(to + i, from + i, &byte);
	}
}

/* A field of up to 8 bytes is one store, if it is aligned. */
static void store_leaf(void *value, const void *from, const struct bpffs_leaf *leaf)
{
	void *to = value + leaf->offset;

	from += leaf->offset;
	if (leaf->width && !IS_ALIGNED((long)to, leaf->size))
		store_bits_unaligned(to, from, leaf);
	else if (leaf->width)
		store_bits(to, from, leaf);
	else if (leaf->size == 1)
		WRITE_ONCE(*(u8 *)to, *(u8 *)from);
	else if (leaf->size == 2 && IS_ALIGNED((long)to, 2))
		WRITE_ONCE(*(u16 *)to, *(u16 *)from);
	else if (leaf->size == 4 && IS_ALIGNED((long)to, 4))
		WRITE_ONCE(*(u32 *)to, *(u32 *)from);
	else if (leaf->size == 8 && IS_ALIGNED((long)to, 8))
		WRITE_ONCE(*(u64 *)to, *(u64 *)from);
	else
		memcpy(to, from, leaf->size);
}

/* The number of a unit of @leaf, whose bytes are @unit's; or the other way round. */
static u64 unit_number(const struct bpffs_leaf *leaf, u64 unit)
{
	if (!leaf->big_endian)
		return unit;
	switch (leaf->size) {
	case 2:
		return be16_to_cpu((__force __be16)unit);
	case 4:
		return be32_to_cpu((__force __be32)unit);
	}
	return be64_to_cpu((__force __be64)unit);
}

/* What is carried beyond the field is lost. */
static u64 unit_sum(const struct bpffs_leaf *leaf, u64 old, u64 amount)
{
	u32 bits = leaf->width ?: 8 * leaf->size;
	u64 mask = GENMASK_ULL(leaf->bit + bits - 1, leaf->bit);
	u64 number = unit_number(leaf, old);

	amount = unit_number(leaf, amount) & mask;
	return unit_number(leaf, (number & ~mask) | ((number + amount) & mask));
}

#define ADD_TO(type, to, from, leaf) do {				\
	type *unit = (to), old = READ_ONCE(*unit), was;			\
	type amount = *(const type *)(from);				\
									\
	while ((was = cmpxchg(unit, old, unit_sum(leaf, old, amount))) != old) \
		old = was;						\
} while (0)

/* The field, which is aligned, may be counted in meanwhile, as may its neighbours. */
static void add_leaf(void *value, const void *from, const struct bpffs_leaf *leaf)
{
	void *to = value + leaf->offset;

	from += leaf->offset;
	switch (leaf->size) {
	case 1:
		ADD_TO(u8, to, from, leaf);
		break;
	case 2:
		ADD_TO(u16, to, from, leaf);
		break;
	case 4:
		ADD_TO(u32, to, from, leaf);
		break;
	case 8:
		ADD_TO(u64, to, from, leaf);
		break;
	}
}

/**
 * struct store - fields on their way into one copy of a value
 * @layout: of the copy
 * @parser: which of its leaves are fresh
 * @from: their bytes
 * @base: the number of the copy's first leaf in @parser
 * @next: the next fresh leaf there, U64_MAX if there is none
 * @is_rest: a sum's other copy: numbers become zero, and nothing is added
 */
struct store {
	const struct bpffs_layout *layout;
	const struct bpffs_parser *parser;
	const void *from;
	u64 base;
	u64 next;
	bool is_rest;
};

/* The next fresh leaf of the copy at or after @n. */
static u64 next_fresh(const struct store *store, u64 n)
{
	n = bpffs_parse_next_fresh(store->parser, n);
	return n < store->base + bpffs_layout_leaves(store->layout) ? n : U64_MAX;
}

static void store_some(void *value, void *arg)
{
	struct store *store = arg;
	struct bpffs_leaf leaf;
	unsigned int i;

	for (i = 0; i < STORE_AT_ONCE && store->next != U64_MAX; i++) {
		bpffs_layout_leaf(store->layout, store->next - store->base, &leaf);
		if (!bpffs_parse_is_added(store->parser, store->next)) {
			if (leaf.numeric || !store->is_rest)
				store_leaf(value, store->from, &leaf);
		} else if (!store->is_rest) {
			add_leaf(value, store->from, &leaf);
		}
		store->next = next_fresh(store, store->next + 1);
	}
}

/* Where a store goes. */
struct edit {
	const struct bpffs_info *info;
	const void *key;
	u32 copy;
	struct store *store;
};

static int edit_here(void *arg)
{
	struct edit *edit = arg;

	return bpffs_map_edit(edit->info, edit->key, edit->copy, store_some, edit->store);
}

/*
 * Programs count in the copy of their own CPU, and not by atomic operations. Seen from
 * a task on that CPU, those that run in interrupts are never in the middle of it.
 */
static int edit_on_cpu(struct edit *edit)
{
	u32 cpu = edit->info->stored.cpus[edit->copy];
	int err;

	/* Of a CPU that goes meanwhile, another does the work. */
	err = smp_call_on_cpu(cpu, edit_here, edit, false);
	return err == -ENXIO ? edit_here(edit) : err;
}

/* Into copy @copy of the map; @zero is what a sum's other copies get. */
static int store_copy(struct bpffs_info *info, const void *key,
		      const struct bpffs_parser *parser, u32 copy,
		      const void *zero)
{
	u32 text_copy = info->sum ? 0 : copy;
	struct store store = {
		.layout = info->shape.layout,
		.parser = parser,
		.base = (u64)text_copy * bpffs_layout_leaves(info->shape.layout),
		.from = bpffs_parse_value(parser) + (size_t)text_copy * info->shape.stride,
	};
	struct edit edit = { .info = info, .key = key, .copy = copy, .store = &store };
	bool on_cpu = bpffs_parse_adds(parser) && bpffs_map_can(info, BPFFS_PERCPU);
	int err = 0;

	if (info->sum && copy) {
		store.from = zero;
		store.is_rest = true;
	}
	store.next = next_fresh(&store, store.base);
	while (!err && store.next != U64_MAX) {
		err = on_cpu && !store.is_rest ? edit_on_cpu(&edit) : edit_here(&edit);
		if (!err && !bpffs_go_on())
			err = -EINTR;
	}
	return err;
}

static int refuse_special(struct bpffs_info *info, const void *key,
			  const struct bpffs_parser *parser)
{
	u32 leaves = bpffs_layout_leaves(info->shape.layout);
	u32 offset, size, turns = 0;
	struct bpffs_leaf leaf;
	u64 n;

	if (!bpffs_special_field(bpffs_bpf_map(info), 0, &offset, &size))
		return 0;
	for (n = bpffs_parse_next_fresh(parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(parser, n + 1)) {
		bpffs_layout_leaf(info->shape.layout, n - div_u64(n, leaves) * leaves, &leaf);
		if (!bpffs_go_on_turn(&turns))
			return -EINTR;
		if (!is_special(bpffs_bpf_map(info), &leaf))
			continue;
		bpffs_refuse_element(info, key,
				     "byte %u is a lock's, timer's or pointer's" UNCHANGED,
				     leaf.offset);
		return -EPERM;
	}
	return 0;
}

static void see_place(void *value, void *place)
{
	*(unsigned long *)place = (unsigned long)value % sizeof(u64);
}

/*
 * What is not aligned cannot be added to at once, as values of tries are not. All values
 * of a map, and all copies of one, are aligned alike.
 */
static int refuse_unaligned(struct bpffs_info *info, const void *key,
			    const struct bpffs_parser *parser)
{
	struct bpffs_leaf leaf;
	unsigned long place;
	u32 turns = 0;
	u64 n;
	int err;

	err = bpffs_map_edit(info, key, 0, see_place, &place);
	for (n = bpffs_parse_next_fresh(parser, 0); n != U64_MAX && !err;
	     n = bpffs_parse_next_fresh(parser, n + 1)) {
		if (!bpffs_go_on_turn(&turns))
			return -EINTR;
		if (!bpffs_parse_is_added(parser, n))
			continue;
		bpffs_shape_leaf(&info->shape, n, &leaf);
		if (IS_ALIGNED(place + leaf.offset, leaf.size))
			continue;
		bpffs_refuse_element(info, key,
				     "the field at byte %u is not aligned: nothing can be added to it"
				     UNCHANGED, leaf.offset % info->shape.stride);
		return -EOPNOTSUPP;
	}
	return err;
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
	void *zero = NULL;
	u32 copy;
	int err;

	err = refuse_special(info, key, parser);
	if (!err && bpffs_parse_adds(parser))
		err = refuse_unaligned(info, key, parser);
	if (err)
		return err;
	if (info->sum) {
		zero = kvzalloc(info->shape.stride, GFP_KERNEL_ACCOUNT);
		if (!zero)
			return -ENOMEM;
	}
	for (copy = 0; copy < info->stored.copies && !err; copy++) {
		err = store_copy(info, key, parser, copy, zero);
		if (!err && !bpffs_go_on())
			err = -EINTR;
	}
	kvfree(zero);
	return err == -ENOENT || err == -EINTR ? err : refuse_store(info, key, err);
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
	if (!bpffs_value_owns(bpffs_bpf_map(info)))
		return true;
	first = bpffs_parse_next_fresh(parser, 0);
	return first != U64_MAX && bpffs_parse_next_fresh(parser, first + 1) != U64_MAX;
}

/**
 * bpffs_store_whole - update an element
 * @info: of the mount
 * @key: of the element
 * @value: every byte of it, of info->shape
 * @flags: BPF_ANY, BPF_NOEXIST or BPF_EXIST
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
	if (bpffs_value_owns(bpffs_bpf_map(info)) && flags != BPF_NOEXIST) {
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
	if (flags == BPF_ANY)
		err = bpffs_map_restore(info, key, copies, s);
	else
		err = bpffs_map_update(info, key, copies, flags, s);
	if (copies != value)
		kvfree(copies);
	return refuse_store(info, key, err);
}

/* Make an element of zeros, unless there is one by now. */
int bpffs_store_zero(struct bpffs_info *info, const void *key)
{
	void *zero = kvzalloc(bpffs_shape_bytes(&info->stored), GFP_KERNEL_ACCOUNT);
	struct bpffs_scratch s = {};
	int err;

	if (!zero)
		return -ENOMEM;
	err = bpffs_map_update(info, key, zero, BPF_NOEXIST, &s);
	bpffs_scratch_unmap(&s);
	bpffs_scratch_free(&s);
	kvfree(zero);
	return err == -EEXIST ? 0 : refuse_store(info, key, err);
}
