// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The object of a mount, from its descriptor to the last file of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "daemon.h"
#include "object.h"
#include "serve.h"

struct object *object_get(struct object *object)
{
	__atomic_add_fetch(&object->users, 1, __ATOMIC_RELAXED);
	return object;
}

void object_put(struct object *object)
{
	if (__atomic_sub_fetch(&object->users, 1, __ATOMIC_ACQ_REL))
		return;
	bpffs_layout_release(object->info.key);
	bpffs_layout_release(object->info.value);
	bpffs_errors_free(&object->info.errors);
	map_close(&object->map);
	free(object);
}

void object_stat(const struct object *object, struct stat *st, mode_t mode, u64 ino)
{
	st->st_mode = mode;
	st->st_ino = ino;
	st->st_nlink = S_ISDIR(mode) ? 2 : 1;
	st->st_uid = object->uid;
	st->st_gid = object->gid;
	st->st_ctim = object->born;
	st->st_mtim = object->born;
	st->st_atim = object->born;
}

int refuse(const struct refusal *refusal, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(refusal->text, refusal->size, format, args);
	va_end(args);
	return -err;
}

/* --- What can be mounted --- */

/* Locks, timers, pointers: an update would destroy them, a text give them bytes. */
static bool has_special(const struct btf *btf, __u32 id, int depth)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const struct btf_member *member;
	const char *name;
	int i;

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	if (!type || depth > 16)
		return false;
	if (btf_is_array(type))
		return has_special(btf, btf_array(type)->type, depth + 1);
	if (btf_is_ptr(type)) {
		type = btf__type_by_id(btf, type->type);
		return type && btf_is_type_tag(type);
	}
	if (!btf_is_composite(type))
		return false;
	name = btf__str_by_offset(btf, type->name_off);
	if (name && !strncmp(name, "bpf_", 4))
		return true;
	member = btf_members(type);
	for (i = 0; i < btf_vlen(type); i++)
		if (has_special(btf, member[i].type, depth + 1))
			return true;
	return false;
}

static int check_special(const struct refusal *refusal)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	struct btf *btf;
	bool special;

	if (bpf_obj_get_info_by_fd(DAEMON_OBJECT, &info, &len) || !info.btf_value_type_id)
		return 0;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	/* Who has no right to ask gets what BPF gives without it. */
	special = btf && has_special(btf, info.btf_value_type_id, 0);
	btf__free(btf);
	return !special ? 0 : refuse(refusal, EOPNOTSUPP,
			"values with locks, timers or pointers need the module (backend=kernel)");
}

/* What the map is. */
static void set_facts(struct object *object)
{
	struct bpffs_info *info = &object->info;

	info->map_type = object->map.type;
	info->map_flags = object->map.flags;
	info->key_size = object->map.key_size;
	info->value_size = object->map.value_size;
	info->max_entries = object->map.max_entries;
	info->can = bpffs_type_can(object->map.type);
}

static int open_map(struct object *object, const struct refusal *refusal)
{
	const struct bpffs_info *info = &object->info;

	if ((fcntl(DAEMON_OBJECT, F_GETFL) & O_ACCMODE) == O_WRONLY)
		return refuse(refusal, EACCES, "fd: the map's descriptor is write-only");
	if (map_open(&object->map, DAEMON_OBJECT))
		return refuse(refusal, EINVAL, "fd: not a BPF map, program or link");
	set_facts(object);
	if (!bpffs_map_can(info, BPFFS_IS_QUEUE | BPFFS_IS_SET) &&
	    (!bpffs_map_can(info, BPFFS_CAN_READ) ||
	     info->map_type == BPFFS_TYPE_CGROUP_STORAGE))
		return refuse(refusal, EOPNOTSUPP,
			      "a map of this type needs the module (backend=kernel)");
	return check_special(refusal);
}

int items_open(struct item *root, uint64_t *capabilities, const struct front_options *options,
	       char *text, size_t size)
{
	const struct refusal refusal = { text, size };
	struct object *object = calloc(1, sizeof(*object));
	int err;

	if (!object)
		return refuse(&refusal, ENOMEM, "no memory");
	object->users = 1;
	clock_gettime(CLOCK_REALTIME_COARSE, &object->born);
	bpffs_errors_init(&object->info.errors);
	err = open_map(object, &refusal);
	if (!err)
		err = set_options(object, options, &refusal);
	if (err) {
		object_put(object);
		return err;
	}
	*capabilities = 0;
	root->dir = bpffs_map_can(&object->info, BPFFS_IS_QUEUE) ? &queue_kind : &root_kind;
	root->data = object;
	return 0;
}

void items_close(struct item *root)
{
	object_put(root->data);
}
