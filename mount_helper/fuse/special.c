// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * Fields of a value that are not a program's bytes: locks, timers, pointers to objects of
 * the kernel. It knows them by the map's types, as the kernel does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "../lib/btf-load.h"
#include "bpf-map.h"

/* More than the kernel takes, and deeper than it looks. */
#define SPECIALS_MAX	64
#define DEPTH_MAX	16

struct search {
	const struct btf *btf;
	struct map_special found[SPECIALS_MAX];
	__u32 count;
};

static const struct {
	const char *name;
	bool owns;
} structs[] = {
	{ "bpf_spin_lock", false },
	{ "bpf_res_spin_lock", false },
	{ "bpf_timer", true },
	{ "bpf_wq", true },
	{ "bpf_list_head", true },
	{ "bpf_list_node", true },
	{ "bpf_rb_root", true },
	{ "bpf_rb_node", true },
	{ "bpf_refcount", true },
	{ "bpf_task_work", true },
};

static const char * const pointers[] = {
	"kptr", "kptr_untrusted", "kptr_ref", "percpu_kptr", "uptr",
};

static void add(struct search *search, __u32 offset, __u32 size, bool owns)
{
	if (search->count < SPECIALS_MAX)
		search->found[search->count++] = (struct map_special) { offset, size, owns };
}

static const struct btf_type *skip_names(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* A tag is between the pointer and what it points to, or beyond const and the like. */
static bool is_kernel_pointer(const struct btf *btf, const struct btf_type *type)
{
	const char *tag;
	size_t i;

	for (type = btf__type_by_id(btf, type->type); type && btf_is_mod(type);
	     type = btf__type_by_id(btf, type->type)) {
		tag = btf_is_type_tag(type) ? btf__str_by_offset(btf, type->name_off) : NULL;
		for (i = 0; tag && i < ARRAY_SIZE(pointers); i++)
			if (!strcmp(tag, pointers[i]))
				return true;
	}
	return false;
}

static bool add_struct(struct search *search, const struct btf_type *type, __u32 offset)
{
	const char *name = btf__str_by_offset(search->btf, type->name_off);
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(structs); i++)
		if (!strcmp(name, structs[i].name)) {
			add(search, offset, type->size, structs[i].owns);
			return true;
		}
	return false;
}

static void look(struct search *search, __u32 id, __u32 offset, int depth)
{
	const struct btf_type *type = skip_names(search->btf, id);
	const struct btf_array *array;
	__s64 size;
	__u32 i;

	if (!type || depth > DEPTH_MAX || search->count == SPECIALS_MAX)
		return;
	if (btf_is_ptr(type)) {
		if (is_kernel_pointer(search->btf, type))
			add(search, offset, 8, true);
	} else if (btf_is_array(type)) {
		__u32 before = search->count;

		array = btf_array(type);
		size = btf__resolve_size(search->btf, array->type);
		/* If there is none in the first, there is in none. */
		for (i = 0; size > 0 && i < array->nelems && (!i || search->count > before); i++)
			look(search, array->type, offset + i * size, depth + 1);
	} else if (btf_is_datasec(type)) {
		for (i = 0; i < btf_vlen(type); i++)
			look(search, btf_var_secinfos(type)[i].type,
			     offset + btf_var_secinfos(type)[i].offset, depth + 1);
	} else if (btf_is_var(type)) {
		look(search, type->type, offset, depth + 1);
	} else if (btf_is_composite(type) && !add_struct(search, type, offset)) {
		for (i = 0; i < btf_vlen(type); i++)
			look(search, btf_members(type)[i].type,
			     offset + btf_member_bit_offset(type, i) / 8, depth + 1);
	}
}

static int compare(const void *a, const void *b)
{
	const struct map_special *left = a, *right = b;

	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

int map_find_special(struct map *map)
{
	struct bpf_map_info info = {};
	struct search search = {};
	__u32 len = sizeof(info);
	struct btf *btf;
	int err;

	if (bpf_obj_get_info_by_fd(map->fd, &info, &len))
		return -errno;
	if (!info.btf_value_type_id)
		return 0;
	err = libbpffs_load_btf(info.btf_id, &btf);
	/* Who has no right to ask gets what bpf(2) gives without it. */
	if (err || !btf)
		return err;
	search.btf = btf;
	look(&search, info.btf_value_type_id, 0, 0);
	btf__free(btf);
	if (!search.count)
		return 0;
	qsort(search.found, search.count, sizeof(search.found[0]), compare);
	map->special = calloc(search.count, sizeof(search.found[0]));
	if (!map->special)
		return -ENOMEM;
	memcpy(map->special, search.found, search.count * sizeof(search.found[0]));
	map->specials = search.count;
	return 0;
}

bool map_owns(const struct map *map)
{
	__u32 i;

	for (i = 0; i < map->specials; i++)
		if (map->special[i].owns)
			return true;
	return false;
}

void map_clear_special(const struct map *map, void *values, __u32 count)
{
	__u32 i;

	for (; count--; values += map->stride)
		for (i = 0; i < map->specials; i++)
			memset(values + map->special[i].offset, 0, map->special[i].size);
}
