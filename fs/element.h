/* SPDX-License-Identifier: GPL-2.0-only */
/* What element.c (inode, open, read, stat) and write.c share. */
#ifndef _BPFFS_ELEMENT_H
#define _BPFFS_ELEMENT_H

#include "bpffs.h"

/**
 * struct bpffs_open - an open element file
 * @lock: guards the rest. It is held while user memory is read and written, which
 *	may take as long as its owner likes: nobody else waits for it
 * @value: the sample that fstat and reads answer from
 * @sampled_at: when it was taken
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
 * @room: for @value, if it is small
 */
struct bpffs_open {
	struct mutex lock; /* see above */
	void *value;
	struct timespec64 sampled_at;
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

	u64 room[];
};

/* write.c */
ssize_t bpffs_write_iter(struct kiocb *iocb, struct iov_iter *from);
bool bpffs_write_claims_zero(struct bpffs_open *open);
void bpffs_write_close(struct inode *inode, struct bpffs_open *open);

#endif
