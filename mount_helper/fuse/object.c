// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The object of a mount, from its descriptor to the last file of it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../lib/object.h"
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
	bpffs_shorts_free(&object->info.shorts);
	if (object->kind == BPFFS_MAP)
		map_close(&object->map);
	if (object->fd >= 0)
		close(object->fd);
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

int object_check_writer(struct object *object)
{
	if (!object->only_reads)
		return 0;
	bpffs_refuse(&object->info,
		     "the descriptor that was mounted may only read; mount one that may write" UNCHANGED);
	return -EROFS;
}

int object_check_open(struct object *object, int flags)
{
	return (flags & O_ACCMODE) == O_RDONLY ? 0 : object_check_writer(object);
}

void *object_begin_list(const struct item *dir, int *err)
{
	*err = 0;
	return object_get(dir->data);
}

void object_forget(void *object)
{
	object_put(object);
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

/*
 * What bpf(2) can, and the module must not: read what looking would count as using, or
 * what is an object of the kernel there, and its number here.
 */
static u32 more_can(const struct map *map)
{
	switch (map->type) {
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return BPFFS_CAN_READ | BPFFS_CAN_WRITE | BPFFS_CAN_CREATE;
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		return BPFFS_CAN_LIST | BPFFS_CAN_READ | BPFFS_CAN_WRITE | BPFFS_BY_NEXT_KEY |
		       BPFFS_PERCPU;
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_CPUMAP:
		return BPFFS_CAN_LIST | BPFFS_CAN_READ | BPFFS_CAN_DELETE | BPFFS_BY_INDEX;
	case BPF_MAP_TYPE_STACK_TRACE:
	case BPF_MAP_TYPE_DEVMAP_HASH:
		return BPFFS_CAN_LIST | BPFFS_CAN_READ | BPFFS_CAN_DELETE | BPFFS_BY_NEXT_KEY;
	/* The cookie of a socket, if there is room for one. */
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		return map->value_size != sizeof(__u64) ? 0 :
		       BPFFS_CAN_LIST | BPFFS_CAN_READ | BPFFS_CAN_DELETE | BPFFS_BY_INDEX;
	case BPF_MAP_TYPE_SOCKHASH:
		return map->value_size != sizeof(__u64) ? 0 :
		       BPFFS_CAN_LIST | BPFFS_CAN_READ | BPFFS_CAN_DELETE | BPFFS_BY_NEXT_KEY;
	default:
		return 0;
	}
}

static int open_map(struct object *object)
{
	struct bpffs_info *info = &object->info;
	struct map *map = &object->map;
	int err = map_open(map, object->fd, object->fd != DAEMON_OBJECT);

	if (err)
		return err;
	info->map_type = map->type;
	info->map_flags = map->flags;
	info->key_size = map->key_size;
	info->value_size = map->value_size;
	info->max_entries = map->max_entries;
	info->can = bpffs_type_can(map->type) | more_can(map);
	info->stored.copies = map->copies;
	info->stored.cpus = map->cpus;
	return 0;
}

/* Of a link, there is no name; what @info has there then is something else. */
static int know_object(struct object *object)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
		struct bpf_link_info link;
	} info = {};
	__u32 len = sizeof(info);

	switch (object->kind) {
	case BPFFS_MAP:
		len = sizeof(info.map);
		break;
	case BPFFS_PROG:
		len = sizeof(info.prog);
		break;
	case BPFFS_LINK:
		len = sizeof(info.link);
		break;
	}
	if (bpf_obj_get_info_by_fd(object->fd, &info, &len))
		return -errno;
	/* All three begin with them. */
	object->type = info.map.type;
	object->id = info.map.id;
	if (object->kind == BPFFS_MAP)
		memcpy(object->name, info.map.name, sizeof(object->name));
	if (object->kind == BPFFS_PROG)
		memcpy(object->name, info.prog.name, sizeof(object->name));
	return 0;
}

struct object *object_new(enum bpffs_kind kind, int fd)
{
	struct object *object = calloc(1, sizeof(*object));
	int err;

	if (!object)
		return ERR_PTR(-ENOMEM);
	object->users = 1;
	object->kind = kind;
	object->fd = fd;
	clock_gettime(CLOCK_REALTIME_COARSE, &object->born);
	bpffs_errors_init(&object->info.errors);
	bpffs_shorts_init(&object->info.shorts);
	err = know_object(object);
	if (!err && kind == BPFFS_MAP)
		err = open_map(object);
	if (!err)
		return object;
	/* It remains the caller's. */
	object->fd = -1;
	object_put(object);
	return ERR_PTR(err);
}

static struct object *open_object(const struct refusal *refusal)
{
	static const enum bpffs_kind kinds[] = {
		[LIBBPFFS_MAP] = BPFFS_MAP, [LIBBPFFS_PROG] = BPFFS_PROG,
		[LIBBPFFS_LINK] = BPFFS_LINK,
	};
	enum libbpffs_kind kind = libbpffs_kind_of(DAEMON_OBJECT);
	struct object *object;
	int err;

	if (kind == LIBBPFFS_NO_OBJECT)
		return ERR_PTR(refuse(refusal, EINVAL, "fd: not a BPF map, program or link"));
	if (kind == LIBBPFFS_MAP && (fcntl(DAEMON_OBJECT, F_GETFL) & O_ACCMODE) == O_WRONLY)
		return ERR_PTR(refuse(refusal, EACCES,
				      "fd: the map's descriptor is write-only"));
	err = describe_begin();
	object = err ? ERR_PTR(err) : object_new(kinds[kind], DAEMON_OBJECT);
	if (IS_ERR(object))
		refuse(refusal, 0, "fd: %s", strerror(-PTR_ERR(object)));
	else
		object->only_reads = kind == LIBBPFFS_MAP &&
				     (fcntl(DAEMON_OBJECT, F_GETFL) & O_ACCMODE) == O_RDONLY;
	return object;
}

/* What a store of some fields can lose, and why. */
static void say_how_fields_are_stored(const struct object *object, const struct refusal *note)
{
	const struct map *map = &object->map;
	const struct bpffs_info *info = &object->info;
	const char *why = map->place_error == -EPERM ? "loading a BPF program needs CAP_BPF" :
			  map->place_error ? strerror(-map->place_error) :
					     "a map of this type has no other way";

	if (map->place || !bpffs_map_can(info, BPFFS_CAN_WRITE) || !info->value ||
	    !bpffs_map_writable(info) ||
	    bpffs_layout_leaves(info->value) * (u64)info->shape.copies < 2)
		return;
	refuse(note, 0, map_owns(map) ? "a field of an element cannot be stored: %s" :
	       "a field is stored by reading and updating the whole element, which can lose what others store meanwhile: %s",
	       why);
}

static void say_of_inner_maps(const struct object *object, const struct refusal *note)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {};

	if (!bpffs_map_can(&object->info, BPFFS_OF_MAPS) || syscall(SYS_capget, &header, caps) ||
	    caps[0].effective & 1U << CAP_SYS_ADMIN)
		return;
	refuse(note, 0, "inner maps are listed, but cannot be opened: that needs CAP_SYS_ADMIN");
}

int items_open(struct item *root, uint64_t *capabilities, const struct front_options *options,
	       char *text, size_t size)
{
	const struct refusal refusal = { text, size };
	struct object *object = open_object(&refusal);
	int err;

	if (IS_ERR(object))
		return PTR_ERR(object);
	err = set_options(object, options, &refusal);
	if (err) {
		object_put(object);
		return err;
	}
	say_how_fields_are_stored(object, &refusal);
	say_of_inner_maps(object, &refusal);
	/* To open inner maps by their ids. */
	*capabilities = bpffs_map_can(&object->info, BPFFS_OF_MAPS) ? 1ULL << CAP_SYS_ADMIN : 0;
	root_item(object, root);
	return 0;
}

void items_close(struct item *root)
{
	object_put(root->data);
}
