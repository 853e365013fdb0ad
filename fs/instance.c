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

/* The name of an option that was given, NULL if none was. */
const char *bpffs_layouts_option(const struct bpffs_layouts *given)
{
	if (given->key)
		return "key";
	if (given->value)
		return "value";
	if (given->inner_key)
		return "inner_key";
	if (given->inner_value)
		return "inner_value";
	return given->percpu ? "percpu" : NULL;
}

/* Compile what @option gives, by default hex. */
int bpffs_compile(struct fs_context *fc, const char *option,
		  struct bpffs_layout **layout, enum bpffs_use use,
		  const char *text, u32 size)
{
	struct bpffs_reason why = {};
	int err;

	if (!text)
		text = "hex";
	err = bpffs_layout_compile(layout, text, strlen(text), size, use, &why);
	if (err && why.column)
		errorfc(fc, "%s: %s (column %u)", option, why.text, why.column);
	else if (err)
		errorfc(fc, "%s: %s", option, why.text);
	return err;
}

/* The possible CPUs, ascending; to be kvfree()d. */
static u32 *possible_cpus(void)
{
	u32 *cpus = kvmalloc_array(num_possible_cpus(), sizeof(*cpus), GFP_KERNEL_ACCOUNT);
	u32 n = 0;
	int cpu;

	if (!cpus)
		return NULL;
	for_each_possible_cpu(cpu)
		cpus[n++] = cpu;
	return cpus;
}

/* How many copies of a value there are, and how they lie. */
static int set_shapes(struct fs_context *fc, struct bpffs_info *info,
		      const struct bpffs_layouts *given)
{
	info->stored.layout = info->value;
	info->stored.copies = 1;
	info->stored.stride = round_up(info->value_size, 8);
	info->stored.separator = '\n';
	if (bpffs_map_can(info, BPFFS_PERCPU)) {
		if (!info->sum && info->value && bpffs_layout_bare(info->value) > 1)
			return invalfc(fc, "value: several fields of a per-CPU value need names");
		info->stored.cpus = possible_cpus();
		if (!info->stored.cpus)
			return -ENOMEM;
		info->stored.copies = num_possible_cpus();
	} else if (given->percpu && !bpffs_instance(info)->inner) {
		return invalfc(fc, "percpu: a value of this map is not per CPU");
	}
	info->shape = info->stored;
	if (info->sum) {
		info->shape.copies = 1;
		info->shape.cpus = NULL;
	}
	return 0;
}

static int set_key(struct fs_context *fc, struct bpffs_info *info,
		   const char *option, const char *text)
{
	int err;

	info->no_keys = text && !strcmp(text, "none");
	if (info->no_keys)
		return 0;
	err = bpffs_compile(fc, option, &info->key, BPFFS_KEY, text,
			    bpffs_map_can(info, BPFFS_IS_SET) ? info->value_size :
								info->key_size);
	if (!err && bpffs_layout_has_plen(info->key) && !bpffs_map_can(info, BPFFS_IS_TRIE))
		return invalfc(fc, "%s: plen is for maps of type lpm_trie", option);
	return err;
}

/* What the inner maps have in common: all are as the one they were made like. */
static int set_inner(struct fs_context *fc, struct bpffs_info *outer,
		     const struct bpffs_layouts *given)
{
	const struct bpffs_layouts layouts = {
		.key = given->inner_key,
		.value = given->inner_value,
		.percpu = given->percpu,
	};
	struct bpffs_info *inner = bpffs_info_new();
	struct bpffs_instance *from = bpffs_instance(outer), *to;

	if (!inner)
		return -ENOMEM;
	from->inner = inner;
	to = bpffs_instance(inner);
	to->object.kind = BPFFS_MAP;
	to->object.map = from->object.map->inner_map_meta;
	to->object.f_op = from->object.f_op;
	to->template = true;
	to->uid = from->uid;
	to->gid = from->gid;
	to->born = from->born;
	inner->mode = outer->mode & 0444;
	inner->sum = outer->sum;
	outer->sum = false;
	return bpffs_info_set_layouts(fc, inner, &layouts);
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

/**
 * bpffs_info_set_layouts - say how keys and values of a map are shown
 * @fc: for the reason of a refusal
 * @info: of the map, its object bound
 * @given: by the mounter
 *
 * Return: 0 or an errno; then what has been set is bpffs_info_put()'s.
 */
int bpffs_info_set_layouts(struct fs_context *fc, struct bpffs_info *info,
			   const struct bpffs_layouts *given)
{
	bool template = bpffs_instance(info)->template;
	const char *key = template ? "inner_key" : "key";
	const char *value = template ? "inner_value" : "value";
	const char *useless = bpffs_layouts_option(given);
	int err;

	set_facts(info);
	if (!bpffs_map_can(info, BPFFS_HAS_ELEMENTS)) {
		/* percpu= is the inner maps', where there are such. */
		if (useless && !(template && given->percpu))
			return invalfc(fc, "%s: a map of this type shows no elements", useless);
		return 0;
	}
	if (bpffs_map_can(info, BPFFS_IS_QUEUE)) {
		if (given->key)
			return invalfc(fc, "%s: a queue or stack has no keys", key);
	} else {
		err = set_key(fc, info, key, given->key);
		if (err)
			return err;
	}
	if (bpffs_map_can(info, BPFFS_OF_MAPS)) {
		if (given->value)
			return invalfc(fc, "%s: values are maps; give inner_key, inner_value",
				       value);
		err = set_inner(fc, info, given);
		return err ?: set_shapes(fc, info, given);
	}
	if (given->inner_key || given->inner_value)
		return invalfc(fc, "%s: for a map of maps only",
			       given->inner_key ? "inner_key" : "inner_value");
	if (bpffs_map_can(info, BPFFS_IS_SET)) {
		if (given->value || given->percpu)
			return invalfc(fc, "%s: a bloom filter has keys only",
				       given->value ? value : "percpu");
		return 0;
	}
	err = bpffs_compile(fc, value, &info->value, BPFFS_VALUE, given->value,
			    info->value_size);
	return err ?: set_shapes(fc, info, given);
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
