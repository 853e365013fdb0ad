/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* .bpf/raw, open. Whoever has it open serializes the calls. */
#ifndef _BPFFS_RAW_H
#define _BPFFS_RAW_H

#include "key.h"

enum bpffs_raw_phase {
	BPFFS_RAW_IN_HEADER,
	BPFFS_RAW_IN_BLOCKS,
	BPFFS_RAW_IN_BLOCK,
	BPFFS_RAW_AT_END,
};

/**
 * struct bpffs_raw - an open stream
 * @reading: where the reader is
 * @batch: where the map's batch operation is; its scratch is also the writer's
 * @read_count: elements read
 * @out: what is given in pieces
 * @out_left: bytes in @out that are yet to be given
 * @out_from: where they begin
 * @writing: where the writer is
 * @part: of the header or block that is being written
 * @part_len: what of it is there
 * @part_size: how much it will be
 * @value: of one element, aligned
 * @write_count: elements stored
 * @evictions: of those that were new
 * @said: that the stream ends before its end
 */
struct bpffs_raw {
	enum bpffs_raw_phase reading;
	struct bpffs_batch batch;
	u64 read_count;
	void *out;
	size_t out_left;
	size_t out_from;

	enum bpffs_raw_phase writing;
	void *part;
	size_t part_len;
	size_t part_size;
	void *value;
	u64 write_count;
	struct bpffs_evictions evictions;
	bool said;
};

/*
 * @raw is zeroed; bpffs_raw_end() is for one that has begun. Return: 0, -EOPNOTSUPP,
 * -EFBIG, -ENOMEM.
 */
int bpffs_raw_begin(const struct bpffs_info *info, struct bpffs_raw *raw,
		    struct bpffs_scratch *scratch);
/* Without bpffs_raw_flush() before it, it says what that would. */
void bpffs_raw_end(struct bpffs_info *info, struct bpffs_raw *raw);
/*
 * The next bytes, as many as is handy: 0 at the end. After -ENOSPC and -EINTR it can go
 * on; after another error the stream has no end.
 */
ssize_t bpffs_raw_read(struct bpffs_info *info, struct bpffs_raw *raw,
		       char __user *to, size_t len);
/* All of @from, or an error, after which nothing more is taken. */
ssize_t bpffs_raw_write(struct bpffs_info *info, struct bpffs_raw *raw,
			const char __user *from, size_t len);
/*
 * At close, by the process that has written last. Somebody may yet go on. Return: 0,
 * -EINVAL: the stream ends before its end.
 */
int bpffs_raw_flush(struct bpffs_info *info, struct bpffs_raw *raw);

#endif
