// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Values as text: made piece by piece, only where it is asked for. */
#include "field.h"
#include "text.h"

/* Bytes of a string or of hex in one piece. */
#define PIECE_BYTES	128
/* "cpu4294967295.", a path, "=", a word or a piece, a separator. */
#define PIECE_MAX	(BPFFS_NAME_MAX + 1 + 3 * PIECE_BYTES + 2)

/* Where in the text of a leaf: bpffs_text_pos.part; else the end of a string. */
#define AT_BEGIN	0
#define AT_BYTES	1

/**
 * struct piece - what is made at a time
 * @text: of it
 * @len: of @text
 */
struct piece {
	char text[PIECE_MAX];
	u32 len;
};

static void put_char(struct piece *piece, char ch)
{
	piece->text[piece->len++] = ch;
}

static void put_number(struct piece *piece, u64 number)
{
	piece->len += bpffs_put_number(piece->text + piece->len, number);
}

static void put_text(struct piece *piece, const char *text, u32 len)
{
	memcpy(piece->text + piece->len, text, len);
	piece->len += len;
}

/* Names and indices are joined by "."; there is one before all but the first. */
static void put_dot(struct piece *piece)
{
	if (piece->len)
		put_char(piece, '.');
}

static void put_indices(struct piece *piece, const struct bpffs_field *field, u32 index)
{
	u32 rest = field->count;
	u32 d;

	for (d = 0; d < field->dims; d++) {
		rest /= field->dim[d];
		put_dot(piece);
		put_number(piece, index / rest);
		index %= rest;
	}
}

static void put_path(struct piece *piece, const struct bpffs_place *place)
{
	const struct bpffs_field *field;
	u32 i;

	if (bpffs_is_pad(place->field)) {
		put_dot(piece);
		put_char(piece, '~');
		put_number(piece, place->offset);
		if (place->field->type == BPFFS_BITS) {
			put_char(piece, '.');
			put_number(piece, place->field->bit);
		}
		return;
	}
	for (i = 0; i < place->steps; i++) {
		field = place->step[i].field;
		if (field->name) {
			put_dot(piece);
			put_text(piece, field->name, field->name_len);
		}
		put_indices(piece, field, place->step[i].index);
	}
}

/* A leaf of a value: where it is, and how its text goes on. */
struct leaf {
	const struct bpffs_shape *shape;
	struct bpffs_place place;
	const u8 *bytes;
};

static void find_leaf(struct leaf *leaf, const struct bpffs_shape *shape,
		      const void *value, u64 n, u64 *copy)
{
	u32 leaves = bpffs_layout_leaves(shape->layout);

	*copy = div64_u64(n, leaves);
	leaf->shape = shape;
	bpffs_locate(shape->layout, n - *copy * leaves, &leaf->place);
	leaf->bytes = value + *copy * shape->stride + leaf->place.offset;
}

static bool has_text(const struct leaf *leaf)
{
	return !bpffs_is_pad(leaf->place.field) ||
	       !bpffs_pad_is_zero(leaf->place.field, leaf->bytes);
}

/* "cpu3.last.sec=", or nothing if the leaf is bare. */
static void put_prefix(struct piece *piece, const struct leaf *leaf, u64 copy)
{
	if (leaf->shape->cpus) {
		put_text(piece, "cpu", 3);
		put_number(piece, leaf->shape->cpus[copy]);
	}
	put_path(piece, &leaf->place);
	if (piece->len)
		put_char(piece, '=');
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

static enum bpffs_where where_of(const struct leaf *leaf)
{
	const struct bpffs_place *place = &leaf->place;

	if (leaf->shape->cpus || leaf->shape->layout->sole_bare || place->steps > 1 ||
	    place->field->name || place->field->dims)
		return BPFFS_IN_NAMED_VALUE;
	return BPFFS_IN_BARE_VALUE;
}

/* Some bytes of a leaf at @pos. */
static void put_bytes(struct piece *piece, const struct leaf *leaf,
		      const struct bpffs_text_pos *pos, u32 end)
{
	u32 count = min_t(u32, end - pos->byte, PIECE_BYTES);
	enum bpffs_where where = where_of(leaf);
	const u8 *from = leaf->bytes + pos->byte;
	u32 i;

	if (leaf->place.field->type != BPFFS_STR) {
		piece->len += bpffs_put_hex(piece->text + piece->len, from, count);
		return;
	}
	for (i = 0; i < count; i++)
		piece->len += bpffs_put_byte(piece->text + piece->len, from[i], where);
}

static void next_leaf(struct bpffs_text_pos *pos)
{
	pos->leaf++;
	pos->byte = 0;
	pos->part = AT_BEGIN;
}

/*
 * The piece of text at @pos, maybe empty, and @pos moved behind it. False: the
 * text is at its end.
 */
static bool make_piece(const struct bpffs_shape *shape, const void *value,
		       struct bpffs_text_pos *pos, struct piece *piece)
{
	u64 leaves = (u64)bpffs_layout_leaves(shape->layout) * shape->copies;
	const struct bpffs_field *field;
	struct leaf leaf;
	u64 copy;
	u32 end;

	piece->len = 0;
	if (pos->leaf >= leaves)
		return false;
	find_leaf(&leaf, shape, value, pos->leaf, &copy);
	field = leaf.place.field;
	if (pos->part == AT_BEGIN) {
		if (!has_text(&leaf)) {
			next_leaf(pos);
			return true;
		}
		put_prefix(piece, &leaf, copy);
		if (is_bytes(field))
			pos->part = AT_BYTES + end_of(field, leaf.bytes);
		/* A bare empty string would not be seen. */
		if (!piece->len && pos->part == AT_BYTES)
			put_text(piece, "%00", 3);
	}
	if (!is_bytes(field)) {
		if (bpffs_is_pad(field))
			piece->len += bpffs_put_pad(field, leaf.bytes,
						    piece->text + piece->len);
		else
			piece->len += bpffs_put_word(field, leaf.bytes,
						     piece->text + piece->len);
		put_char(piece, shape->separator);
		next_leaf(pos);
	} else {
		end = pos->part - AT_BYTES;
		put_bytes(piece, &leaf, pos, end);
		pos->byte += min_t(u32, end - pos->byte, PIECE_BYTES);
		if (pos->byte == end) {
			put_char(piece, shape->separator);
			next_leaf(pos);
		}
	}
	pos->off += piece->len;
	return true;
}

size_t bpffs_text_read(const struct bpffs_shape *shape, const void *value,
		       u64 off, struct bpffs_text_pos *pos, char *buf,
		       size_t len)
{
	struct bpffs_text_pos begin;
	struct piece piece;
	size_t done = 0;

	if (pos->off > off)
		memset(pos, 0, sizeof(*pos));
	while (done < len) {
		size_t skip, take;

		begin = *pos;
		if (!make_piece(shape, value, pos, &piece))
			break;
		if (begin.off + piece.len <= off + done)
			continue;
		skip = off + done - begin.off;
		take = min_t(size_t, piece.len - skip, len - done);
		memcpy(buf + done, piece.text + skip, take);
		done += take;
		/* What is left of the piece is made again by the next read. */
		if (skip + take < piece.len)
			*pos = begin;
	}
	return done;
}

u64 bpffs_text_size(const struct bpffs_shape *shape, const void *value)
{
	struct bpffs_text_pos pos = {};
	struct piece piece;
	struct leaf leaf;
	u64 copy;

	while (make_piece(shape, value, &pos, &piece)) {
		/* Two digits a byte, whatever the bytes are. */
		if (pos.part <= AT_BYTES)
			continue;
		find_leaf(&leaf, shape, value, pos.leaf, &copy);
		if (leaf.place.field->type == BPFFS_STR)
			continue;
		pos.off += 2ULL * (leaf.place.field->size - pos.byte) + 1;
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

void bpffs_value_sum(const struct bpffs_shape *shape, const void *values,
		     void *sum)
{
	u32 leaves = bpffs_layout_leaves(shape->layout);
	struct bpffs_place place;
	u32 n, copy;

	memcpy(sum, values, bpffs_layout_size(shape->layout));
	for (n = 0; n < leaves; n++) {
		u64 total = 0;

		bpffs_locate(shape->layout, n, &place);
		if (!bpffs_is_numeric(place.field))
			continue;
		for (copy = 0; copy < shape->copies; copy++)
			total += bpffs_load(place.field, (u8 *)values + place.offset +
					    (size_t)copy * shape->stride);
		bpffs_save(place.field, (u8 *)sum + place.offset, total);
	}
}
