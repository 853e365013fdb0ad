/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The text of keys (names) and of values. Pure, as layout.h.
 */
#ifndef _BPFFS_TEXT_H
#define _BPFFS_TEXT_H

#include "layout.h"

/* --- Names: strict, one name a key and one key a name --- */

/*
 * Write the name of @key, NUL-terminated, to @name; returns its length. It is a short
 * one if the whole name is longer.
 */
int bpffs_name_encode(const struct bpffs_layout *layout, const void *key,
		      char name[BPFFS_NAME_MAX + 1]);
/* The same of the whole name: @name has room for the longest, and a NUL. */
u32 bpffs_name_whole(const struct bpffs_layout *layout, const void *key, char *name);
/* Does it end as short names do? No whole name does, so only its key tells more. */
bool bpffs_name_is_short(const char *name, size_t len);
/* No short name is shorter: what is cut off at most is an escape. */
#define BPFFS_SHORT_NAME_MIN	(BPFFS_NAME_MAX - 2)

/*
 * The key that @name names as a whole. Return: 0; -EINVAL if it is not the canonical
 * name of a key of this layout (@why may be NULL), or is a short one; -ENOMEM. @key is
 * clobbered then.
 */
int bpffs_name_decode(const struct bpffs_layout *layout, const char *name,
		      size_t len, void *key, struct bpffs_reason *why);

/* Of a prefix, the bits behind it do not count: they are shown, and taken, as zero. */
void bpffs_clear_host_bits(u8 *key, u32 size);
/*
 * Does @next come after @key where a trie is walked? That is from the left to the right, and
 * what a prefix covers comes before it.
 */
bool bpffs_prefix_follows(const u8 *key, const u8 *next, u32 size);
/*
 * Is a trie's key the one of the keys of its prefix that is called by name, whatever
 * the layout? Return: 0; -EINVAL, with @why.
 */
int bpffs_check_prefix(const u8 *key, u32 size, struct bpffs_reason *why);

/* --- Values --- */

/**
 * struct bpffs_shape - the bytes of a value
 * @layout: of one copy
 * @copies: 1, or the number of possible CPUs of a per-CPU map
 * @stride: from one copy to the next in bytes, at least the layout's size
 * @cpus: CPU number of each copy, ascending; NULL if the value is not per CPU
 *	(then leaves have no "cpuN." prefix)
 * @separator: after each field: '\n' in a file, ' ' in a line of the table
 *	(there also after the last one)
 *
 * Leaf numbers run through all copies: copy * leaves(layout) + leaf.
 */
struct bpffs_shape {
	const struct bpffs_layout *layout;
	u32 copies;
	u32 stride;
	const u32 *cpus;
	char separator;
};

/**
 * struct bpffs_text_pos - a place in the text of a value where a unit begins
 *
 * Zeroed, it is the start. It stays valid only for the same shape and bytes.
 */
struct bpffs_text_pos {
	u64 off;	/* in the text */
	u64 leaf;
	u32 byte;	/* in a str or hex leaf */
	u32 part;	/* private to value-to-text.c */
};

/**
 * bpffs_text_read - the text of a value from @off on
 * @pos: a hint at or before @off (else the start is used); left at a place
 *	near the end of what was written, so that sequential reads are linear
 *
 * Return: bytes written to @buf, 0 at the end of the text.
 */
size_t bpffs_text_read(const struct bpffs_shape *shape, const void *value,
		       u64 off, struct bpffs_text_pos *pos, char *buf,
		       size_t len);
/* Length of the whole text; less if whoever asks is being killed. */
u64 bpffs_text_size(const struct bpffs_shape *shape, const void *value);

/**
 * struct bpffs_parser - text to bytes, in pieces
 *
 * One text may come in pieces that split it anywhere, even inside a field.
 * @value: the bytes of the fields seen, zero elsewhere (copies * stride)
 * @fresh: bitmap of the leaves completed since bpffs_parse_commit()
 * @added: those of them whose bytes are to be added ("packets+=5"); of "-=", so that
 *	adding subtracts
 * @named: bitmap of the leaves completed and committed in this text, but for those
 *	that were added
 * @fresh_count, @named_count: bits set in @fresh but not in @added, and in @named, of
 *	what is not padding; a leaf counts once in each
 * The rest is private to text-to-value.c.
 */
struct bpffs_parser;

/* Return: NULL without memory. Allocates three bitmaps and copies * stride. */
struct bpffs_parser *bpffs_parser_new(const struct bpffs_shape *shape);
void bpffs_parser_free(struct bpffs_parser *p);

/* Begin a new text: forgets value, fresh, named and any unfinished field. */
void bpffs_parse_begin(struct bpffs_parser *p);
/*
 * Take in a piece. Fields end at a newline or blank; what is unfinished is
 * kept for the next piece. Return: 0; -EINVAL with @why; or -EINTR: whoever
 * writes is being killed. With an error, the fields completed since the last
 * commit are dropped (fresh is cleared, value is as it was) and the parser is at
 * the begin of a new text.
 */
int bpffs_parse_piece(struct bpffs_parser *p, const char *text, size_t len,
		      struct bpffs_reason *why);
/*
 * Call once after the pieces of one write(). If the text so far is a single
 * field, unterminated but valid as it stands ("12" of a u64, a full hex),
 * it is completed (fresh), and yet may be continued by the next write, which
 * then completes it once more. Such an addition would be done twice: it is refused.
 * Anything else unfinished is only kept. Return: 0, or -EINVAL as the above.
 */
int bpffs_parse_pause(struct bpffs_parser *p, struct bpffs_reason *why);
/* The fresh leaves have been stored: they are named now. */
void bpffs_parse_commit(struct bpffs_parser *p);

/*
 * Can what comes next mean something else at the start of a text? In the middle of a field,
 * and behind one that was not named: there it is for the next such field, or for none.
 */
bool bpffs_parse_is_within(const struct bpffs_parser *p);
/*
 * The errno of a write that ended within a text that an earlier write has begun, for those
 * after it: what is written again, or what follows, would be taken for a text of its own. Nor
 * is it to be written again for ever.
 */
static inline int bpffs_stays_failed(int err)
{
	return err == -EINTR || err == -EAGAIN ? -EIO : err;
}

/*
 * At the end of a text: is there an unfinished field? Then @why says which and
 * what is missing.
 */
bool bpffs_parse_unfinished(struct bpffs_parser *p, struct bpffs_reason *why);
/* Does @fresh, or @named and @fresh, hold every leaf that is neither padding nor added? */
bool bpffs_parse_all_fresh(const struct bpffs_parser *p);
bool bpffs_parse_all_named(const struct bpffs_parser *p);

const void *bpffs_parse_value(const struct bpffs_parser *p);
/* The next fresh leaf at or after @n, or U64_MAX; is there any? */
u64 bpffs_parse_next_fresh(const struct bpffs_parser *p, u64 n);
bool bpffs_parse_any_fresh(const struct bpffs_parser *p);
/* Is any fresh leaf, or is this one, to be added? */
bool bpffs_parse_adds(const struct bpffs_parser *p);
bool bpffs_parse_is_added(const struct bpffs_parser *p, u64 n);

/* Byte range and bits of leaf @n of a shape (leaf.offset counts the stride). */
void bpffs_shape_leaf(const struct bpffs_shape *shape, u64 n,
		      struct bpffs_leaf *leaf);
/* Add the bytes of leaf @n of @amounts to those of @value, wrapping at its width. */
void bpffs_shape_add(const struct bpffs_shape *shape, u64 n, const void *amounts,
		     void *value);
/*
 * Add up the numeric fields of the copies of @shape at @values, into one copy
 * at @sum, each wrapping at its own width; other fields come from the first.
 * If whoever asks is being killed, not all of them.
 */
void bpffs_value_sum(const struct bpffs_shape *shape, const void *values,
		     void *sum);

#endif
