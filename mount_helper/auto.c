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
	case BPF_MAP_TYPE_BLOOM_FILTER:
		return ONLY_VALUES;
	default:
		return NO_PARTS;
	}
}

static char *from_btf(const struct btf *btf, __u32 id, __u32 size,
		      enum libbpffs_btf_use use)
{
	return btf && id ? libbpffs_btf_layout(btf, id, size, use) : NULL;
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
static char *plain_key(const struct bpf_map_info *info, bool has_btf)
{
	char text[32] = "hex";

	if (info->type == BPF_MAP_TYPE_LPM_TRIE)
		snprintf(text, sizeof(text), "plen:hex%u", info->key_size - 4);
	else if (has_btf && info->type == BPF_MAP_TYPE_ARRAY)
		/* A data section has a key, but no type of it. */
		snprintf(text, sizeof(text), "u32");
	return strdup(is_key(text, info->key_size) ? text : "none");
}

static char *key_layout(const struct bpf_map_info *info, const struct btf *btf)
{
	bool lpm = info->type == BPF_MAP_TYPE_LPM_TRIE;
	char *text;

	text = from_btf(btf, info->btf_key_type_id, info->key_size,
			lpm ? LIBBPFFS_BTF_LPM_KEY : LIBBPFFS_BTF_KEY);
	return text ?: plain_key(info, btf);
}

static char *value_layout(const struct bpf_map_info *info, const struct btf *btf)
{
	char *text = from_btf(btf, info->btf_value_type_id, info->value_size,
			      LIBBPFFS_BTF_VALUE);

	return text ?: strdup("hex");
}

/* bpf(2) would describe a program just as well, in another struct. */
static bool is_map(int fd)
{
	return libbpffs_kind_of(fd) == LIBBPFFS_MAP;
}

static int make_layouts(int map_fd, char **key, char **value)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	enum parts parts;
	struct btf *btf;

	*key = NULL;
	*value = NULL;
	if (bpf_obj_get_info_by_fd(map_fd, &info, &len))
		return libbpffs_refuse(errno, "map: descriptor %d tells nothing of its object: %s",
				       map_fd, strerror(errno));
	parts = parts_of(&info);
	if (parts == NO_PARTS)
		return 0;
	btf = info.btf_id ? btf__load_from_kernel_by_id(info.btf_id) : NULL;
	if (parts == KEYS_AND_VALUES)
		*key = key_layout(&info, btf);
	*value = value_layout(&info, btf);
	btf__free(btf);
	if (*value && (*key || parts == ONLY_VALUES))
		return 0;
	free(*key);
	free(*value);
	*key = NULL;
	*value = NULL;
	return libbpffs_refuse(ENOMEM, "layout: %s", strerror(ENOMEM));
}

int bpffs_map_layouts(int map_fd, char **key, char **value)
{
	libbpffs_clear_error();
	if (!key || !value)
		return libbpffs_refuse(EINVAL, "layouts: no place for them");
	if (!is_map(map_fd))
		return libbpffs_refuse(EINVAL, "map: descriptor %d is not that of a map", map_fd);
	return make_layouts(map_fd, key, value);
}

int libbpffs_plan_auto(struct libbpffs_plan *plan, int fd)
{
	/* The kernel finds the words for what is no map. */
	if ((plan->has_key && plan->has_value) || !is_map(fd))
		return 0;
	if (make_layouts(fd, &plan->key, &plan->value))
		return -errno;
	plan->given = plan->count;
	if (plan->key && !plan->has_key)
		libbpffs_plan_add(plan, "key", plan->key);
	if (plan->value && !plan->has_value)
		libbpffs_plan_add(plan, "value", plan->value);
	return 0;
}

bool libbpffs_plan_drop_auto(struct libbpffs_plan *plan)
{
	bool dropped = plan->count > plan->given;

	plan->count = plan->given;
	return dropped;
}
