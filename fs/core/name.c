// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The names of keys: one name a key, one key a name. */
#include "field.h"
#include "text.h"

#define PLEN_BYTES	sizeof(u32)

/* Of byte @i of a key: the bits that are the prefix's. */
static u8 prefix_bits(u32 plen, u32 i)
{
	u32 bits = 8 * (i - PLEN_BYTES);

	if (plen <= bits)
		return 0;
	return plen - bits < 8 ? 0xff << (8 - (plen - bits)) : 0xff;
}

void bpffs_clear_host_bits(u8 *key, u32 size)
{
	u32 plen, i;

	memcpy(&plen, key, PLEN_BYTES);
	for (i = PLEN_BYTES; i < size; i++)
		key[i] &= prefix_bits(plen, i);
}

int bpffs_check_prefix(const u8 *key, u32 size, struct bpffs_reason *why)
{
	u32 plen, i, max = 8 * (size - PLEN_BYTES);

	memcpy(&plen, key, PLEN_BYTES);
	if (plen > max)
		return bpffs_reason(why, 0, "a prefix has %u bits at most, not %u", max, plen);
	for (i = PLEN_BYTES; i < size; i++)
		if (key[i] & ~prefix_bits(plen, i))
			return bpffs_reason(why, 0, "bits behind the %u of the prefix are not zero",
					    plen);
	return 0;
}

/**
 * struct sink - where a name goes
 * @to: where it begins
 * @room: for so many bytes; what is behind them is only counted
 * @len: of the name so far
 * @fits: it has room whatever the key is: texts are made where they belong
 * @first: else, its first character
 * @part: and texts are made here, a part at a time
 */
struct sink {
	char *to;
	u32 room;
	u32 len;
	bool fits;
	char first;
	char part[BPFFS_WORD_MAX + 1];
};

#define PART_BYTES	(BPFFS_WORD_MAX / 3)

static char *part_of(struct sink *s)
{
	return s->fits ? s->to + s->len : s->part;
}

/* What has room whatever the key is was made where it belongs. */
static void copy_part(struct sink *s, u32 len)
{
	if (!s->len && len)
		s->first = *s->part;
	if (s->len < s->room)
		memcpy(s->to + s->len, s->part, min(len, s->room - s->len));
}

static inline void put_part(struct sink *s, u32 len)
{
	if (!s->fits)
		copy_part(s, len);
	s->len += len;
}

static void put_char(struct sink *s, char ch)
{
	*part_of(s) = ch;
	put_part(s, 1);
}

static u32 put_string(const u8 *from, u32 count, char *to)
{
	u32 len = 0, i;

	for (i = 0; i < count; i++)
		len += bpffs_put_byte(to + len, from[i], BPFFS_IN_NAME);
	return len;
}

static void put_bytes(struct sink *s, const struct bpffs_field *field, const u8 *from)
{
	bool string = field->type == BPFFS_STR;
	u32 left = string ? bpffs_str_end(from, field->size) : field->size;
	u32 count;

	for (; left; left -= count, from += count) {
		count = s->fits ? left : min_t(u32, left, PART_BYTES);
		put_part(s, string ? put_string(from, count, part_of(s)) :
				     bpffs_put_hex(part_of(s), from, count));
	}
}

static inline void put_leaf(struct sink *s, const struct bpffs_field *field, const u8 *from)
{
	/* What most keys are. */
	if (field->type == BPFFS_HEX && s->fits)
		s->len += bpffs_put_hex(s->to + s->len, from, field->size);
	else if (field->type == BPFFS_HEX || field->type == BPFFS_STR)
		put_bytes(s, field, from);
	else
		put_part(s, bpffs_put_word(field, from, part_of(s)));
}

/* "~" and the bytes of all padding, if any of them is not zero. */
static void put_padding(struct sink *s, const struct bpffs_layout *layout, const u8 *key)
{
	const struct bpffs_found *leaf;
	const struct bpffs_found *end = layout->leaf + layout->root->leaves;
	bool zero = true;

	for (leaf = layout->leaf; leaf < end && zero; leaf++)
		if (bpffs_is_pad(leaf->field))
			zero = bpffs_pad_is_zero(leaf->field, key + leaf->offset);
	if (zero)
		return;
	put_char(s, '~');
	for (leaf = layout->leaf; leaf < end; leaf++) {
		if (!bpffs_is_pad(leaf->field))
			continue;
		if (leaf->field->type == BPFFS_PAD)
			put_bytes(s, leaf->field, key + leaf->offset);
		else
			put_part(s, bpffs_put_pad(leaf->field, key + leaf->offset, part_of(s)));
	}
}

/* No name begins with "." or "-", nor is it empty. */
static void escape_begin(struct sink *s)
{
	char first = s->fits ? *s->to : s->first;
	u32 rest = s->len - 1;

	if (!s->len) {
		memcpy(s->to, "%00", min(3U, s->room));
		s->len = 3;
	} else if (first == '.' || first == '-') {
		if (s->room > 3)
			memmove(s->to + 3, s->to + 1, min(rest, s->room - 3));
		memcpy(s->to, first == '.' ? "%2E" : "%2D", min(3U, s->room));
		s->len = 3 + rest;
	}
}

/* The name, all of it or its begin, at @to; and what of the key it is of. */
static inline u32 encode(const struct bpffs_layout *layout, const u8 *key, char *to,
			 u32 room)
{
	const struct bpffs_found *leaf = layout->leaf + layout->has_plen;
	const struct bpffs_found *end = layout->leaf + layout->root->leaves;
	struct sink s __uninitialized;
	bool begun = false;

	s.to = to;
	s.room = room;
	s.len = 0;
	s.fits = room >= layout->name_max;
	for (; leaf < end; leaf++) {
		if (bpffs_is_pad(leaf->field))
			continue;
		if (begun)
			put_char(&s, ',');
		begun = true;
		put_leaf(&s, leaf->field, key + leaf->offset);
	}
	if (layout->has_plen) {
		put_char(&s, '-');
		put_leaf(&s, layout->root->kid[0], key);
	}
	if (layout->pads)
		put_padding(&s, layout, key);
	escape_begin(&s);
	to[min(s.len, room)] = '\0';
	return s.len;
}

static const u8 *without_host_bits(const struct bpffs_layout *layout, const void *key,
				   u8 prefix[BPFFS_PREFIX_MAX])
{
	memcpy(prefix, key, bpffs_layout_size(layout));
	bpffs_clear_host_bits(prefix, bpffs_layout_size(layout));
	return prefix;
}

/* Bits behind the prefix are no part of a key. */
static inline const u8 *named_part(const struct bpffs_layout *layout, const void *key,
				   u8 prefix[BPFFS_PREFIX_MAX])
{
	return layout->has_plen ? without_host_bits(layout, key, prefix) : key;
}

int bpffs_name_encode(const struct bpffs_layout *layout, const void *key,
		      char name[BPFFS_NAME_MAX + 1])
{
	u8 prefix[BPFFS_PREFIX_MAX] __uninitialized;
	const u8 *bytes = named_part(layout, key, prefix);
	u32 len;

	len = encode(layout, bytes, name, BPFFS_NAME_MAX);
	if (len <= BPFFS_NAME_MAX)
		return len;
	return bpffs_put_short(name, bytes, bpffs_layout_size(layout));
}

u32 bpffs_name_whole(const struct bpffs_layout *layout, const void *key, char *name,
		     u32 size)
{
	u8 prefix[BPFFS_PREFIX_MAX] __uninitialized;

	return encode(layout, named_part(layout, key, prefix), name, size - 1);
}

/* --- Decoding: lenient, then compared with the one canonical name --- */

static int take_hex(const struct bpffs_field *field, const char *text, u32 len,
		    u8 *to, struct bpffs_reason *why)
{
	char wanted[64];
	int high, low;
	u32 i;

	bpffs_describe(field, wanted, sizeof(wanted));
	if (len != 2 * field->size)
		return bpffs_reason(why, 0, "%u characters are not %s", len, wanted);
	for (i = 0; i < field->size; i++) {
		high = bpffs_hex_digit(text[2 * i]);
		low = bpffs_hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return bpffs_reason(why, 2 * i + 1, "this is not %s", wanted);
		to[i] = high << 4 | low;
	}
	return 0;
}

static int take_string(const struct bpffs_field *field, const char *text, u32 len,
		       u8 *to, struct bpffs_reason *why)
{
	u32 at = 0, i, byte;

	memset(to, 0, field->size);
	for (i = 0; i < len; i++, at++) {
		byte = (u8)text[i];
		if (byte == '%') {
			if (len - i < 3 || bpffs_hex_digit(text[i + 1]) < 0 ||
			    bpffs_hex_digit(text[i + 2]) < 0)
				return bpffs_reason(why, 0,
						    "two hex digits expected behind \"%%\"");
			byte = bpffs_hex_digit(text[i + 1]) << 4 |
			       bpffs_hex_digit(text[i + 2]);
			i += 2;
		}
		if (at < field->size)
			to[at] = byte;
		else if (byte)
			return bpffs_reason(why, 0, "the string is longer than %u bytes",
					    field->size);
	}
	return 0;
}

static int take_leaf(const struct bpffs_field *field, const char *text, u32 len,
		     u8 *to, struct bpffs_reason *why)
{
	switch (field->type) {
	case BPFFS_HEX:
		return take_hex(field, text, len, to, why);
	case BPFFS_STR:
		return take_string(field, text, len, to, why);
	}
	return bpffs_take_word(field, text, len, to, why);
}

static int take_padding(const struct bpffs_layout *layout, const char *text,
			u32 len, u8 *key, struct bpffs_reason *why)
{
	const struct bpffs_found *leaf = layout->leaf;
	const struct bpffs_found *end = leaf + layout->root->leaves;
	u32 at = 0, i, digits;

	for (; leaf < end; leaf++) {
		u64 number = 0;

		if (!bpffs_is_pad(leaf->field))
			continue;
		digits = bpffs_pad_digits(leaf->field);
		if (len - at < digits)
			return bpffs_reason(why, 0, "too few digits of padding");
		for (i = 0; i < digits; i++) {
			int digit = bpffs_hex_digit(text[at + i]);

			if (digit < 0)
				return bpffs_reason(why, 0, "padding is hex");
			number = number << 4 | digit;
			if (leaf->field->type == BPFFS_PAD && i & 1)
				key[leaf->offset + i / 2] = number;
		}
		if (leaf->field->type == BPFFS_BITS)
			bpffs_save(leaf->field, key + leaf->offset, number);
		at += digits;
	}
	return at == len ? 0 : bpffs_reason(why, 0, "too many digits of padding");
}

/* Cut what follows the last @ch off; its length, or U32_MAX if there is none. */
static u32 cut(const char *text, u32 *len, char ch)
{
	u32 n = *len;
	u32 all = n;

	while (n && text[n - 1] != ch)
		n--;
	if (!n)
		return U32_MAX;
	*len = n - 1;
	return all - n;
}

static int take_key(const struct bpffs_layout *layout, char *name, u32 len,
		    u8 *key, struct bpffs_reason *why)
{
	const struct bpffs_found *leaf = layout->leaf + layout->has_plen;
	const struct bpffs_found *end = layout->leaf + layout->root->leaves;
	bool begun = false;
	u32 at = 0, tail;
	int err;

	tail = layout->pads ? cut(name, &len, '~') : U32_MAX;
	if (tail != U32_MAX) {
		err = take_padding(layout, name + len + 1, tail, key, why);
		if (err)
			return err;
	}
	if (layout->has_plen) {
		tail = cut(name, &len, '-');
		if (tail == U32_MAX)
			return bpffs_reason(why, 0, "a prefix length is missing, as in \"-24\"");
		err = take_leaf(layout->root->kid[0], name + len + 1, tail, key, why);
		if (err)
			return err;
	}
	for (; leaf < end; leaf++) {
		const char *comma;
		u32 width;

		if (bpffs_is_pad(leaf->field))
			continue;
		if (begun && (at == len || name[at++] != ','))
			return bpffs_reason(why, 0, "fields are missing");
		begun = true;
		comma = memchr(name + at, ',', len - at);
		width = comma ? (u32)(comma - (name + at)) : len - at;
		err = take_leaf(leaf->field, name + at, width, key + leaf->offset, why);
		if (err)
			return err;
		at += width;
	}
	return at == len ? 0 : bpffs_reason(why, 0, "too many fields");
}

/* @copy: has room for the longest name that the layout has, and a NUL. */
static int decode(const struct bpffs_layout *layout, const char *name, u32 len, u8 *key,
		  char *copy, struct bpffs_reason *why)
{
	int err;

	memset(key, 0, bpffs_layout_size(layout));
	/* The escape of the begin may stand for a sign or, before plen, a string. */
	if (len >= 3 && (!memcmp(name, "%2E", 3) || !memcmp(name, "%2D", 3))) {
		copy[0] = name[2] == 'E' ? '.' : '-';
		memcpy(copy + 1, name + 3, len - 3);
		err = take_key(layout, copy, len - 2, key, why);
	} else {
		memcpy(copy, name, len);
		err = take_key(layout, copy, len, key, why);
	}
	if (err)
		return err;
	if (layout->has_plen)
		bpffs_clear_host_bits(key, bpffs_layout_size(layout));
	if (encode(layout, key, copy, layout->name_max) == len && !memcmp(copy, name, len))
		return 0;
	return bpffs_reason(why, 0, "the name of this key is spelled \"%s\"", copy);
}

int bpffs_name_decode(const struct bpffs_layout *layout, const char *name,
		      size_t len, void *key, struct bpffs_reason *why)
{
	u32 max = max_t(u32, layout->name_max, BPFFS_NAME_MAX);
	char few[BPFFS_NAME_MAX + 1] __uninitialized;
	char *copy = few;
	int err;

	if (!len || len > max)
		return bpffs_reason(why, 0, "a name has 1 to %u bytes", max);
	if (bpffs_name_is_short(name, len))
		return bpffs_reason(why, 0, "a short name does not say all of the key");
	if (max > BPFFS_NAME_MAX)
		copy = bpffs_zalloc(max + 1);
	if (!copy)
		return -ENOMEM;
	err = decode(layout, name, len, key, copy, why);
	if (copy != few)
		bpffs_free(copy);
	return err;
}
