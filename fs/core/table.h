/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* .bpf/table, open. Whoever has it open serializes the calls. */
#ifndef _BPFFS_TABLE_H
#define _BPFFS_TABLE_H

#include "element.h"
#include "key.h"

/**
 * struct bpffs_table - an open table
 * @shape: the map's, with blanks between fields
 * @in: the piece of text that is being written
 * @text: the last of what was made to be read
 * @text_len: bytes of it; behind them, while there is a @sample, is one that is held
 *	back: the last blank of a line is a newline
 * @text_room: how much there is room for
 * @text_from: where in the file it begins; -1 if nothing has been read yet
 * @by_chunk: elements come from @chunk
 * @chunk: the elements that come next
 * @keys: else, of what is no array: the keys as of the first read
 * @row: the next element in @chunk or @keys, or index of the array
 * @value: room for a sample
 * @sample: the value of the current element; NULL if there is none
 * @off: of the next byte of its text
 * @text_pos: the same for bpffs_text_read()
 * @scratch: for elements that are written
 * @parser: of the fields of the current line, NULL before the first write
 * @key: of the current line
 * @name: of the current line
 * @name_len: its length
 * @in_fields: the current line's name is complete
 * @line: number of the current line
 * @write_pos: where the next write must be
 * @failed: 0, or what each write but one at the start gets, see bpffs_stays_failed()
 * @evictions: of new elements
 * @name_room: for a whole name and a NUL
 * @text_made: bytes of text that are made at a time
 */
struct bpffs_table {
	struct bpffs_shape shape;
	char in[512];

	char *text;
	size_t text_len;
	size_t text_room;
	loff_t text_from;
	bool by_chunk;
	struct bpffs_chunk chunk;
	struct bpffs_keys *keys;
	u64 row;
	void *value;
	const void *sample;
	u64 off;
	struct bpffs_text_pos text_pos;

	struct bpffs_scratch *scratch;
	struct bpffs_parser *parser;
	void *key;
	char *name;
	unsigned int name_len;
	bool in_fields;
	u64 line;
	loff_t write_pos;
	int failed;
	struct bpffs_evictions evictions;

	u32 name_room;
	u32 text_made;
};

/* @table is zeroed; bpffs_table_end() is for one that has begun. Return: 0 or an errno. */
int bpffs_table_begin(const struct bpffs_info *info, struct bpffs_table *table,
		      struct bpffs_scratch *scratch);
void bpffs_table_end(struct bpffs_info *info, struct bpffs_table *table);
/* They move *@pos on. */
ssize_t bpffs_table_read(const struct bpffs_info *info, struct bpffs_table *table,
			 loff_t *pos, struct iov_iter *to);
ssize_t bpffs_table_write(struct bpffs_info *info, struct bpffs_table *table,
			  loff_t *pos, struct iov_iter *from);
/* Can a read (if it @reads) or a write go on at @pos? */
bool bpffs_table_goes_on_at(const struct bpffs_table *table, loff_t pos, bool reads);
/* At close: what an LRU map evicted. Return: 0, -ENOSPC. */
int bpffs_table_flush(struct bpffs_info *info, struct bpffs_table *table);

#endif
