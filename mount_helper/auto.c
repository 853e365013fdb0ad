// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Which layouts suit a map: those of its BTF, or what always works. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "btf.h"
#include "internal.h"
#include "object.h"
#include "text.h"

/* What a map has of which there could be a layout. */
enum parts {
	NO_PARTS,
	ONLY_VALUES,
	VALUES_AS_KEYS,
	KEYS_AND_VALUES,
};

static enum parts parts_of(const struct bpf_map_info *info)
{
	switch (info->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_CGROUP_STORAGE:
		return KEYS_AND_VALUES;
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return ONLY_VALUES;
	case BPF_MAP_TYPE_BLOOM_FILTER:
		return VALUES_AS_KEYS;
	default:
		return NO_PARTS;
	}
}

/**
 * struct request - what is known of a map, and wanted
 * @info: of the map
 * @btf: its types, or NULL
 * @as: types by the user
 * @as_count: of @as
 */
struct request {
	struct bpf_map_info info;
	struct btf *btf;
	struct libbpffs_as *as;
	size_t as_count;
};

static char *from_btf(const struct request *r, __u32 id, __u32 size,
		      enum libbpffs_btf_use use)
{
	if (!r->btf || !id)
		return NULL;
	return libbpffs_btf_layout(r->btf, id, size, use, r->as, r->as_count);
}

/* Of which names can be as long as the layout says. */
static bool is_key(const char *text, __u32 size)
{
	struct bpffs_layout *layout;

	if (bpffs_layout_compile(&layout, text, strlen(text), size, BPFFS_KEY, NULL))
		return false;
	bpffs_layout_release(layout);
	return true;
}

/* Without BTF: what the type of the map tells. */
static char *plain_key(const struct request *r)
{
	const struct bpf_map_info *info = &r->info;
	char text[32] = "hex";

	if (info->type == BPF_MAP_TYPE_LPM_TRIE)
		snprintf(text, sizeof(text), "plen:hex%u", info->key_size - 4);
	else if (r->btf && info->type == BPF_MAP_TYPE_ARRAY)
		/* A data section has a key, but no type of it. */
		snprintf(text, sizeof(text), "u32");
	return strdup(is_key(text, info->key_size) ? text : "none");
}

static char *key_layout(const struct request *r)
{
	bool lpm = r->info.type == BPF_MAP_TYPE_LPM_TRIE;
	char *text;

	text = from_btf(r, r->info.btf_key_type_id, r->info.key_size,
			lpm ? LIBBPFFS_BTF_LPM_KEY : LIBBPFFS_BTF_KEY);
	return text ?: plain_key(r);
}

static char *value_layout(const struct request *r)
{
	char *text = from_btf(r, r->info.btf_value_type_id, r->info.value_size,
			      LIBBPFFS_BTF_VALUE);

	return text ?: strdup("hex");
}

/* Of a set, whose values are the names: members of the value are the key's. */
static char *set_layout(const struct request *r)
{
	const struct bpf_map_info *info = &r->info;
	char *text;
	size_t i;

	for (i = 0; i < r->as_count; i++)
		r->as[i].for_key = true;
	text = from_btf(r, info->btf_value_type_id, info->value_size, LIBBPFFS_BTF_KEY);
	return text ?: strdup(is_key("hex", info->value_size) ? "hex" : "none");
}

/* What a user asks for is done, or refused. */
static int check_as(const struct request *r)
{
	size_t i;

	for (i = 0; i < r->as_count; i++) {
		const struct libbpffs_as *as = &r->as[i];

		if (!as->seen)
			return libbpffs_refuse(EINVAL,
					       "as: the BTF of the map has no member %s.%.*s",
					       as->for_key ? "key" : "value",
					       (int)as->path_len, as->path);
		if (as->of_bits)
			return libbpffs_refuse(EINVAL,
					       "as: %s.%.*s is a bit-field, which has no other type",
					       as->for_key ? "key" : "value",
					       (int)as->path_len, as->path);
		if (as->bad_size)
			return libbpffs_refuse(EINVAL,
					       "as: %s.%.*s has %llu bytes, \"%s\" is no layout of these",
					       as->for_key ? "key" : "value",
					       (int)as->path_len, as->path,
					       (unsigned long long)as->bad_size, as->type);
	}
	return 0;
}

/* bpf(2) would describe a program just as well, in another struct. */
static bool is_map(int fd)
{
	return libbpffs_kind_of(fd) == LIBBPFFS_MAP;
}

static int make_layouts(int map_fd, struct request *r, char **key, char **value)
{
	__u32 len = sizeof(r->info);
	enum parts parts;

	*key = NULL;
	*value = NULL;
	if (bpf_obj_get_info_by_fd(map_fd, &r->info, &len))
		return libbpffs_refuse(errno, "map: descriptor %d tells nothing of its object: %s",
				       map_fd, strerror(errno));
	parts = parts_of(&r->info);
	if (parts == NO_PARTS)
		return check_as(r);
	if (r->info.btf_id)
		r->btf = btf__load_from_kernel_by_id(r->info.btf_id);
	if (parts == KEYS_AND_VALUES)
		*key = key_layout(r);
	else if (parts == VALUES_AS_KEYS)
		*key = set_layout(r);
	if (parts != VALUES_AS_KEYS)
		*value = value_layout(r);
	btf__free(r->btf);
	if ((*key || parts == ONLY_VALUES) && (*value || parts == VALUES_AS_KEYS))
		return check_as(r);
	return libbpffs_refuse(ENOMEM, "layout: %s", strerror(ENOMEM));
}

int bpffs_map_layouts(int map_fd, char **key, char **value)
{
	struct request r = {};
	int err;

	libbpffs_clear_error();
	if (!key || !value)
		return libbpffs_refuse(EINVAL, "layouts: no place for them");
	err = libbpffs_check_fd(map_fd);
	if (err)
		return err;
	if (!is_map(map_fd))
		return libbpffs_refuse(EINVAL, "map: descriptor %d is not that of a map", map_fd);
	err = make_layouts(map_fd, &r, key, value);
	if (!err)
		return 0;
	free(*key);
	free(*value);
	*key = NULL;
	*value = NULL;
	errno = -err;
	return err;
}

int libbpffs_plan_auto(struct libbpffs_plan *plan, int fd)
{
	struct request r = { .as = plan->as, .as_count = plan->as_count };
	int err;

	plan->given = plan->count;
	/* The kernel finds the words for what is no map. */
	if ((plan->has_key && plan->has_value) || !is_map(fd))
		return check_as(&r);
	err = make_layouts(fd, &r, &plan->key, &plan->value);
	/* Of a set, some are of the key only now. */
	if (!err)
		err = libbpffs_plan_check_as(plan);
	if (err)
		return err;
	if (plan->key && !plan->has_key)
		libbpffs_plan_add(plan, "key", plan->key);
	if (plan->value && !plan->has_value)
		libbpffs_plan_add(plan, "value", plan->value);
	return 0;
}

bool libbpffs_plan_drop_auto(struct libbpffs_plan *plan)
{
	bool dropped = plan->count > plan->given && !plan->as_count;

	if (dropped)
		plan->count = plan->given;
	return dropped;
}
