// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* percpu=sum: the copies of a per-CPU value as one. */
#include "element.h"

/**
 * bpffs_read - sample the value of an element as its text shows it
 * @info: of the mount
 * @key: of the element
 * @value: zeroed by the caller or by an earlier call; of info->shape
 *
 * Context: may sleep.
 * Return: 0, -ENOENT, -EOPNOTSUPP, -ENOMEM, -EINTR.
 */
int bpffs_read(const struct bpffs_info *info, const void *key, void *value)
{
	void *copies;
	int err;

	if (!info->sum)
		return bpffs_map_read(info, key, value);
	copies = bpffs_zalloc(bpffs_shape_bytes(&info->stored));
	if (!copies)
		return -ENOMEM;
	err = bpffs_map_read(info, key, copies);
	if (!err)
		bpffs_value_sum(&info->stored, copies, value);
	/* Then it is not the sum, and others may have this file open. */
	if (!err && bpffs_killed())
		err = -EINTR;
	bpffs_free(copies);
	return err;
}

/**
 * bpffs_spread - the copies that make @value their sum
 * @info: of the mount
 * @value: of info->shape
 *
 * All of it goes to the first CPU, and zeros to the others.
 *
 * Return: to be bpffs_free()d if it is not @value; NULL without memory.
 */
const void *bpffs_spread(const struct bpffs_info *info, const void *value)
{
	void *copies;

	if (!info->sum)
		return value;
	copies = bpffs_zalloc(bpffs_shape_bytes(&info->stored));
	if (copies)
		memcpy(copies, value, info->shape.stride);
	return copies;
}
