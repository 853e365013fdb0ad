// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Keys: which one a name names, which may be made, and their inode numbers. */
#include "key.h"

/*
 * The last 64 keys of 8 bytes, -1 among them, would have the numbers of what is no element.
 * They have these, which are those of 64 other keys, too; but nobody has such keys.
 */
#define INO_LAST_KEYS	0x6270666673696e6fULL

/* What is numbered by a hash: a key, or what is no element. */
#define OF_KEY		0x6270666673ULL
#define OF_OTHER	0x6270666674ULL

static u64 hashed_ino(const struct bpffs_info *info, u64 of, const void *bytes, u32 size)
{
	const siphash_key_t seed = { { of, info->salt } };
	u64 ino = siphash(bytes, size, &seed);

	return ino < BPFFS_INO_ELEMENT ? ino + BPFFS_INO_ELEMENT : ino;
}

u64 bpffs_other_ino(const struct bpffs_info *info, const void *key)
{
	u32 size = bpffs_key_size(info);
	u64 ino = 0;

	if (size > sizeof(ino) || info->salt)
		return hashed_ino(info, OF_KEY, key, size);
	memcpy(&ino, key, size);
	ino += BPFFS_INO_ELEMENT;
	return ino < BPFFS_INO_ELEMENT ? ino + INO_LAST_KEYS : ino;
}

/* Of what is no element; of an inner map, numbers of its own. */
u64 bpffs_salted_ino(const struct bpffs_info *info, u64 ino)
{
	return info->salt ? hashed_ino(info, OF_OTHER, &ino, sizeof(ino)) : ino;
}

/**
 * bpffs_name_to_key - the key that a name names as a whole
 * @info: of the map
 * @name: not NUL-terminated
 * @len: of @name
 * @key: of the map's key size; clobbered with an error
 * @why: filled for -EINVAL; may be NULL
 *
 * Return: 0; -EINVAL (not the name of a key), -EOPNOTSUPP (there are no element files),
 * -ENOMEM.
 */
int bpffs_name_to_key(const struct bpffs_info *info, const char *name, size_t len,
		      void *key, struct bpffs_reason *why)
{
	int err;

	if (!info->key)
		return -EOPNOTSUPP;
	err = bpffs_name_decode(info->key, name, len, key, why);
	if (!err && bpffs_map_can(info, BPFFS_IS_TRIE))
		err = bpffs_check_prefix(key, bpffs_key_size(info), why);
	return err;
}

/* Return: 0, or -ERANGE: an array has no such index. */
int bpffs_check_key(const struct bpffs_info *info, const void *key)
{
	u32 index;

	if (!bpffs_map_can(info, BPFFS_BY_INDEX))
		return 0;
	memcpy(&index, key, sizeof(index));
	return index < info->max_entries ? 0 : -ERANGE;
}

/*
 * The key of a new element; or why it cannot be made, an errno and its sentence. A
 * short name does not say the key, also when it is known from before.
 */
int bpffs_may_create(struct bpffs_info *info, const char *name, size_t len, void *key)
{
	char quoted[4 * BPFFS_QUOTED_MAX + 1];
	struct bpffs_reason why = {};
	int err;

	err = bpffs_name_to_key(info, name, len, key, &why);
	if (err == -EINVAL)
		bpffs_refuse(info, "\"%s\" names no key: %s",
			     bpffs_quote_name(quoted, name, len), why.text);
	if (err)
		return err;
	err = bpffs_check_key(info, key);
	if (err) {
		bpffs_refuse(info, "%.*s: the array has %u elements", (int)len, name,
			     info->max_entries);
		return err;
	}
	if (!bpffs_map_can(info, BPFFS_CAN_CREATE))
		return -EOPNOTSUPP;
	return bpffs_map_writable(info) ? 0 : -EPERM;
}
