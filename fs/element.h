/* SPDX-License-Identifier: GPL-2.0-only */
/* What element.c (inode, open, read, stat) and write.c share. */
#ifndef _BPFFS_ELEMENT_H
#define _BPFFS_ELEMENT_H

#include "bpffs.h"

/**
 * struct bpffs_open - an open element file
 * @value: the sample that fstat and reads answer from
 * @size: of its text, U64_MAX if not yet asked for
 * @pos: where in the text the last read ended
 * @sampled: is there a sample?
 * @consumed: has offset 0 been read from it? Then a read there samples anew.
 * @parser: of the text being written, NULL before the first write
 * @next: the offset at which a write continues that text
 * @pending: the map has no such element until every field has been named
 * @may_insert: O_CREAT and nothing stored yet: a write may make the element
 * @excl: O_EXCL: it must not replace one
 * @zero_on_close: nothing but touch's open: make a zero element at the end
 * @complete: a text in pieces has been stored as a whole
 * @window: the piece of text in transit
 *
 * All guarded by the element's lock.
 */
struct bpffs_open {
	void *value;
	u64 size;
	struct bpffs_text_pos pos;
	bool sampled;
	bool consumed;

	struct bpffs_parser *parser;
	loff_t next;
	bool pending;
	bool may_insert;
	bool excl;
	bool zero_on_close;
	bool complete;

	char window[512];
};

/**
 * struct bpffs_element - of an element's inode, in i_private
 * @lock: guards the open files of the inode; taken before the map's own locks
 * @open: the only open file, NULL while there is none or (by way of /proc or a
 *	bind mount of the file) several
 * @opens: how many there are
 * @key: of key_size bytes
 */
struct bpffs_element {
	struct mutex lock; /* see above */
	struct bpffs_open *open;
	unsigned int opens;
	u8 key[];
};

static inline struct bpffs_element *bpffs_element(const struct inode *inode)
{
	return inode->i_private;
}

/* write.c */
ssize_t bpffs_write_iter(struct kiocb *iocb, struct iov_iter *from);
int bpffs_write_touch(struct inode *inode, struct bpffs_open *open);
void bpffs_write_close(struct inode *inode, struct bpffs_open *open);

#endif
