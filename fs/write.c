// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to an element's file: text becomes fields, and fields are stored.
 *
 * A text is parsed before anything changes. Some fields are stored where they
 * lie, as a BPF program stores them; every field together is one update of the
 * element; and an element that is not there yet appears when every field of it
 * has been named, so that no program sees a half-made one.
 */
#include <linux/uio.h>

#include "element.h"

/* Leaves stored in one RCU section. */
#define STORE_AT_ONCE	1024

/* Remember a refusal as "NAME: REASON; nothing was changed". */
__printf(2, 3)
static void refuse(struct inode *inode, const char *fmt, ...)
{
	struct bpffs_info *info = bpffs_info(inode->i_sb);
	char name[BPFFS_NAME_MAX + 1];
	struct va_format reason;
	va_list args;

	bpffs_name_encode(info->key, bpffs_element_key(inode), name);
	va_start(args, fmt);
	reason.fmt = fmt;
	reason.va = &args;
	bpffs_refuse(info, "%s: %pV; nothing was changed", name, &reason);
	va_end(args);
}

static void refuse_text(struct inode *inode, const struct bpffs_reason *why)
{
	if (why->column)
		refuse(inode, "%s (column %u)", why->text, why->column);
	else
		refuse(inode, "%s", why->text);
}

/* Say what the map's own refusal means; @err is passed through. */
static int refuse_store(struct inode *inode, int err)
{
	const struct bpf_map *map = bpffs_info(inode->i_sb)->object.map;

	switch (err) {
	case -EPERM:
		refuse(inode, "the map is frozen");
		break;
	case -ENOENT:
		refuse(inode, "the element is gone");
		break;
	case -EEXIST:
		refuse(inode, "the element exists by now");
		break;
	case -ENOSPC:
		refuse(inode, "the map is full (%u elements)", map->max_entries);
		break;
	case 0:
		break;
	default:
		refuse(inode, "the map refuses the update (error %d)", -err);
	}
	return err;
}

/* --- Special fields: spin locks, timers, kptrs, ... --- */

/* Would storing @leaf, or a text that gives it bytes, touch one? */
static bool is_special(const struct bpf_map *map, const struct bpffs_leaf *leaf)
{
	u32 i, offset, size;

	for (i = 0; bpffs_special_field(map, i, &offset, &size); i++)
		if (leaf->offset < offset + size && offset < leaf->offset + leaf->size)
			return true;
	return false;
}

static bool gives_special_bytes(const struct bpf_map *map, const void *value)
{
	u32 i, offset, size;

	for (i = 0; bpffs_special_field(map, i, &offset, &size); i++)
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

struct store {
	const struct bpffs_shape *shape;
	const struct bpffs_parser *parser;
	u64 next;
};

static void store_some(void *value, void *arg)
{
	struct store *store = arg;
	struct bpffs_leaf leaf;
	unsigned int i;

	for (i = 0; i < STORE_AT_ONCE && store->next != U64_MAX; i++) {
		bpffs_shape_leaf(store->shape, store->next, &leaf);
		store_leaf(value, bpffs_parse_value(store->parser), &leaf);
		store->next = bpffs_parse_next_fresh(store->parser, store->next + 1);
	}
}

static int store_in_place(struct inode *inode, struct bpffs_open *open)
{
	const struct bpffs_info *info = bpffs_info(inode->i_sb);
	struct store store = { .shape = &info->shape, .parser = open->parser };
	const struct bpf_map *map = info->object.map;
	struct bpffs_leaf leaf;
	u64 n;
	int err;

	for (n = bpffs_parse_next_fresh(open->parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(open->parser, n + 1)) {
		bpffs_shape_leaf(&info->shape, n, &leaf);
		if (!is_special(map, &leaf))
			continue;
		refuse(inode, "byte %u belongs to a lock, timer or pointer",
		       leaf.offset);
		return -EPERM;
	}
	store.next = bpffs_parse_next_fresh(open->parser, 0);
	do {
		err = bpffs_map_edit(info, bpffs_element_key(inode), store_some,
				     &store);
		cond_resched();
	} while (!err && store.next != U64_MAX);
	return err;
}

/* --- Every field: one update --- */

static int store_whole(struct inode *inode, struct bpffs_open *open)
{
	const struct bpffs_info *info = bpffs_info(inode->i_sb);
	const void *value = bpffs_parse_value(open->parser);
	u64 flags = BPF_EXIST;

	if (bpffs_value_owns(info->object.map)) {
		refuse(inode, "writing every field would destroy a timer or pointer");
		return -EPERM;
	}
	if (gives_special_bytes(info->object.map, value)) {
		refuse(inode, "the bytes of a lock are not zero");
		return -EPERM;
	}
	if (open->may_insert)
		flags = open->excl ? BPF_NOEXIST : BPF_ANY;
	return refuse_store(inode, bpffs_map_update(info, bpffs_element_key(inode),
						    value, flags));
}

/* Store what the pieces so far have completed. Return: 0 or an errno. */
static int store_fresh(struct inode *inode, struct bpffs_open *open)
{
	const struct bpffs_info *info = bpffs_info(inode->i_sb);
	struct bpffs_parser *parser = open->parser;
	bool whole = bpffs_parse_all_fresh(parser);
	bool all = bpffs_parse_all_named(parser);
	int err;

	if (bpffs_parse_next_fresh(parser, 0) == U64_MAX)
		return 0;
	/* The last piece of a text of every field: store that text, once. */
	if (all && !open->complete && !bpffs_value_owns(info->object.map))
		whole = true;
	if (!whole && !open->pending) {
		err = store_in_place(inode, open);
		if (err != -ENOENT || !open->may_insert) {
			if (!err)
				open->may_insert = false;
			return err == -ENOENT ? refuse_store(inode, err) : err;
		}
		open->pending = true;
	}
	if (!whole)
		return 0;
	err = store_whole(inode, open);
	if (err)
		return err;
	open->complete = true;
	open->pending = false;
	open->may_insert = false;
	return 0;
}

/* --- Pieces of text --- */

static void begin_text(struct bpffs_open *open, loff_t pos)
{
	bpffs_parse_begin(open->parser);
	open->next = pos;
	open->complete = false;
}

static int parse_pieces(struct inode *inode, struct bpffs_open *open,
			struct iov_iter *from)
{
	struct bpffs_reason why = {};
	size_t want, got;

	while ((want = min(iov_iter_count(from), sizeof(open->window)))) {
		got = copy_from_iter(open->window, want, from);
		if (got < want)
			return -EFAULT;
		if (bpffs_parse_piece(open->parser, open->window, got, &why)) {
			refuse_text(inode, &why);
			return -EINVAL;
		}
		cond_resched();
	}
	bpffs_parse_pause(open->parser);
	return 0;
}

static int write_text(struct inode *inode, struct bpffs_open *open, loff_t pos,
		      struct iov_iter *from)
{
	const struct bpffs_info *info = bpffs_info(inode->i_sb);
	int err;

	if (!open->parser) {
		open->parser = bpffs_parser_new(&info->shape);
		if (!open->parser)
			return -ENOMEM;
	}
	if (pos == 0)
		begin_text(open, 0);
	if (pos != open->next) {
		refuse(inode, "a text is written from its start, without gaps");
		return -EINVAL;
	}
	open->zero_on_close = false;
	err = parse_pieces(inode, open, from);
	if (!err)
		err = store_fresh(inode, open);
	if (err) {
		begin_text(open, pos);
		return err;
	}
	bpffs_parse_commit(open->parser);
	open->sampled = false;
	return 0;
}

ssize_t bpffs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct bpffs_open *open = iocb->ki_filp->private_data;
	struct inode *inode = file_inode(iocb->ki_filp);
	struct bpffs_element *element = bpffs_element(inode);
	size_t len = iov_iter_count(from);
	int err;

	if (!len)
		return 0;
	mutex_lock(&element->lock);
	err = write_text(inode, open, iocb->ki_pos, from);
	if (!err) {
		iocb->ki_pos += len;
		open->next = iocb->ki_pos;
	}
	mutex_unlock(&element->lock);
	return err ?: len;
}

/* --- Zero elements --- */

/* touch: make the element, all zero, if nothing was written and it is not there. */
int bpffs_write_touch(struct inode *inode, struct bpffs_open *open)
{
	const struct bpffs_info *info = bpffs_info(inode->i_sb);
	void *zero;
	int err;

	if (!open->pending || open->parser)
		return 0;
	zero = kvzalloc(bpffs_shape_bytes(&info->shape), GFP_KERNEL_ACCOUNT);
	if (!zero)
		return -ENOMEM;
	err = bpffs_map_update(info, bpffs_element_key(inode), zero, BPF_NOEXIST);
	kvfree(zero);
	if (err && err != -EEXIST)
		return refuse_store(inode, err);
	open->pending = false;
	open->zero_on_close = false;
	return 0;
}

/* The last chance to say that a text was not finished. */
void bpffs_write_close(struct inode *inode, struct bpffs_open *open)
{
	struct bpffs_reason why = {};

	if (open->zero_on_close)
		bpffs_write_touch(inode, open);
	if (!open->parser)
		return;
	if (bpffs_parse_unfinished(open->parser, &why))
		refuse(inode, "closed in the middle of a field: %s", why.text);
	else if (open->pending && open->next)
		refuse(inode, "closed before every field was named");
}
