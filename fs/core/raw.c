// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * .bpf/raw: the whole map as a stream of bytes, to be copied or kept.
 *
 * Read, each block is filled by the map's own batch operation straight into the
 * reader's buffer: under the bucket's lock, so nothing that stays is lost or
 * doubled (but of an LPM trie, which walks by next key). Whose buffer is too small
 * for that gets it in pieces. Written, a block is stored when it has come as a
 * whole. The map is never in memory as a whole.
 */
#include "raw.h"

/* The format. */
#ifdef __KERNEL__
#include <uapi/linux/bpffs.h>
#else
#include <linux/bpffs.h>
#endif

/* Elements and bytes of a block. One bucket must fit, whatever is in it. */
#define BLOCK_ELEMENTS	65536
#define BLOCK_MAX	(64U << 20)
/* Of one that is read in pieces, unless a bucket needs more. */
#define PIECES_BYTES	(64U << 10)

/* What values are moved by. */
#define WINDOW		4096

static u64 keys_bytes(const struct bpffs_info *info, u64 capacity)
{
	return ALIGN(capacity * info->key_size, 8);
}

static u64 block_bytes(const struct bpffs_info *info, u64 capacity, u64 count)
{
	return sizeof(struct bpffs_raw_block) + keys_bytes(info, capacity) +
	       ALIGN(count * bpffs_batch_value_bytes(info), 8);
}

int bpffs_raw_begin(const struct bpffs_info *info, struct bpffs_raw *raw,
		    struct bpffs_scratch *scratch)
{
	/* What owns something else cannot be copied. */
	if (bpffs_map_owns(info))
		return -EOPNOTSUPP;
	if (block_bytes(info, 1, 1) > BLOCK_MAX)
		return -EFBIG;
	raw->batch.scratch = scratch;
	raw->batch.token = bpffs_zalloc(bpffs_token_bytes(info));
	return raw->batch.token ? 0 : -ENOMEM;
}

static void fill_header(const struct bpffs_info *info, struct bpffs_raw_header *header)
{
	memset(header, 0, sizeof(*header));
	memcpy(header->magic, BPFFS_RAW_MAGIC, sizeof(header->magic));
	header->version = BPFFS_RAW_VERSION;
	header->order = BPFFS_RAW_ORDER;
	header->map_type = info->map_type;
	header->key_size = info->key_size;
	header->value_size = info->value_size;
	header->copies = info->stored.copies;
}

/* --- Reading --- */

/* Room for @size bytes that are given in pieces. */
static int make_out(struct bpffs_raw *raw, size_t size)
{
	bpffs_free(raw->out);
	raw->out = bpffs_zalloc(size);
	raw->out_from = 0;
	return raw->out ? 0 : -ENOMEM;
}

static int read_header(const struct bpffs_info *info, struct bpffs_raw *raw)
{
	int err = make_out(raw, sizeof(struct bpffs_raw_header));

	if (err)
		return err;
	fill_header(info, raw->out);
	raw->out_left = sizeof(struct bpffs_raw_header);
	raw->reading = BPFFS_RAW_IN_BLOCKS;
	return 0;
}

static int read_trailer(struct bpffs_raw *raw)
{
	struct bpffs_raw_block *trailer;
	int err = make_out(raw, sizeof(*trailer));

	if (err)
		return err;
	trailer = raw->out;
	trailer->magic = BPFFS_RAW_END;
	trailer->count = raw->read_count;
	raw->out_left = sizeof(*trailer);
	raw->reading = BPFFS_RAW_AT_END;
	return 0;
}

/* How many elements fit in @len bytes? */
static u32 capacity_of(const struct bpffs_info *info, size_t len)
{
	u64 each = info->key_size + bpffs_batch_value_bytes(info);
	u64 n;

	if (len < block_bytes(info, 1, 1))
		return 0;
	len = min_t(size_t, len, BLOCK_MAX);
	n = div64_u64(len - sizeof(struct bpffs_raw_block), each);
	n = min_t(u64, n, min_t(u64, BLOCK_ELEMENTS, info->max_entries));
	while (n > 1 && block_bytes(info, n, n) > len)
		n--;
	return n;
}

/* Close the gap behind fewer keys than there was room for. */
static int move_values(void __user *to, void __user *from, size_t len)
{
	void *window = bpffs_zalloc(WINDOW);
	size_t n;
	int err = 0;

	if (!window)
		return -ENOMEM;
	for (; len && !err; len -= n, to += n, from += n) {
		n = min_t(size_t, len, WINDOW);
		if (copy_from_user(window, from, n) || copy_to_user(to, window, n))
			err = -EFAULT;
		/* But not given up: the elements would be lost. */
		bpffs_go_on();
	}
	bpffs_free(window);
	return err;
}

/* What a batch has left in the reader's buffer becomes a block. */
static ssize_t finish_block(const struct bpffs_info *info, char __user *buf,
			    u32 capacity, u32 count)
{
	struct bpffs_raw_block block = { .magic = BPFFS_RAW_BLOCK, .count = count };
	void __user *keys = buf + sizeof(block);
	u64 values = count * bpffs_batch_value_bytes(info);
	u64 used = (u64)count * info->key_size;
	int err = 0;

	/* A small gap costs less than moving all values. */
	block.capacity = capacity;
	if (capacity - count > capacity / 8) {
		block.capacity = count;
		err = move_values(keys + keys_bytes(info, count),
				  keys + keys_bytes(info, capacity), values);
	}
	if (err)
		return err;
	/* What the reader had in its buffer is not part of the map. */
	if (clear_user(keys + used, keys_bytes(info, block.capacity) - used) ||
	    clear_user(keys + keys_bytes(info, block.capacity) + values,
		       ALIGN(values, 8) - values) ||
	    copy_to_user(buf, &block, sizeof(block)))
		return -EFAULT;
	return block_bytes(info, block.capacity, count);
}

static ssize_t read_block(const struct bpffs_info *info, struct bpffs_raw *raw,
			  char __user *buf, size_t len)
{
	u32 capacity = capacity_of(info, len), count = 0;
	void __user *keys = buf + sizeof(struct bpffs_raw_block);
	int err;

	if (!capacity)
		return -ENOSPC;
	err = bpffs_batch_next(info, &raw->batch, keys, keys + keys_bytes(info, capacity),
			       capacity, &count);
	if (err < 0)
		return err;
	if (err)
		raw->reading = BPFFS_RAW_IN_BLOCK;	/* the last one */
	raw->read_count += count;
	return count ? finish_block(info, buf, capacity, count) : 0;
}

/*
 * A block that the reader has no room for: into memory that serves for this, and from
 * there into @out.
 *
 * Return: 0, -ENOSPC if a bucket has more elements than a block.
 */
static int read_block_apart(const struct bpffs_info *info, struct bpffs_raw *raw)
{
	u64 each = info->key_size + bpffs_batch_value_bytes(info);
	u64 capacity = max_t(u64, div64_u64(PIECES_BYTES, each), 1);
	ssize_t ret = -ENOSPC;

	for (; ret == -ENOSPC && capacity < 2 * BLOCK_ELEMENTS &&
	     block_bytes(info, capacity, capacity) <= BLOCK_MAX; capacity *= 2) {
		struct bpffs_room room = {};

		ret = bpffs_room_begin(info, &room, capacity);
		if (ret)
			break;
		ret = make_out(raw, room.bytes);
		if (!ret)
			ret = read_block(info, raw, room.at, room.bytes);
		if (ret > 0 && copy_from_user(raw->out, room.at, ret))
			ret = -EFAULT;
		if (ret > 0)
			raw->out_left = ret;
		bpffs_room_end(&room);
	}
	return min_t(ssize_t, ret, 0);
}

/* What comes next: bytes into @buf, or 0 and it is in @out, or the end. */
static ssize_t read_next(const struct bpffs_info *info, struct bpffs_raw *raw,
			 char __user *buf, size_t len)
{
	ssize_t ret = 0;

	if (raw->reading == BPFFS_RAW_IN_HEADER)
		return read_header(info, raw);
	if (raw->reading == BPFFS_RAW_IN_BLOCKS) {
		ret = read_block(info, raw, buf, len);
		if (ret == -ENOSPC)
			ret = read_block_apart(info, raw);
	}
	/* The block may have been the last one, and empty. */
	if (!ret && !raw->out_left && raw->reading == BPFFS_RAW_IN_BLOCK)
		ret = read_trailer(raw);
	return ret;
}

static ssize_t give_out(struct bpffs_raw *raw, char __user *buf, size_t len)
{
	len = min(len, raw->out_left);
	if (copy_to_user(buf, raw->out + raw->out_from, len))
		return -EFAULT;
	raw->out_from += len;
	raw->out_left -= len;
	return len;
}

/* After another error elements may be lost: then the stream has no end. */
static bool can_go_on(ssize_t ret)
{
	return ret >= 0 || ret == -ENOSPC || ret == -EINTR;
}

ssize_t bpffs_raw_read(struct bpffs_info *info, struct bpffs_raw *raw,
		       char __user *to, size_t len)
{
	ssize_t ret = 0;

	if (!len)
		return 0;
	if (!raw->out_left)
		ret = read_next(info, raw, to, len);
	if (!ret && raw->out_left)
		ret = give_out(raw, to, len);
	if (!can_go_on(ret)) {
		raw->reading = BPFFS_RAW_AT_END;
		raw->out_left = 0;
	}
	if (ret == -ENOSPC)
		bpffs_refuse(info, "raw: a bucket has more elements than a block may have");
	return ret;
}

/* --- Writing --- */

/* "raw: REASON; N elements were stored before". */
__printf(3, 4)
static int refuse_stream(struct bpffs_info *info, const struct bpffs_raw *raw,
			 const char *fmt, ...)
{
	char after[sizeof("; elements were stored before") + 21];
	va_list args;

	scnprintf(after, sizeof(after), "; %llu elements were stored before",
		  raw->write_count);
	va_start(args, fmt);
	bpffs_refuse_within(info, "raw: ", fmt, args, after);
	va_end(args);
	return -EINVAL;
}

static int take_header(struct bpffs_info *info, struct bpffs_raw *raw)
{
	const struct bpffs_raw_header *is = raw->part;
	struct bpffs_raw_header wanted;

	fill_header(info, &wanted);
	if (is->version != wanted.version || is->order != wanted.order)
		return refuse_stream(info, raw, "the stream is of another version or byte order");
	if (is->map_type != wanted.map_type)
		return refuse_stream(info, raw, "the stream is of a map of type %u, not %u",
				     is->map_type, wanted.map_type);
	if (is->key_size != wanted.key_size || is->value_size != wanted.value_size ||
	    is->copies != wanted.copies)
		return refuse_stream(info, raw,
				     "key size, value size, CPUs: %u, %u, %u; the map has %u, %u, %u",
				     is->key_size, is->value_size, is->copies,
				     wanted.key_size, wanted.value_size, wanted.copies);
	if (memcmp(is, &wanted, sizeof(wanted)))
		return refuse_stream(info, raw, "reserved bytes are not zero");
	raw->write_count = 0;
	raw->writing = BPFFS_RAW_IN_BLOCKS;
	return 0;
}

static int store_element(struct bpffs_info *info, struct bpffs_raw *raw, const void *key,
			 const void *value)
{
	int err = bpffs_evictions_expect(&raw->evictions, info, key);

	if (err < 0)
		return err;
	memcpy(raw->value, value, bpffs_batch_value_bytes(info));
	err = bpffs_map_restore(info, key, raw->value, raw->batch.scratch);
	if (err == -ENOSPC)
		refuse_stream(info, raw, "the map is full (%u elements)",
			      info->max_entries);
	else if (err)
		refuse_stream(info, raw, "the map refuses an element (error %d)", -err);
	return err;
}

static int store_block(struct bpffs_info *info, struct bpffs_raw *raw)
{
	const struct bpffs_raw_block *block = raw->part;
	const void *key = raw->part + sizeof(*block);
	const void *value = key + keys_bytes(info, block->capacity);
	u64 n;
	int err = 0;

	if (!raw->value)
		raw->value = bpffs_zalloc(bpffs_shape_bytes(&info->stored));
	if (!raw->value)
		return -ENOMEM;
	for (n = 0; n < block->count && !err; n++) {
		err = store_element(info, raw, key, value);
		if (!err)
			raw->write_count++;
		key += info->key_size;
		value += bpffs_batch_value_bytes(info);
		if (!bpffs_go_on())
			err = -EINTR;
	}
	raw->writing = BPFFS_RAW_IN_BLOCKS;
	return err;
}

static int take_block_head(struct bpffs_info *info, struct bpffs_raw *raw)
{
	const struct bpffs_raw_block *block = raw->part;

	if (block->magic == BPFFS_RAW_END) {
		if (block->capacity || block->count != raw->write_count)
			return refuse_stream(info, raw, "the stream says that it has %llu elements",
					     (u64)block->count);
		raw->writing = BPFFS_RAW_IN_HEADER;
		return bpffs_evictions_check(&raw->evictions, info, "raw");
	}
	if (block->magic != BPFFS_RAW_BLOCK || block->count > block->capacity)
		return refuse_stream(info, raw, "the stream is damaged");
	/* As no reader makes them: what is given back is not small either. */
	if (block->capacity > BLOCK_ELEMENTS ||
	    block_bytes(info, block->capacity, block->count) > BLOCK_MAX)
		return refuse_stream(info, raw, "a block is larger than %u bytes", BLOCK_MAX);
	raw->writing = BPFFS_RAW_IN_BLOCK;
	return 0;
}

/* How long is the part that is being written? */
static size_t part_size(const struct bpffs_info *info, const struct bpffs_raw *raw)
{
	const struct bpffs_raw_block *block = raw->part;

	switch (raw->writing) {
	case BPFFS_RAW_IN_HEADER:
		return sizeof(struct bpffs_raw_header);
	case BPFFS_RAW_IN_BLOCK:
		return block_bytes(info, block->capacity, block->count);
	default:
		return sizeof(*block);
	}
}

/* Room for a part of @size bytes; what is there stays. */
static int make_room(struct bpffs_raw *raw, size_t size)
{
	void *part;

	if (raw->part_size >= size)
		return 0;
	part = bpffs_zalloc(size);
	if (!part)
		return -ENOMEM;
	if (raw->part)
		memcpy(part, raw->part, raw->part_len);
	bpffs_free(raw->part);
	raw->part = part;
	raw->part_size = size;
	return 0;
}

static int take_part(struct bpffs_info *info, struct bpffs_raw *raw)
{
	int err;

	switch (raw->writing) {
	case BPFFS_RAW_IN_HEADER:
		err = take_header(info, raw);
		break;
	case BPFFS_RAW_IN_BLOCK:
		err = store_block(info, raw);
		break;
	default:
		err = take_block_head(info, raw);
		/* Its keys and values follow in the same part. */
		if (!err && raw->writing == BPFFS_RAW_IN_BLOCK)
			return 0;
	}
	raw->part_len = 0;
	if (err)
		raw->writing = BPFFS_RAW_AT_END;
	return err;
}

static ssize_t write_parts(struct bpffs_info *info, struct bpffs_raw *raw,
			   const char __user *buf, size_t len)
{
	size_t done = 0, size, n;
	int err = 0;

	while (done < len && !err) {
		if (raw->writing == BPFFS_RAW_AT_END)
			return -EINVAL;
		size = part_size(info, raw);
		n = min(len - done, size - raw->part_len);
		err = make_room(raw, size);
		if (!err && copy_from_user(raw->part + raw->part_len, buf + done, n))
			err = -EFAULT;
		/* Who tries again gives only what has not been taken. */
		if (err)
			return done ? (ssize_t)done : err;
		raw->part_len += n;
		done += n;
		/* Not only when the header is complete, which it may never be. */
		if (raw->writing == BPFFS_RAW_IN_HEADER &&
		    memcmp(raw->part, BPFFS_RAW_MAGIC, min_t(size_t, raw->part_len, 8))) {
			raw->writing = BPFFS_RAW_AT_END;
			raw->part_len = 0;
			return refuse_stream(info, raw, "this is no stream of a map");
		}
		/* A block without elements is complete with its head. */
		while (!err && raw->part_len && raw->part_len == part_size(info, raw))
			err = take_part(info, raw);
		if (!err && !bpffs_go_on())
			err = -EINTR;
	}
	return err ?: (ssize_t)done;
}

static bool is_unfinished(const struct bpffs_raw *raw)
{
	return raw->writing == BPFFS_RAW_IN_BLOCKS || raw->writing == BPFFS_RAW_IN_BLOCK ||
	       raw->part_len;
}

ssize_t bpffs_raw_write(struct bpffs_info *info, struct bpffs_raw *raw,
			const char __user *from, size_t len)
{
	raw->said = false;
	return write_parts(info, raw, from, len);
}

/* Nothing is given up before all have closed it, as somebody may yet go on. */
int bpffs_raw_flush(struct bpffs_info *info, struct bpffs_raw *raw)
{
	if (raw->said || !is_unfinished(raw))
		return 0;
	raw->said = true;
	return refuse_stream(info, raw, "the stream ends before its end");
}

void bpffs_raw_end(struct bpffs_info *info, struct bpffs_raw *raw)
{
	bpffs_raw_flush(info, raw);
	bpffs_free(raw->batch.token);
	bpffs_free(raw->out);
	bpffs_free(raw->part);
	bpffs_free(raw->value);
}
