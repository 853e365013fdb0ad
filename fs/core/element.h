/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Elements: values as texts, an open element, and what a write to it means. */
#ifndef _BPFFS_ELEMENT_H
#define _BPFFS_ELEMENT_H

#include "map.h"

/**
 * struct bpffs_open - an open element
 * @value: the sample that reads and the size come from
 * @sampled_at: when it was taken, in ns
 * @size: of its text, U64_MAX if not yet asked for
 * @pos: where in the text the last read ended
 * @sampled: is there a sample?
 * @consumed: has offset 0 been read from it? Then a read there samples anew.
 * @parser: of the text being written, NULL before the first write
 * @next: the offset at which a write continues that text
 * @failed: 0, or what each write but one at the start gets, see bpffs_stays_failed()
 * @pending: the map has no such element until every field has been named
 * @may_insert: O_CREAT and nothing stored yet: a write may make the element
 * @excl: O_EXCL: it must not replace one
 * @zero_on_close: nothing but touch's open: make a zero element at the end
 * @complete: a text in pieces has been stored as a whole
 * @room: for @value, if it is small
 *
 * Whoever has it open serializes the calls.
 */
struct bpffs_open {
	void *value;
	s64 sampled_at;
	u64 size;
	struct bpffs_text_pos pos;
	bool sampled;
	bool consumed;

	struct bpffs_parser *parser;
	loff_t next;
	int failed;
	bool pending;
	bool may_insert;
	bool excl;
	bool zero_on_close;
	bool complete;

	u64 room[];
};

/*
 * The bytes of @room, to be zeroed like the rest before bpffs_open_begin(), whose @flags
 * are open(2)'s; @pending: there is no such element yet.
 */
size_t bpffs_open_room(const struct bpffs_info *info);
void bpffs_open_begin(const struct bpffs_info *info, struct bpffs_open *open,
		      unsigned int flags, bool pending);
/*
 * At the end. @stop: the mount has become read-only, or whoever had it open is being
 * killed: no element is made any more.
 */
void bpffs_open_end(struct bpffs_info *info, const void *key, struct bpffs_open *open,
		    bool stop);
/* Length of the text, sampling if there is no sample. */
int bpffs_open_size(const struct bpffs_info *info, const void *key,
		    struct bpffs_open *open, u64 *size);
ssize_t bpffs_open_read(const struct bpffs_info *info, const void *key,
			struct bpffs_open *open, loff_t *pos, struct iov_iter *to);
/* All of @from is taken, or nothing. Return: 0 or an errno. */
int bpffs_open_write(struct bpffs_info *info, const void *key, struct bpffs_open *open,
		     loff_t pos, struct iov_iter *from);
/* ftruncate(). Return: 0, or -EINVAL: rsync cuts to what it has written, others to 0. */
int bpffs_open_truncate(const struct bpffs_open *open, u64 size);
/*
 * touch: is the caller to make the element, by bpffs_store_zero()? If nothing was written
 * and it was not there, but not with O_EXCL: then the write decides. Once only.
 */
bool bpffs_open_claims_zero(struct bpffs_open *open);

/* Size of an element's text when no open file has a sample of it. */
int bpffs_element_size(const struct bpffs_info *info, const void *key, u64 *size);
/* unlink(). Return: 0, or as bpffs_map_delete(); an array's is -EPERM. */
int bpffs_element_delete(struct bpffs_info *info, const void *key);
ssize_t bpffs_text_to_iter(const struct bpffs_shape *shape, const void *value,
			   struct bpffs_text_pos *text, loff_t *pos, struct iov_iter *to);

/* store.c: the fields of a text into an element */
int bpffs_store_fields(struct bpffs_info *info, const void *key,
		       const struct bpffs_parser *parser);
bool bpffs_store_is_whole(const struct bpffs_info *info,
			  const struct bpffs_parser *parser);
int bpffs_store_whole(struct bpffs_info *info, const void *key,
		      const void *value, u64 flags, struct bpffs_scratch *s);
int bpffs_store_zero(struct bpffs_info *info, const void *key);

/* sum.c: values as their text shows them */
int bpffs_read(const struct bpffs_info *info, const void *key, void *value);
const void *bpffs_spread(const struct bpffs_info *info, const void *value);

#endif
