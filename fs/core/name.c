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

bool bpffs_prefix_follows(const u8 *key, const u8 *next, u32 size)
{
	u32 plen, next_plen, i;
	u8 bits;

	memcpy(&plen, key, PLEN_BYTES);
	memcpy(&next_plen, next, PLEN_BYTES);
	for (i = PLEN_BYTES; i < size; i++) {
		bits = prefix_bits(min(plen, next_plen), i);
		if ((key[i] ^ next[i]) & bits)
			return (next[i] & bits) > (key[i] & bits);
	}
	return next_plen < plen;
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

/*
 * Each of these begins at @enough or before, and returns where what it has put ends. Behind
 * @enough there is no need of more: bytes end soon after it, and a word is put as a whole.
 */
static inline char *put_bytes(char *to, const char *enough, const u8 *from, u32 size)
{
	size_t room = enough - to;

	return to + bpffs_put_hex(to, from, min_t(size_t, size, room / 2 + 1));
}

static noinline char *put_string(char *to, const char *enough, const u8 *from, u32 size)
{
	const u8 *end = from + bpffs_str_end(from, size);

	for (; from < end && to <= enough; from++)
		to += bpffs_put_byte(to, *from, BPFFS_IN_NAME);
	return to;
}

static inline char *put_leaf(char *to, const char *enough, const struct bpffs_field *field,
			     const u8 *from)
{
	if (field->type == BPFFS_HEX)
		return put_bytes(to, enough, from, field->size);
	if (field->type == BPFFS_STR)
		return put_string(to, enough, from, field->size);
	return to + bpffs_put_word(field, from, to);
}

/* "~" and the bytes of all padding, if any of them is not zero. */
static char *put_padding(char *to, const char *enough, const struct bpffs_layout *layout,
			 const u8 *key)
{
	const struct bpffs_found *leaf;
	const struct bpffs_found *end = layout->leaf + layout->root->leaves;
	bool zero = true;

	for (leaf = layout->leaf; leaf < end && zero; leaf++)
		if (bpffs_is_pad(leaf->field))
			zero = bpffs_pad_is_zero(leaf->field, key + leaf->offset);
	if (zero)
		return to;
	*to++ = '~';
	for (leaf = layout->leaf; leaf < end && to <= enough; leaf++) {
		const u8 *from = key + leaf->offset;

		if (leaf->field->type == BPFFS_PAD)
			to = put_bytes(to, enough, from, leaf->field->size);
		else if (bpffs_is_pad(leaf->field))
			to += bpffs_put_pad(leaf->field, from, to);
	}
	return to;
}

/* "-" and the length of a prefix; padding. */
static noinline char *put_tail(char *to, const char *enough, const struct bpffs_layout *layout,
			       const u8 *key)
{
	if (layout->has_plen && to <= enough) {
		*to++ = '-';
		to = put_leaf(to, enough, layout->root->kid[0], key);
	}
	if (layout->pads && to <= enough)
		to = put_padding(to, enough, layout, key);
	return to;
}

/* No name begins with "." or "-", nor is it empty. */
static noinline u32 escape_begin(char *name, u32 len)
{
	if (!len) {
		memcpy(name, "%00", 3);
		return 3;
	}
	memmove(name + 3, name + 1, len - 1);
	memcpy(name, *name == '.' ? "%2E" : "%2D", 3);
	return len + 2;
}

/* Of what is put behind @max bytes: commas on both sides of a word; what an escape adds. */
#define BEYOND_MAX	(1 + BPFFS_WORD_MAX + 1 + 2)

/*
 * The name; its length. If that is more than @max, only more of it than @max: so @to has
 * room for the longest name or for @max + BEYOND_MAX bytes, and a NUL.
 */
static inline u32 encode(const struct bpffs_layout *layout, const u8 *key, char *to, u32 max)
{
	const struct bpffs_found *leaf = layout->leaf + layout->has_plen;
	const struct bpffs_found *end = layout->leaf + layout->root->leaves;
	/* With a comma. */
	const char *enough = to + max + 1;
	char *at = to;
	u32 len;

	for (; leaf < end && at <= enough; leaf++) {
		if (bpffs_is_pad(leaf->field))
			continue;
		at = put_leaf(at, enough, leaf->field, key + leaf->offset);
		*at++ = ',';
	}
	/* The last comma. */
	at--;
	if (layout->has_plen || layout->pads)
		at = put_tail(at, enough, layout, key);
	len = at - to;
	if (!len || *to == '.' || *to == '-')
		len = escape_begin(to, len);
	to[len] = '\0';
	return len;
}

/* What most keys are. */
static inline u32 encode_simple(const struct bpffs_layout *layout, const u8 *key, char *to)
{
	const struct bpffs_field *field = layout->leaf->field;
	u32 len;

	if (field->plain)
		len = bpffs_put_plain(field, key, to);
	else
		len = bpffs_put_hex(to, key, field->size);
	to[len] = '\0';
	return len;
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

/* What needs memory on the stack, which few keys do. */
static noinline u32 encode_any(const struct bpffs_layout *layout, const void *key,
			       char name[BPFFS_NAME_MAX + 1])
{
	char whole[BPFFS_NAME_MAX + BEYOND_MAX + 1] __uninitialized;
	u8 prefix[BPFFS_PREFIX_MAX] __uninitialized;
	const u8 *bytes = named_part(layout, key, prefix);
	u32 len = encode(layout, bytes, whole, BPFFS_NAME_MAX);

	memcpy(name, whole, min_t(u32, len, BPFFS_NAME_MAX) + 1);
	if (len <= BPFFS_NAME_MAX)
		return len;
	return bpffs_put_short(name, bytes, bpffs_layout_size(layout));
}

int bpffs_name_encode(const struct bpffs_layout *layout, const void *key,
		      char name[BPFFS_NAME_MAX + 1])
{
	if (layout->simple)
		return encode_simple(layout, key, name);
	if (layout->has_plen || layout->name_max > BPFFS_NAME_MAX)
		return encode_any(layout, key, name);
	return encode(layout, key, name, BPFFS_NAME_MAX);
}

u32 bpffs_name_whole(const struct bpffs_layout *layout, const void *key, char *name)
{
	u8 prefix[BPFFS_PREFIX_MAX] __uninitialized;

	if (layout->simple)
		return encode_simple(layout, key, name);
	return encode(layout, named_part(layout, key, prefix), name, layout->name_max);
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
		if (err && why && why->column)
			why->column += at;
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
		if (err && why && why->column > 1)
			why->column += 2;
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
