// SPDX-License-Identifier: GPL-2.0-only
/* Some fields of an element, stored where they lie, as a BPF program stores them. */
#include "bpffs.h"

/* Leaves stored in one RCU section. */
#define STORE_AT_ONCE	1024

#define EXCHANGE(type, to, from, leaf, add) do {			\
	type *unit = (to), old = READ_ONCE(*unit), was, new;		\
									\
	for (;; old = was) {						\
		new = old;						\
		bpffs_unit_change(leaf, (u8 *)&new, from, add);		\
		was = cmpxchg(unit, old, new);				\
		if (was == old)						\
			break;						\
	}								\
} while (0)

/* The unit is aligned, and it and its neighbours in it may be counted in meanwhile. */
static void exchange_unit(void *to, const void *from, const struct bpffs_leaf *leaf, bool add)
{
	switch (leaf->size) {
	case 1:
		EXCHANGE(u8, to, from, leaf, add);
		break;
	case 2:
		EXCHANGE(u16, to, from, leaf, add);
		break;
	case 4:
		EXCHANGE(u32, to, from, leaf, add);
		break;
	case 8:
		EXCHANGE(u64, to, from, leaf, add);
		break;
	}
}

/* In a packed value a unit can lie across cache lines: then byte by byte. */
static void store_bits_unaligned(u8 *to, const u8 *from,
				 const struct bpffs_leaf *leaf)
{
	struct bpffs_leaf byte;
	u32 i;

	for (i = 0; i < leaf->size; i++)
		if (bpffs_bits_of_byte(leaf, i, &byte))
			exchange_unit(to + i, from + i, &byte, false);
}

/* A field of up to 8 bytes is one store, if it is aligned. */
static void store_leaf(void *value, const void *from, const struct bpffs_leaf *leaf)
{
	void *to = value + leaf->offset;

	from += leaf->offset;
	if (leaf->width && !IS_ALIGNED((long)to, leaf->size))
		store_bits_unaligned(to, from, leaf);
	else if (leaf->width)
		exchange_unit(to, from, leaf, false);
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
			exchange_unit(value + leaf.offset, store->from + leaf.offset, &leaf,
				      true);
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

/* exchange_unit() takes any size. */
bool bpffs_map_can_add(const struct bpffs_info *info, const struct bpffs_leaf *leaf)
{
	return true;
}
