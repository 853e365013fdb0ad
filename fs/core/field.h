/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A compiled layout, for the pure files only; everyone else takes layout.h. */
#ifndef _BPFFS_FIELD_H
#define _BPFFS_FIELD_H

#include "layout.h"

enum bpffs_type {
	BPFFS_GROUP,
	BPFFS_INT,
	BPFFS_BITS,	/* one part of an integer */
	BPFFS_BOOL,
	BPFFS_HEX,
	BPFFS_STR,
	BPFFS_IP4,
	BPFFS_IP6,
	BPFFS_MAC,
	BPFFS_PAD,
	BPFFS_PLEN,
};

/* How a number is read and shown; the letter that a base begins with, but 'b'. */
enum bpffs_sign {
	BPFFS_UNSIGNED	= 'u',
	BPFFS_SIGNED	= 's',
	BPFFS_AS_HEX	= 'x',
};

/* An integer type: u8 to x64. */
struct bpffs_base {
	char name[5];
	u8 size;
	u8 sign;
	bool big_endian;
};

/* A name of an enum's value, sign-extended to 64 bits. */
struct bpffs_label {
	const char *name;
	u32 len;
	u32 order;
	u64 value;
};

/**
 * struct bpffs_field - a field, or one part of an integer's bits
 * @name: in the layout's text; NULL if it has none
 * @name_len: its length
 * @type: what it is
 * @bit: of BPFFS_BITS: lowest bit of the unit's number
 * @width: likewise: how many bits
 * @sign: of BPFFS_INT and BPFFS_BITS, which may have another than their base
 * @plain: an unsigned integer in the order of this machine, without labels: most are
 * @dims: of an array: how many dimensions it has
 * @dim: the counts, outermost first
 * @base: of BPFFS_INT, BPFFS_BITS, and of a group of bits: of the integer
 * @offset: in one element of the parent
 * @size: of one element (of BPFFS_BITS: of the integer)
 * @count: elements, 1 if it is no array
 * @leaf: number of its first leaf in one element of the parent
 * @leaves: of one element
 * @path_max: longest text of the part of a name that it and its kids add
 * @kid: of a group: its kids in the order of the bytes
 * @kids: how many
 * @named: of a group: those with a name, sorted by it
 * @nr_named: how many
 * @anon_array: of a group: its array without a name
 * @anon_leaf: of a group: its leaf without a name (of the root: the first)
 * @label: of an enum: names by value
 * @label_name: the same by name
 * @labels: how many
 *
 * A group without a name that is no array is not kept: its fields are its
 * parent's. Likewise the bits of an integer without a name.
 */
struct bpffs_field {
	const char *name;
	u32 name_len;
	u8 type;
	u8 bit;
	u8 width;
	u8 sign;
	bool plain;
	u8 dims;
	const u32 *dim;
	const struct bpffs_base *base;
	u32 offset;
	u32 size;
	u32 count;
	u32 leaf;
	u32 leaves;
	u32 path_max;
	u32 kids;
	u32 nr_named;
	u32 labels;
	struct bpffs_field **kid;
	struct bpffs_field **named;
	const struct bpffs_field *anon_array;
	const struct bpffs_field *anon_leaf;
	struct bpffs_label *label;
	struct bpffs_label **label_name;
};

struct bpffs_layout {
	struct bpffs_field *root;
	u32 name_max;
	u32 pads;	/* leaves that are padding */
	bool has_plen;
	bool sole_bare;	/* one leaf, which has no name: its text is the text */
	bool simple;	/* a key that is one plain number, or hex: see name.c */
	struct bpffs_found *leaf;	/* by number; NULL if there are many */
};

/* leaf.c: leaves by number */

/* Of the text that leads to a value; "cpu4294967295." comes before it. */
#define BPFFS_PATH_MAX	(BPFFS_NAME_MAX - 14)

/**
 * struct bpffs_found - a leaf of a layout: where it is and how it is called
 * @field: what it is
 * @offset: of its first byte (its unit's, of bits)
 * @path_len: of @path
 * @path: "last.sec"; of padding "~12". A "=" follows. Empty if the leaf has no name, and
 *	in keys
 * @text_max: longest "last.sec=12" and a separator; 0 of strings, padding, and what is
 *	too long
 */
struct bpffs_found {
	const struct bpffs_field *field;
	u32 offset;
	u32 path_len;
	const char *path;
	u32 text_max;
};

/* Of a path, with the "=" of one that is not empty. */
static inline u32 bpffs_prefix_len(const struct bpffs_found *found)
{
	return found->path_len + !!found->path_len;
}

/* Room for one that is not kept. */
struct bpffs_found_room {
	struct bpffs_found found;
	char path[BPFFS_PATH_MAX + 1];
};

int bpffs_keep_leaves(struct bpffs_layout *layout, enum bpffs_use use);
const struct bpffs_found *bpffs_find_leaf(const struct bpffs_layout *layout, u32 n,
					  struct bpffs_found_room *room);
const struct bpffs_field *bpffs_leaf_field(const struct bpffs_layout *layout, u32 n,
					   u32 *offset);

static inline bool bpffs_is_pad(const struct bpffs_field *field)
{
	return field->type == BPFFS_PAD ||
	       (field->type == BPFFS_BITS && !field->name);
}

/* May it be added up? Not what is an enum, nor what is shown as bits. */
static inline bool bpffs_is_numeric(const struct bpffs_field *field)
{
	return (field->type == BPFFS_INT || field->type == BPFFS_BITS) &&
	       !bpffs_is_pad(field) && !field->labels && field->sign != BPFFS_AS_HEX;
}

/* Of the root's kids: has it a text without a name? */
static inline bool bpffs_is_bare(const struct bpffs_field *field)
{
	return field->type != BPFFS_GROUP && !field->name && !field->dims &&
	       !bpffs_is_pad(field);
}

/* Fill in why; returns -EINVAL. */
__printf(3, 4)
int bpffs_reason(struct bpffs_reason *why, unsigned int column,
		 const char *fmt, ...);

/* leaf-text.c: the text of one leaf */

/* Longest text of a leaf that is not str, hex or pad; and has no enum's names. */
#define BPFFS_WORD_MAX	255
#define BPFFS_PLAIN_MAX	45

/* Where a string stands: which bytes of it are escaped. */
enum bpffs_where {
	BPFFS_IN_NAME,
	BPFFS_IN_NAMED_VALUE,
	BPFFS_IN_BARE_VALUE,
};

u64 bpffs_load(const struct bpffs_field *field, const u8 *from);
void bpffs_save(const struct bpffs_field *field, u8 *to, u64 number);
u32 bpffs_put_number(char *to, u64 number);
u32 bpffs_put_byte(char *to, u8 byte, enum bpffs_where where);
u32 bpffs_put_hex(char *to, const u8 *from, u32 size);
u32 bpffs_put_plain(const struct bpffs_field *field, const u8 *from, char *to);
u32 bpffs_put_word(const struct bpffs_field *field, const u8 *from, char *to);
u32 bpffs_pad_digits(const struct bpffs_field *field);
u32 bpffs_put_pad(const struct bpffs_field *field, const u8 *from, char *to);
u32 bpffs_str_end(const u8 *str, u32 size);
bool bpffs_pad_is_zero(const struct bpffs_field *field, const u8 *from);
int bpffs_hex_digit(char c);
u32 bpffs_take_hex(u8 *to, const char *text, u32 size);
bool bpffs_take_number(const char *text, u32 len, u64 *number, bool *negative);
int bpffs_take_word(const struct bpffs_field *field, const char *text, u32 len,
		    u8 *to, struct bpffs_reason *why);
void bpffs_describe(const struct bpffs_field *field, char *to, size_t size);
u32 bpffs_word_max(const struct bpffs_field *field);

/* short-name.c */
#define BPFFS_HASH_BYTES	20

void bpffs_hash(const u8 *bytes, u32 size, u8 hash[BPFFS_HASH_BYTES]);
u32 bpffs_put_short(char name[BPFFS_NAME_MAX + 1], const u8 *key, u32 size);

#endif
