// SPDX-License-Identifier: GPL-2.0-only
/* Some fields of an element, stored where they lie, as a BPF program stores them. */
#include "bpffs.h"

/* Leaves stored in one RCU section. */
#define STORE_AT_ONCE	1024

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

static void store_some(void *value, void *arg)
{
	struct bpffs_store *store = arg;
	struct bpffs_leaf leaf;
	unsigned int i;

	for (i = 0; i < STORE_AT_ONCE; i++) {
		switch (bpffs_store_step(store, &leaf)) {
		case BPFFS_STORE_END:
			return;
		case BPFFS_STORE_SKIP:
			break;
		case BPFFS_STORE_SET:
			store_leaf(value, store->from, &leaf);
			break;
		case BPFFS_STORE_ADD:
			add_leaf(value, store->from, &leaf);
			break;
		}
	}
}

/* Where a store goes. */
struct edit {
	const struct bpffs_info *info;
	const void *key;
	u32 copy;
	struct bpffs_store *store;
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

int bpffs_map_store(const struct bpffs_info *info, const void *key, u32 copy,
		    bool counted, struct bpffs_store *store)
{
	struct edit edit = { .info = info, .key = key, .copy = copy, .store = store };

	return counted ? edit_on_cpu(&edit) : edit_here(&edit);
}

static void see_place(void *value, void *place)
{
	*(unsigned long *)place = (unsigned long)value % sizeof(u64);
}

int bpffs_map_place(const struct bpffs_info *info, const void *key, unsigned long *place)
{
	return bpffs_map_edit(info, key, 0, see_place, place);
}
