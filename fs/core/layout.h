/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The layout language: how the bytes of a key or a value are divided into
 * fields. docs/layout.rst is its manual; text.h turns fields into text.
 *
 * Pure: no VFS, no BPF. The same source is part of the kernel module, of
 * libbpffs, of the unit tests and of the fuzzers.
 */
#ifndef _BPFFS_LAYOUT_H
#define _BPFFS_LAYOUT_H

#include "pure.h"

/* The longest layout text accepted, and how deep groups and arrays may nest. */
#define BPFFS_LAYOUT_TEXT_MAX	65536
#define BPFFS_LAYOUT_FIELDS_MAX	8192
#define BPFFS_LAYOUT_DEPTH_MAX	16
/* The longest name of an element, as NAME_MAX; beyond it there are short names. */
#define BPFFS_NAME_MAX		255
/* Of a key that has names, and of the whole name that it could have. */
#define BPFFS_KEY_MAX		4096
#define BPFFS_WHOLE_NAME_MAX	65535
/* Of a key that begins with a prefix length, which is an LPM trie's. */
#define BPFFS_PREFIX_MAX	(4 + 256)

/**
 * struct bpffs_reason - why a layout or a text was refused
 * @column: 1-based column of the offending character, 0 if there is none
 * @text: a clause without a final stop: "packets: \"12x\" is not a u64".
 *	Bytes that do not print are escaped.
 */
struct bpffs_reason {
	unsigned int column;
	char text[160];
};

enum bpffs_use {
	BPFFS_KEY,
	BPFFS_VALUE,
};

struct bpffs_layout;

/**
 * struct bpffs_leaf - where one leaf of a layout lives in the bytes
 * @offset: of its first byte, or of the storage unit of a bit-field
 * @size: in bytes; of a bit-field, its storage unit's (1, 2, 4 or 8)
 * @bit: lowest bit of a bit-field, counted from the least significant bit of
 *	the unit's *number* (so after be16..be64 have been swapped)
 * @width: bits of a bit-field, 0 for every other leaf
 * @big_endian: the storage unit is be16, be32 or be64
 * @pad: padding: no text while its bytes (bits) are zero
 * @numeric: can be added up: an integer or bits, but no enum, nor shown in hex
 */
struct bpffs_leaf {
	u32 offset;
	u32 size;
	u8 bit;
	u8 width;
	bool big_endian;
	bool pad;
	bool numeric;
};

/**
 * bpffs_layout_compile - parse a layout and check it against a size
 * @text: need not be NUL-terminated
 * @len: of @text
 * @size: of the key or the value in bytes
 * @use: a key's layout is refused if one of the maxima above could be exceeded
 * @why: filled on failure
 *
 * Return: 0 and *@layout, to be given to bpffs_layout_release(); -EINVAL,
 * -ENAMETOOLONG (the key, or its name, could be too long), -E2BIG (a limit above), -ENOMEM.
 */
int bpffs_layout_compile(struct bpffs_layout **layout, const char *text,
			 size_t len, u32 size, enum bpffs_use use,
			 struct bpffs_reason *why);
void bpffs_layout_release(struct bpffs_layout *layout);

/* The canonical text, as snprintf(): returns its length, NUL-terminates. */
size_t bpffs_layout_print(const struct bpffs_layout *layout, char *buf,
			  size_t size);

/* The same as a whole, to be bpffs_free()d; NULL without memory. */
char *bpffs_layout_string(const struct bpffs_layout *layout);

/* Bytes covered; always the size it was compiled for. */
u32 bpffs_layout_size(const struct bpffs_layout *layout);
/* Is there a plen field? Then only an LPM trie may use the layout. */
bool bpffs_layout_has_plen(const struct bpffs_layout *layout);
/* Leaves without a name, at most one of which a per-CPU value can have. */
u32 bpffs_layout_bare(const struct bpffs_layout *layout);
/* Length of the longest whole name a key can have. */
u32 bpffs_layout_name_max(const struct bpffs_layout *layout);
/* Leaves: every array element, every named part of bits, every pad is one. */
u32 bpffs_layout_leaves(const struct bpffs_layout *layout);
/* Leaf @n in the order of the bytes, in O(depth * log(fields)). */
void bpffs_layout_leaf(const struct bpffs_layout *layout, u32 n,
		       struct bpffs_leaf *leaf);
/*
 * A number's unit of memory, of leaf->size bytes, as it becomes: the field has what it has
 * in @given, or is increased by that; what is carried beyond it is lost, and its neighbours
 * stay.
 */
void bpffs_unit_change(const struct bpffs_leaf *leaf, u8 *unit, const u8 *given, bool add);
/*
 * What of bits is in byte @i of their unit, as bits of a unit that is this byte: for one that is
 * not aligned, which no processor exchanges at once. Return: is there any?
 */
bool bpffs_bits_of_byte(const struct bpffs_leaf *leaf, u32 i, struct bpffs_leaf *byte);

#endif
