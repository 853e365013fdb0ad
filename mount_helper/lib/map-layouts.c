// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Which layouts suit a map: those of its BTF, or what always works. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "btf-layout.h"
#include "btf-load.h"
#include "btf-maps.h"
#include "internal.h"
#include "object.h"
#include "text.h"
#include "types.h"

/* What a map has of which there could be a layout. */
enum parts {
	NO_PARTS,
	ONLY_VALUES,
	VALUES_AS_KEYS,
	KEYS_AND_VALUES,
	KEYS_AND_MAPS,
};

static enum parts parts_of(const struct bpf_map_info *info)
{
	u32 can = bpffs_type_can(info->type);

	if (can & BPFFS_IS_QUEUE)
		return ONLY_VALUES;
	if (can & BPFFS_IS_SET)
		return VALUES_AS_KEYS;
	if (can & BPFFS_OF_MAPS)
		return KEYS_AND_MAPS;
	return can & BPFFS_CAN_LIST ? KEYS_AND_VALUES : NO_PARTS;
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

static int copy_text(const char *text, char **copy)
{
	*copy = strdup(text);
	return *copy ? 0 : -ENOMEM;
}

/* NULL in @text: there is none. */
static int from_btf(const struct request *r, __u32 id, __u32 size,
		    enum libbpffs_btf_use use, char **text)
{
	*text = NULL;
	if (!r->btf || !id)
		return 0;
	return libbpffs_btf_layout(r->btf, id, size, use, r->as, r->as_count, text);
}

/* The layout itself, or none, where no names can be as long as it says. */
static int if_key(const char *layout, __u32 size, char **text)
{
	struct bpffs_layout *compiled;
	int err = bpffs_layout_compile(&compiled, layout, strlen(layout), size, BPFFS_KEY, NULL);

	if (err == -ENOMEM)
		return err;
	if (err)
		return copy_text("none", text);
	bpffs_layout_release(compiled);
	return copy_text(layout, text);
}

/* Without BTF: what the type of the map tells. */
static int plain_key(const struct request *r, char **text)
{
	const struct bpf_map_info *info = &r->info;
	char layout[32] = "hex";

	if (info->type == BPF_MAP_TYPE_LPM_TRIE)
		snprintf(layout, sizeof(layout), "plen:hex%u", info->key_size - 4);
	else if (r->btf && info->type == BPF_MAP_TYPE_ARRAY)
		/* A data section has a key, but no type of it. */
		snprintf(layout, sizeof(layout), "u32");
	return if_key(layout, info->key_size, text);
}

static int key_layout(const struct request *r, char **text)
{
	bool lpm = r->info.type == BPF_MAP_TYPE_LPM_TRIE;
	int err = from_btf(r, r->info.btf_key_type_id, r->info.key_size,
			   lpm ? LIBBPFFS_BTF_LPM_KEY : LIBBPFFS_BTF_KEY, text);

	return err || *text ? err : plain_key(r, text);
}

static int value_layout(const struct request *r, char **text)
{
	int err = from_btf(r, r->info.btf_value_type_id, r->info.value_size,
			   LIBBPFFS_BTF_VALUE, text);

	return err || *text ? err : copy_text("hex", text);
}

/* Of a set, whose values are the names: members of the value are the key's. */
static int set_layout(const struct request *r, char **text)
{
	const struct bpf_map_info *info = &r->info;
	size_t i;
	int err;

	for (i = 0; i < r->as_count; i++)
		r->as[i].for_key = true;
	err = from_btf(r, info->btf_value_type_id, info->value_size, LIBBPFFS_BTF_KEY, text);
	return err || *text ? err : if_key("hex", info->value_size, text);
}

/* What a user asks for is done, or refused. */
static int check_as(const struct libbpffs_as *as, size_t count)
{
	for (; count--; as++) {
		const char *of = as->for_key ? "key" : "value";
		const char *inner = as->inner ? "inner_" : "";

		if (!as->seen)
			return libbpffs_refuse(EINVAL,
					       "as: the BTF of the map has no member %s%s.%.*s",
					       inner, of, (int)as->path_len, as->path);
		if (as->of_bits)
			return libbpffs_refuse(EINVAL,
					       "as: %s%s.%.*s is a bit-field, which has no other type",
					       inner, of, (int)as->path_len, as->path);
		if (as->bad_size)
			return libbpffs_refuse(EINVAL,
					       "as: %s%s.%.*s has %llu bytes, \"%s\" is no layout of these",
					       inner, of, (int)as->path_len, as->path,
					       (unsigned long long)as->bad_size, as->type);
	}
	return 0;
}

/* bpf(2) would describe a program just as well, in another struct. */
static bool is_map(int fd)
{
	return libbpffs_kind_of(fd) == LIBBPFFS_MAP;
}

/* Of a map whose elements are none. @r: info, and types by the user */
static int make_simple(struct request *r, char **key, char **value)
{
	enum parts parts = parts_of(&r->info);
	int err = libbpffs_load_btf(r->info.btf_id, &r->btf);

	if (!err && parts == KEYS_AND_VALUES)
		err = key_layout(r, key);
	else if (!err && parts == VALUES_AS_KEYS)
		err = set_layout(r, key);
	if (!err && (parts == KEYS_AND_VALUES || parts == ONLY_VALUES))
		err = value_layout(r, value);
	btf__free(r->btf);
	r->btf = NULL;
	return err;
}

/* --- Maps of maps --- */

/*
 * The kernel keeps no BTF of a map of maps. Its definition is in that of the maps
 * inside, if they come from the same source, or of a program that uses it.
 */
static bool find_in(const struct btf *btf, const struct bpf_map_info *outer,
		    struct libbpffs_definition *def)
{
	struct libbpffs_definition next = {};
	bool found = false;

	while (btf && libbpffs_next_definition(btf, &next)) {
		if (strncmp(next.name, outer->name, sizeof(outer->name) - 1) ||
		    next.type != outer->type)
			continue;
		/* Of several that begin alike, which is it? */
		if (found && (next.key_id != def->key_id || next.inner_id != def->inner_id))
			return false;
		*def = next;
		found = true;
	}
	return found;
}

/* Does the program use the map? Then its BTF, or NULL. */
static int btf_of_user(int prog, __u32 map_id, struct btf **btf)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info), count, i;
	__u32 *ids;
	int err;

	err = bpf_obj_get_info_by_fd(prog, &info, &len);
	if (err || !info.btf_id || !info.nr_map_ids)
		return err;
	count = info.nr_map_ids;
	ids = calloc(count, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	/* Those that are bound to it meanwhile, by BPF_PROG_BIND_MAP, have no room. */
	info = (struct bpf_prog_info){
		.nr_map_ids = count,
		.map_ids = (unsigned long)ids,
	};
	len = sizeof(info);
	err = bpf_obj_get_info_by_fd(prog, &info, &len);
	for (i = 0; i < count && !err && !*btf; i++)
		if (ids[i] == map_id)
			err = libbpffs_load_btf(info.btf_id, btf);
	free(ids);
	return err;
}

/* One of all programs; it may have gone meanwhile. */
static int btf_if_user(__u32 id, __u32 map_id, struct btf **btf)
{
	int fd = bpf_prog_get_fd_by_id(id), err;

	*btf = NULL;
	if (fd < 0)
		return libbpffs_unless_none(fd);
	err = btf_of_user(fd, map_id, btf);
	close(fd);
	return libbpffs_unless_none(err);
}

/* @def: belongs to @btf, which is NULL if there is none. */
static int find_in_users(const struct bpf_map_info *outer, struct libbpffs_definition *def,
			 struct btf **btf)
{
	__u32 id = 0;
	int err;

	while (!(err = bpf_prog_get_next_id(id, &id))) {
		err = btf_if_user(id, outer->id, btf);
		if (err || find_in(*btf, outer, def))
			return err;
		btf__free(*btf);
		*btf = NULL;
	}
	return libbpffs_unless_none(err);
}

/* Slots that are looked at for a map. */
#define SLOTS_MAX	1024

static int info_of_id(__u32 id, struct bpf_map_info *info)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	int fd = bpf_map_get_fd_by_id_opts(id, &opts);
	__u32 len = sizeof(*info);
	int err;

	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, info, &len);
	close(fd);
	return err;
}

/*
 * One of the maps inside, rather one with BTF. They differ in nothing but that. No id in
 * @found: there is none.
 */
static int find_inner(int outer, const struct bpf_map_info *outer_info,
		      struct bpf_map_info *found)
{
	char *key = calloc(1, outer_info->key_size);
	int err = key ? 0 : -ENOMEM;
	bool begun = false;
	__u32 id, i;

	memset(found, 0, sizeof(*found));
	for (i = 0; !err && i < SLOTS_MAX && !found->btf_id; i++) {
		struct bpf_map_info info = {};

		err = bpf_map_get_next_key(outer, begun ? key : NULL, key);
		if (err)
			break;
		begun = true;
		err = bpf_map_lookup_elem(outer, key, &id);
		if (!err)
			err = info_of_id(id, &info);
		if (!err)
			*found = info;
		err = libbpffs_unless_none(err);
	}
	free(key);
	return libbpffs_unless_none(err);
}

static __u32 size_of(const struct btf *btf, __u32 id)
{
	__s64 size = id ? btf__resolve_size(btf, id) : 0;

	return size > 0 && size <= UINT32_MAX ? size : 0;
}

/* As the definition has it, unless there is a map that has it itself. */
static void define_inner(const struct btf *btf, const struct libbpffs_definition *outer,
			 bool exists, struct bpf_map_info *info)
{
	struct libbpffs_definition def = {};

	if (!outer->inner_id || info->btf_id)
		return;
	libbpffs_read_definition(btf, outer->inner_id, &def);
	if (!exists) {
		info->type = def.type;
		info->key_size = size_of(btf, def.key_id);
		info->value_size = size_of(btf, def.value_id);
	}
	if (info->type != def.type)
		return;
	info->btf_key_type_id = def.key_id;
	info->btf_value_type_id = def.value_id;
}

/* Only what BTF has: else the kernel has its own. */
static int make_inner(struct request *r, struct libbpffs_layouts *layouts)
{
	enum parts parts = parts_of(&r->info);
	int err = 0;

	if (parts == VALUES_AS_KEYS)
		err = from_btf(r, r->info.btf_value_type_id, r->info.value_size,
			       LIBBPFFS_BTF_KEY, &layouts->inner_key);
	if (parts == KEYS_AND_VALUES && r->info.key_size &&
	    (r->info.btf_key_type_id || r->info.type == BPF_MAP_TYPE_ARRAY))
		err = key_layout(r, &layouts->inner_key);
	if (!err && (parts == KEYS_AND_VALUES || parts == ONLY_VALUES))
		err = from_btf(r, r->info.btf_value_type_id, r->info.value_size,
			       LIBBPFFS_BTF_VALUE, &layouts->inner_value);
	return err;
}

/* @btf: of the maps inside, or NULL */
static int outer_key(const struct request *r, const struct btf *btf, __u32 id, char **text)
{
	int err = from_btf(r, id, r->info.key_size, LIBBPFFS_BTF_KEY, text);

	if (err || *text)
		return err;
	/* Without a type, an index is one nevertheless. */
	if (btf && r->info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return copy_text("u32", text);
	return plain_key(r, text);
}

static int make_outer(int fd, struct request *r, struct request *inner,
		      struct libbpffs_layouts *layouts)
{
	struct libbpffs_definition def = {};
	int err;

	err = find_inner(fd, &r->info, &inner->info);
	if (!err)
		err = libbpffs_load_btf(inner->info.btf_id, &inner->btf);
	if (!err && find_in(inner->btf, &r->info, &def))
		r->btf = inner->btf;
	else if (!err)
		err = find_in_users(&r->info, &def, &r->btf);
	if (!r->btf)
		memset(&def, 0, sizeof(def));
	if (!inner->btf) {
		inner->info.btf_id = 0;
		inner->info.btf_key_type_id = 0;
		inner->info.btf_value_type_id = 0;
		inner->btf = r->btf;
	}
	if (r->btf)
		define_inner(r->btf, &def, inner->info.id, &inner->info);
	if (!err)
		err = outer_key(r, inner->btf, def.key_id, &layouts->key);
	if (!err && inner->btf)
		err = make_inner(inner, layouts);
	if (r->btf != inner->btf)
		btf__free(r->btf);
	btf__free(inner->btf);
	r->btf = NULL;
	inner->btf = NULL;
	return err;
}

/* @inner: of a map of maps, types by the user */
static int make_layouts(int map_fd, struct request *r, struct request *inner,
			struct libbpffs_layouts *layouts)
{
	__u32 len = sizeof(r->info);
	int err;

	if (bpf_obj_get_info_by_fd(map_fd, &r->info, &len))
		return libbpffs_refuse(errno, "map: descriptor %d tells nothing of its object: %s",
				       map_fd, strerror(errno));
	if (parts_of(&r->info) == KEYS_AND_MAPS)
		err = make_outer(map_fd, r, inner, layouts);
	else
		err = make_simple(r, &layouts->key, &layouts->value);
	if (err)
		return libbpffs_refuse(-err, "layout: %s", strerror(-err));
	err = check_as(r->as, r->as_count);
	return err ?: check_as(inner->as, inner->as_count);
}

const char *libbpffs_hidden_type(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (!is_map(fd) || bpf_obj_get_info_by_fd(fd, &info, &len) ||
	    parts_of(&info) != NO_PARTS)
		return NULL;
	return libbpf_bpf_map_type_str(info.type) ?: "that is unknown";
}

void libbpffs_layouts_free(struct libbpffs_layouts *layouts)
{
	free(layouts->key);
	free(layouts->value);
	free(layouts->inner_key);
	free(layouts->inner_value);
	memset(layouts, 0, sizeof(*layouts));
}

int libbpffs_map_layouts(int fd, struct libbpffs_layouts *layouts)
{
	struct request r = {}, inner = {};
	int err;

	memset(layouts, 0, sizeof(*layouts));
	err = libbpffs_check_fd(fd);
	if (err)
		return err;
	if (!is_map(fd))
		return libbpffs_refuse(EINVAL, "map: descriptor %d is not that of a map", fd);
	err = make_layouts(fd, &r, &inner, layouts);
	if (!err)
		return 0;
	libbpffs_layouts_free(layouts);
	errno = -err;
	return err;
}

int bpffs_map_layouts(int map_fd, char **key, char **value)
{
	struct libbpffs_layouts layouts;
	int err;

	libbpffs_clear_error();
	if (!key || !value)
		return libbpffs_refuse(EINVAL, "layouts: no place for them");
	*key = NULL;
	*value = NULL;
	err = libbpffs_map_layouts(map_fd, &layouts);
	if (err)
		return err;
	*key = layouts.key;
	*value = layouts.value;
	free(layouts.inner_key);
	free(layouts.inner_value);
	return 0;
}

int libbpffs_plan_auto(struct libbpffs_plan *plan, int fd)
{
	struct request r = { .as = plan->as, .as_count = plan->as_count };
	struct request inner = { .as = plan->inner_as, .as_count = plan->inner_as_count };
	struct libbpffs_layouts *found = &plan->found;
	int err;

	plan->given = plan->count;
	/* The kernel finds the words for what is no map. */
	if ((plan->has_key && plan->has_value) || !is_map(fd)) {
		err = check_as(r.as, r.as_count);
		return err ?: check_as(inner.as, inner.as_count);
	}
	err = make_layouts(fd, &r, &inner, found);
	/* Of a set, some are of the key only now. */
	if (!err)
		err = libbpffs_plan_check_as(plan);
	if (err)
		return err;
	if (found->key && !plan->has_key)
		libbpffs_plan_add(plan, "key", found->key);
	if (found->value && !plan->has_value)
		libbpffs_plan_add(plan, "value", found->value);
	if (found->inner_key && !plan->has_inner_key)
		libbpffs_plan_add(plan, "inner_key", found->inner_key);
	if (found->inner_value && !plan->has_inner_value)
		libbpffs_plan_add(plan, "inner_value", found->inner_value);
	return 0;
}

bool libbpffs_plan_drop_auto(struct libbpffs_plan *plan)
{
	bool dropped = plan->count > plan->given && !plan->as_count && !plan->inner_as_count;

	if (dropped)
		plan->count = plan->given;
	return dropped;
}
