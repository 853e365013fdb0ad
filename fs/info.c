// SPDX-License-Identifier: GPL-2.0-only
/* What is known of a mounted object: made from options, kept while it is used. */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/mount.h>

#include "info.h"

struct bpffs_info *bpffs_info_new(void)
{
	struct bpffs_info *info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);

	if (!info)
		return NULL;
	refcount_set(&info->users, 1);
	info->uid = current_fsuid();
	info->gid = current_fsgid();
	info->mode = 0600;
	ktime_get_coarse_real_ts64(&info->born);
	bpffs_errors_init(&info->errors);
	return info;
}

struct bpffs_info *bpffs_info_get(struct bpffs_info *info)
{
	refcount_inc(&info->users);
	return info;
}

void bpffs_info_put(struct bpffs_info *info)
{
	if (!info || !refcount_dec_and_test(&info->users))
		return;
	bpffs_errors_free(&info->errors);
	bpffs_longs_free(info->longs);
	mntput(info->pin);
	bpffs_object_release(&info->object);
	if (!info->borrows) {
		bpffs_layout_release(info->key);
		bpffs_layout_release(info->value);
		kvfree(info->stored.cpus);
		bpffs_info_put(info->inner);
	}
	kfree(info);
}

/* The canonical text of a layout, to be kvfree()d; NULL without memory. */
char *bpffs_layout_text(const struct bpffs_layout *layout)
{
	size_t size = bpffs_layout_print(layout, NULL, 0) + 1;
	char *text = kvmalloc(size, GFP_KERNEL_ACCOUNT);

	if (text)
		bpffs_layout_print(layout, text, size);
	return text;
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
	info->stored.stride = round_up(info->object.map->value_size, 8);
	info->stored.separator = '\n';
	if (bpffs_map_can(info, BPFFS_PERCPU)) {
		if (!info->sum && info->value && bpffs_layout_bare(info->value) > 1)
			return invalfc(fc, "value: several fields of a per-CPU value need names");
		info->stored.cpus = possible_cpus();
		if (!info->stored.cpus)
			return -ENOMEM;
		info->stored.copies = num_possible_cpus();
	} else if (given->percpu && !info->inner) {
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
	const struct bpf_map *map = info->object.map;
	int err;

	info->no_keys = text && !strcmp(text, "none");
	if (info->no_keys)
		return 0;
	err = bpffs_compile(fc, option, &info->key, BPFFS_KEY, text,
			    bpffs_map_can(info, BPFFS_IS_SET) ? map->value_size :
								map->key_size);
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

	if (!inner)
		return -ENOMEM;
	outer->inner = inner;
	inner->object.kind = BPFFS_MAP;
	inner->object.map = outer->object.map->inner_map_meta;
	inner->object.f_op = outer->object.f_op;
	inner->template = true;
	inner->uid = outer->uid;
	inner->gid = outer->gid;
	inner->mode = outer->mode & 0444;
	inner->born = outer->born;
	inner->sum = outer->sum;
	outer->sum = false;
	return bpffs_info_set_layouts(fc, inner, &layouts);
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
	const char *key = info->template ? "inner_key" : "key";
	const char *value = info->template ? "inner_value" : "value";
	const char *useless = bpffs_layouts_option(given);
	int err;

	info->type = bpffs_map_type(info->object.map);
	if (!bpffs_map_can(info, BPFFS_HAS_ELEMENTS)) {
		/* percpu= is the inner maps', where there are such. */
		if (useless && !(info->template && given->percpu))
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
			    info->object.map->value_size);
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
	const struct bpffs_info *like = outer->inner;
	struct bpffs_info *info = bpffs_info_new();

	if (!info) {
		bpf_map_put(map);
		return ERR_PTR(-ENOMEM);
	}
	info->object = like->object;
	info->object.map = map;
	info->object.counted = true;
	info->borrows = true;
	info->type = like->type;
	info->key = like->key;
	info->value = like->value;
	info->shape = like->shape;
	info->stored = like->stored;
	info->born = like->born;
	info->uid = like->uid;
	info->gid = like->gid;
	info->mode = like->mode;
	info->no_keys = like->no_keys;
	info->sum = like->sum;
	info->salt = salt;
	return info;
}
