// SPDX-License-Identifier: GPL-2.0-only
/* A mounted object and what is known of it: made from options, kept while it is used. */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/mount.h>

#include "instance.h"

struct bpffs_info *bpffs_info_new(void)
{
	struct bpffs_instance *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);

	if (!new)
		return NULL;
	refcount_set(&new->users, 1);
	new->uid = current_fsuid();
	new->gid = current_fsgid();
	new->info.mode = 0600;
	ktime_get_coarse_real_ts64(&new->born);
	bpffs_errors_init(&new->info.errors);
	bpffs_shorts_init(&new->info.shorts);
	return &new->info;
}

struct bpffs_info *bpffs_info_get(struct bpffs_info *info)
{
	refcount_inc(&bpffs_instance(info)->users);
	return info;
}

void bpffs_info_put(struct bpffs_info *info)
{
	struct bpffs_instance *instance = bpffs_instance(info);

	if (!info || !refcount_dec_and_test(&instance->users))
		return;
	bpffs_errors_free(&info->errors);
	bpffs_shorts_free(&info->shorts);
	mntput(instance->pin);
	bpffs_object_release(&instance->object);
	if (!instance->borrows) {
		bpffs_layout_release(info->key);
		bpffs_layout_release(info->value);
		kvfree(info->stored.cpus);
		bpffs_info_put(instance->inner);
	}
	kfree(instance);
}

/* The possible CPUs, ascending, of whom each has a copy of a value. */
static int set_cpus(struct bpffs_info *info)
{
	u32 *cpus = kvmalloc_array(num_possible_cpus(), sizeof(*cpus), GFP_KERNEL_ACCOUNT);
	u32 n = 0;
	int cpu;

	if (!cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		cpus[n++] = cpu;
	info->stored.cpus = cpus;
	info->stored.copies = n;
	return 0;
}

/* What the map is. */
static void set_facts(struct bpffs_info *info)
{
	const struct bpf_map *map = bpffs_bpf_map(info);

	info->map_type = map->map_type;
	info->map_flags = map->map_flags;
	info->key_size = map->key_size;
	info->value_size = map->value_size;
	info->max_entries = map->max_entries;
	info->can = bpffs_type_can(map->map_type);
	/* Of arrays, those made for it. */
	if (map->map_flags & BPF_F_MMAPABLE)
		info->can |= BPFFS_HAS_MEMORY;
	bpffs_instance(info)->access = bpffs_map_access(map);
}

static int set_map(struct bpffs_info *info)
{
	set_facts(info);
	return bpffs_map_can(info, BPFFS_PERCPU) ? set_cpus(info) : 0;
}

/* What the inner maps have in common: all are as the one they were made like. */
static int set_inner(struct bpffs_info *outer)
{
	struct bpffs_info *inner = bpffs_info_new();
	struct bpffs_instance *from = bpffs_instance(outer), *to;

	if (!inner)
		return -ENOMEM;
	from->inner = inner;
	to = bpffs_instance(inner);
	to->object.kind = BPFFS_MAP;
	to->object.map = from->object.map->inner_map_meta;
	to->object.f_op = from->object.f_op;
	to->uid = from->uid;
	to->gid = from->gid;
	to->born = from->born;
	inner->mode = outer->mode & 0444;
	return set_map(inner);
}

/**
 * bpffs_info_set_layouts - say how keys and values of a map are shown
 * @fc: for the reason of a refusal
 * @info: of the object, which is bound
 * @given: by the mounter
 *
 * Return: 0 or an errno; then what has been set is bpffs_info_put()'s.
 */
int bpffs_info_set_layouts(struct fs_context *fc, struct bpffs_info *info,
			   const struct bpffs_layouts *given)
{
	char why[BPFFS_WHY_MAX] = "";
	int err = 0;

	if (bpffs_object(info)->kind == BPFFS_MAP)
		err = set_map(info);
	if (!err && bpffs_map_can(info, BPFFS_OF_MAPS))
		err = set_inner(info);
	if (!err)
		err = bpffs_set_layouts(info, bpffs_instance(info)->inner, given, why);
	if (*why)
		errorfc(fc, "%s", why);
	return err;
}

/**
 * bpffs_info_inner - what is known of an inner map
 * @outer: of the map of maps
 * @map: the inner map, whose reference is taken over, also with an error
 * @salt: makes its inode numbers its own
 *
 * Layouts are the outer's, which lives longer: it is the superblock's.
 */
struct bpffs_info *bpffs_info_inner(const struct bpffs_info *outer,
				    struct bpf_map *map, u64 salt)
{
	const struct bpffs_info *like = bpffs_instance(outer)->inner;
	const struct bpffs_instance *from = bpffs_instance(like);
	struct bpffs_info *info = bpffs_info_new();
	struct bpffs_instance *to = bpffs_instance(info);

	if (!info) {
		bpf_map_put(map);
		return ERR_PTR(-ENOMEM);
	}
	to->object = from->object;
	to->object.map = map;
	to->object.counted = true;
	to->borrows = true;
	to->born = from->born;
	to->uid = from->uid;
	to->gid = from->gid;
	set_facts(info);
	info->key = like->key;
	info->value = like->value;
	info->shape = like->shape;
	info->stored = like->stored;
	info->mode = like->mode;
	info->no_keys = like->no_keys;
	info->sum = like->sum;
	info->salt = salt;
	return info;
}
