/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files of a queue or a stack, open. Whoever has one open serializes the calls. */
#ifndef _BPFFS_QUEUE_H
#define _BPFFS_QUEUE_H

#include "element.h"

enum bpffs_queue_file {
	BPFFS_PEEK,
	BPFFS_POP,
	BPFFS_PUSH,
	BPFFS_QUEUE_FILES,
};

const char *bpffs_queue_name(enum bpffs_queue_file file);
/* Permissions, of which the mount's mode may take some away. */
unsigned short bpffs_queue_mode(enum bpffs_queue_file file);
/* The number of the file of this name; BPFFS_QUEUE_FILES: there is none. */
enum bpffs_queue_file bpffs_queue_find(const char *name, size_t len);

/**
 * struct bpffs_queue_open - an open peek, pop or push
 * @pops: it is pop
 * @value: the element read; NULL before the first read
 * @has: is there one? A read at offset 0 takes the next
 * @owed: but not if it has been popped, and nobody was given any of it
 * @pos: where in its text the last read ended
 * @parser: of the text being written, NULL before the first write
 * @next: the offset at which a write continues that text
 * @failed: 0, or what a write there gets, see bpffs_stays_failed()
 */
struct bpffs_queue_open {
	bool pops;
	void *value;
	bool has;
	bool owed;
	struct bpffs_text_pos pos;
	struct bpffs_parser *parser;
	loff_t next;
	int failed;
};

/* May it be opened to read, to write? Return: 0, -EACCES, -EFBIG. */
int bpffs_queue_may_open(const struct bpffs_info *info, enum bpffs_queue_file file,
			 bool reads, bool writes);
/* An empty queue reads as an empty file. They move *@pos on. */
ssize_t bpffs_queue_read(const struct bpffs_info *info, struct bpffs_queue_open *open,
			 loff_t *pos, struct iov_iter *to);
ssize_t bpffs_queue_write(struct bpffs_info *info, struct bpffs_queue_open *open,
			  loff_t *pos, struct iov_iter *from);
/* At the end. @killed: whoever had it open is being killed. */
void bpffs_queue_end(struct bpffs_info *info, struct bpffs_queue_open *open, bool killed);

#endif
