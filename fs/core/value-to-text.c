// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Values as text: made piece by piece, only where it is asked for. */
#include "field.h"
#include "text.h"

/* A word, and a separator. */
#define TEXT_MAX	(BPFFS_WORD_MAX + 1)
/* Bytes of a string or of hex in one piece: not longer, if all are escaped. */
#define PIECE_BYTES	(BPFFS_WORD_MAX / 3)
/* "cpu4294967295." and a path are not longer than a name; "=". */
#define PIECE_MAX	(BPFFS_NAME_MAX + 1 + TEXT_MAX)

/* Where in the text of a leaf: bpffs_text_pos.part; else the end of a string. */
#define AT_BEGIN	0
#define AT_BYTES	1

/* A leaf of a value: where it is, and how it is called. */
struct leaf {
	const struct bpffs_found *found;
	const struct bpffs_field *field;
	const u8 *bytes;
	u64 copy;
	struct bpffs_found_room room;
};

static void find_leaf(struct leaf *leaf, const struct bpffs_shape *shape,
		      const void *value, u64 n)
{
	u32 leaves = bpffs_layout_leaves(shape->layout);

	leaf->copy = shape->copies > 1 ? div64_u64(n, leaves) : 0;
	leaf->found = bpffs_find_leaf(shape->layout, n - leaf->copy * leaves, &leaf->room);
	leaf->field = leaf->found->field;
	leaf->bytes = value + leaf->copy * shape->stride + leaf->found->offset;
}

static bool has_text(const struct leaf *leaf)
{
	return !bpffs_is_pad(leaf->field) ||
	       !bpffs_pad_is_zero(leaf->field, leaf->bytes);
}

/* "cpu3.last.sec=", or nothing if the leaf is bare. */
static u32 put_prefix(const struct bpffs_shape *shape, const struct leaf *leaf, char *to)
{
	u32 path_len = leaf->found->path_len, len = 0;

	if (shape->cpus) {
		memcpy(to, "cpu", 3);
		len = 3 + bpffs_put_number(to + 3, shape->cpus[leaf->copy]);
		if (path_len)
			to[len++] = '.';
	}
	memcpy(to + len, leaf->found->path, path_len);
	len += path_len;
	if (len)
		to[len++] = '=';
	return len;
}

static bool is_bytes(const struct bpffs_field *field)
{
	return field->type == BPFFS_HEX || field->type == BPFFS_STR ||
	       field->type == BPFFS_PAD;
}

/* How many bytes of a str, hex or pad leaf have a text. */
static u32 end_of(const struct bpffs_field *field, const u8 *bytes)
{
	return field->type == BPFFS_STR ? bpffs_str_end(bytes, field->size) : field->size;
}

static enum bpffs_where where_of(const struct bpffs_shape *shape, const struct leaf *leaf)
{
	return shape->cpus || shape->layout->sole_bare || leaf->found->path_len ?
	       BPFFS_IN_NAMED_VALUE : BPFFS_IN_BARE_VALUE;
}

/* Some bytes of a leaf. */
static u32 put_bytes(const struct bpffs_shape *shape, const struct leaf *leaf,
		     const u8 *from, u32 count, char *to)
{
	enum bpffs_where where;
	u32 len = 0, i;

	if (leaf->field->type != BPFFS_STR)
		return bpffs_put_hex(to, from, count);
	where = where_of(shape, leaf);
	for (i = 0; i < count; i++)
		len += bpffs_put_byte(to + len, from[i], where);
	return len;
}

static void next_leaf(struct bpffs_text_pos *pos)
{
	pos->leaf++;
	pos->byte = 0;
	pos->part = AT_BEGIN;
}

/* The most that make_piece() makes of a leaf. */
static u32 piece_max(const struct leaf *leaf)
{
	return BPFFS_NAME_MAX - BPFFS_PATH_MAX + leaf->found->path_len + 1 +
	       (is_bytes(leaf->field) || leaf->field->labels ? TEXT_MAX :
								BPFFS_PLAIN_MAX + 1);
}

/*
 * The piece of text at @pos, of at most @most bytes of the leaf, maybe empty; returns its
 * length, and moves @pos.
 */
static u32 make_piece(const struct bpffs_shape *shape, const struct leaf *leaf,
		      struct bpffs_text_pos *pos, u32 most, char *to)
{
	const struct bpffs_field *field = leaf->field;
	u32 len = 0, count;

	if (pos->part == AT_BEGIN) {
		if (!has_text(leaf)) {
			next_leaf(pos);
			return 0;
		}
		len = put_prefix(shape, leaf, to);
		if (is_bytes(field))
			pos->part = AT_BYTES + end_of(field, leaf->bytes);
		/* A bare empty string would not be seen. */
		if (!len && pos->part == AT_BYTES) {
			memcpy(to, "%00", 3);
			len = 3;
		}
	}
	if (is_bytes(field)) {
		count = min_t(u32, pos->part - AT_BYTES - pos->byte, most);
		len += put_bytes(shape, leaf, leaf->bytes + pos->byte, count, to + len);
		pos->byte += count;
		if (pos->byte < pos->part - AT_BYTES) {
			pos->off += len;
			return len;
		}
	} else if (bpffs_is_pad(field)) {
		len += bpffs_put_pad(field, leaf->bytes, to + len);
	} else {
		len += bpffs_put_word(field, leaf->bytes, to + len);
	}
	to[len++] = shape->separator;
	next_leaf(pos);
	pos->off += len;
	return len;
}

/* The next leaves, each whole: as many as have a text_max and room for it. */
static size_t put_leaves(const struct bpffs_shape *shape, const u8 *value,
			 u64 leaves, struct bpffs_text_pos *pos, char *buf, size_t len)
{
	const struct bpffs_found *found = shape->layout->leaf;
	size_t done = 0;
	u32 name;

	if (!found || shape->cpus || pos->part != AT_BEGIN)
		return 0;
	for (found += pos->leaf; pos->leaf < leaves; pos->leaf++, found++) {
		const struct bpffs_field *field = found->field;
		const u8 *from = value + found->offset;

		if (!found->text_max || found->text_max > len - done)
			break;
		name = bpffs_prefix_len(found);
		memcpy(buf + done, found->path, name);
		done += name;
		if (field->plain)
			done += bpffs_put_plain(field, from, buf + done);
		else if (field->type == BPFFS_HEX)
			done += bpffs_put_hex(buf + done, from, field->size);
		else
			done += bpffs_put_word(field, from, buf + done);
		buf[done++] = shape->separator;
	}
	pos->off += done;
	return done;
}

/* How many bytes have room in the middle of hex; the last one has a separator, too. */
static u32 hex_room(const struct bpffs_text_pos *pos, size_t len)
{
	size_t left = pos->part - AT_BYTES - pos->byte;

	return 2 * left < len ? left : min(left - 1, len / 2);
}

static u64 leaves_of(const struct bpffs_shape *shape)
{
	return (u64)bpffs_layout_leaves(shape->layout) * shape->copies;
}

size_t bpffs_text_read(const struct bpffs_shape *shape, const void *value,
		       u64 off, struct bpffs_text_pos *pos, char *buf,
		       size_t len)
{
	u64 leaves = leaves_of(shape);
	char piece[PIECE_MAX] __uninitialized;
	struct leaf leaf __uninitialized;
	size_t done = 0;
	u32 pieces = 0;

	if (pos->off > off)
		memset(pos, 0, sizeof(*pos));
	while (done < len && pos->leaf < leaves && bpffs_go_on_turn(&pieces)) {
		struct bpffs_text_pos begin;
		size_t skip, take;
		u32 made, most;
		bool direct;

		if (pos->off == off + done) {
			take = put_leaves(shape, value, leaves, pos, buf + done, len - done);
			done += take;
			if (take)
				continue;
		}
		find_leaf(&leaf, shape, value, pos->leaf);
		most = PIECE_BYTES;
		direct = pos->off == off + done && len - done >= piece_max(&leaf);
		/* Pieces that cross the end would be made twice. */
		if (pos->part != AT_BEGIN && leaf.field->type != BPFFS_STR &&
		    pos->off == off + done) {
			most = hex_room(pos, len - done);
			direct = most;
			most = most ?: 1;
		}
		if (direct) {
			done += make_piece(shape, &leaf, pos, most, buf + done);
			continue;
		}
		begin = *pos;
		made = make_piece(shape, &leaf, pos, most, piece);
		if (pos->off <= off + done)
			continue;
		skip = off + done - begin.off;
		take = min_t(size_t, made - skip, len - done);
		memcpy(buf + done, piece + skip, take);
		done += take;
		/* What is left of the piece is made again by the next read. */
		if (skip + take < made)
			*pos = begin;
	}
	return done;
}

u64 bpffs_text_size(const struct bpffs_shape *shape, const void *value)
{
	u64 leaves = leaves_of(shape);
	struct bpffs_text_pos pos = {};
	char piece[PIECE_MAX] __uninitialized;
	struct leaf leaf __uninitialized;
	u32 pieces = 0;

	while (pos.leaf < leaves && bpffs_go_on_turn(&pieces)) {
		find_leaf(&leaf, shape, value, pos.leaf);
		make_piece(shape, &leaf, &pos, PIECE_BYTES, piece);
		/* Two digits a byte, whatever the bytes are. */
		if (pos.part <= AT_BYTES || leaf.field->type == BPFFS_STR)
			continue;
		pos.off += 2ULL * (leaf.field->size - pos.byte) + 1;
		next_leaf(&pos);
	}
	return pos.off;
}

void bpffs_shape_leaf(const struct bpffs_shape *shape, u64 n,
		      struct bpffs_leaf *leaf)
{
	u32 leaves = bpffs_layout_leaves(shape->layout);
	u64 copy = div64_u64(n, leaves);

	bpffs_layout_leaf(shape->layout, n - copy * leaves, leaf);
	leaf->offset += copy * shape->stride;
}

void bpffs_shape_add(const struct bpffs_shape *shape, u64 n, const void *amounts,
		     void *value)
{
	u32 leaves = bpffs_layout_leaves(shape->layout);
	u64 copy = div64_u64(n, leaves);
	const struct bpffs_field *field;
	size_t at;
	u32 offset;

	field = bpffs_leaf_field(shape->layout, n - copy * leaves, &offset);
	at = copy * shape->stride + offset;
	bpffs_save(field, (u8 *)value + at, bpffs_load(field, (u8 *)value + at) +
		   bpffs_load(field, (u8 *)amounts + at));
}

void bpffs_value_sum(const struct bpffs_shape *shape, const void *values,
		     void *sum)
{
	u32 leaves = bpffs_layout_leaves(shape->layout);
	const struct bpffs_field *field;
	u32 n, copy, offset, turns = 0;

	memcpy(sum, values, bpffs_layout_size(shape->layout));
	for (n = 0; n < leaves; n++) {
		u64 total = 0;

		field = bpffs_leaf_field(shape->layout, n, &offset);
		if (!bpffs_is_numeric(field))
			continue;
		for (copy = 0; copy < shape->copies; copy++) {
			if (!bpffs_go_on_turn(&turns))
				return;
			total += bpffs_load(field, (u8 *)values + offset +
					    (size_t)copy * shape->stride);
		}
		bpffs_save(field, (u8 *)sum + offset, total);
	}
}
