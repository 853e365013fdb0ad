// SPDX-License-Identifier: GPL-2.0-only
/* Bind one map, program or link; hold it; say what it is. */
#include <linux/anon_inodes.h>
#include <linux/fdtable.h>
#include <linux/file.h>

#include "bpffs.h"

/* More than any kernel has, as bpf_prog_get_type_dev() only compares. */
#define BPFFS_PROG_TYPES	64

static bool bind_map(struct bpffs_object *object, struct file *file, int fd)
{
	struct bpf_map *map = bpf_map_get(fd);

	if (IS_ERR(map))
		return false;
	/* The held file keeps the map; this reference was only the question. */
	bpf_map_put(map);
	if (file->private_data != map)
		return false;
	object->kind = BPFFS_MAP;
	object->map = map;
	return true;
}

static bool bind_prog(struct bpffs_object *object, struct file *file, int fd)
{
	struct bpf_prog *prog;
	u32 type;

	for (type = BPF_PROG_TYPE_UNSPEC + 1; type < BPFFS_PROG_TYPES; type++) {
		prog = bpf_prog_get_type_dev(fd, type, true);
		if (IS_ERR(prog))
			continue;
		bpf_prog_put(prog);
		if (file->private_data != prog)
			return false;
		object->kind = BPFFS_PROG;
		object->prog = prog;
		return true;
	}
	return false;
}

static bool bind_link(struct bpffs_object *object, struct file *file, int fd)
{
	struct bpf_link *link = bpf_link_get_from_fd(fd);

	if (IS_ERR(link))
		return false;
	bpf_link_put(link);
	if (file->private_data != link)
		return false;
	object->kind = BPFFS_LINK;
	object->link = link;
	return true;
}

static int same_file(const void *wanted, struct file *file, unsigned int fd)
{
	return file == wanted ? fd + 1 : 0;
}

/**
 * bpffs_object_bind - find out which BPF object an open file is
 * @object: filled; on success it owns @file
 * @file: of the caller's descriptor table
 * @fd: its number there, or -1 if the caller was only given the file
 *
 * The kernel tells what a *descriptor* is, and only that is proof: so the
 * number is needed, and the answer counts only if it is about @file (another
 * thread may have replaced the descriptor in between).
 *
 * Context: the process that gave the descriptor.
 * Return: 0, -EBADF (no longer open), -EINVAL (not a map, program or link).
 */
int bpffs_object_bind(struct bpffs_object *object, struct file *file, int fd)
{
	if (fd < 0)
		fd = iterate_fd(current->files, 0, same_file, file) - 1;
	if (fd < 0)
		return -EBADF;
	if (!bind_map(object, file, fd) && !bind_prog(object, file, fd) &&
	    !bind_link(object, file, fd))
		return -EINVAL;
	object->file = file;
	object->f_op = file->f_op;
	return 0;
}

void bpffs_object_release(struct bpffs_object *object)
{
	if (object->file)
		fput(object->file);
	else if (object->counted)
		bpf_map_put(object->map);
	object->file = NULL;
	object->counted = false;
}

enum bpffs_kind bpffs_object_kind(const struct bpffs_info *info)
{
	return bpffs_object(info)->kind;
}

/* Only what a mount holds can be mapped, handed out or pinned. */
bool bpffs_object_serves(const struct bpffs_info *info, enum bpffs_attr_file file)
{
	if (file == BPFFS_ATTR_PIN)
		return bpffs_instance(info)->pin;
	return bpffs_object(info)->file;
}

u32 bpffs_object_id(const struct bpffs_info *info)
{
	const struct bpffs_object *object = bpffs_object(info);

	switch (object->kind) {
	case BPFFS_MAP:
		return object->map->id;
	case BPFFS_PROG:
		return object->prog->aux->id;
	case BPFFS_LINK:
		return object->link->id;
	}
	return 0;
}

/* Empty if it has none; links never have one. */
const char *bpffs_object_name(const struct bpffs_info *info)
{
	const struct bpffs_object *object = bpffs_object(info);

	switch (object->kind) {
	case BPFFS_MAP:
		return object->map->name;
	case BPFFS_PROG:
		return object->prog->aux->name;
	case BPFFS_LINK:
		break;
	}
	return "";
}

u32 bpffs_object_type(const struct bpffs_info *info)
{
	const struct bpffs_object *object = bpffs_object(info);

	switch (object->kind) {
	case BPFFS_MAP:
		return object->map->map_type;
	case BPFFS_PROG:
		return object->prog->type;
	case BPFFS_LINK:
		return object->link->type;
	}
	return 0;
}

bool bpffs_object_frozen(const struct bpffs_info *info)
{
	return READ_ONCE(bpffs_bpf_map(info)->frozen);
}

bool bpffs_object_map_id(const struct bpffs_info *info, u32 n, u32 *id)
{
	struct bpf_prog_aux *aux = bpffs_object(info)->prog->aux;
	bool has;

	mutex_lock(&aux->used_maps_mutex);
	has = n < aux->used_map_cnt;
	if (has)
		*id = aux->used_maps[n]->id;
	mutex_unlock(&aux->used_maps_mutex);
	return has;
}

bool bpffs_object_has_link_info(const struct bpffs_info *info)
{
	return bpffs_object(info)->link->ops->fill_link_info;
}

static_assert(sizeof(struct bpf_link_info) <= BPFFS_LINK_INFO_MAX);

/* Zeroed, @bytes have no pointer that the operation could write to. */
int bpffs_object_link_info(const struct bpffs_info *info, void *bytes)
{
	const struct bpf_link *link = bpffs_object(info)->link;
	int err = link->ops->fill_link_info(link, bytes);

	return err == -ENOTSUPP ? -EOPNOTSUPP : err;
}

/* May the held descriptor read the map's elements? */
bool bpffs_object_readable(const struct bpffs_object *object)
{
	return !object->file || object->file->f_mode & FMODE_CAN_READ;
}

/* May it write them? A frozen map is written by nobody in user space. */
bool bpffs_object_writable(const struct bpffs_object *object)
{
	if (object->kind != BPFFS_MAP || !object->file || READ_ONCE(object->map->frozen))
		return false;
	return object->file->f_mode & FMODE_CAN_WRITE;
}

/**
 * bpffs_object_open - a new open file of the object
 * @object: the object
 * @flags: O_RDONLY or O_RDWR, O_CLOEXEC; a map's mode
 *
 * Never the held file of a map or program: what an open file does at its
 * release, it does to its own. A link has no state in its file.
 */
struct file *bpffs_object_open(const struct bpffs_object *object, int flags)
{
	struct file *file;

	switch (object->kind) {
	case BPFFS_MAP:
		file = anon_inode_getfile("bpf-map", object->f_op, object->map, flags);
		/* Last, as a module cannot undo it. */
		if (!IS_ERR(file))
			bpf_map_inc_with_uref(object->map);
		return file;
	case BPFFS_PROG:
		file = anon_inode_getfile("bpf-prog", object->f_op, object->prog, flags);
		if (!IS_ERR(file))
			bpf_prog_inc(object->prog);
		return file;
	case BPFFS_LINK:
		return get_file(object->file);
	}
	return ERR_PTR(-EINVAL);
}

int bpffs_object_describe(const struct bpffs_info *info, struct seq_file *seq)
{
	const struct bpffs_object *object = bpffs_object(info);
	struct file *file = object->file ? get_file(object->file) :
					   bpffs_object_open(object, O_RDONLY);

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (file->f_op->show_fdinfo)
		file->f_op->show_fdinfo(seq, file);
	fput(file);
	return 0;
}

/* --- Numbers that core has for itself --- */

#define SAME(type) static_assert((u32)BPFFS_LINK_##type == (u32)BPF_LINK_TYPE_##type)

SAME(RAW_TRACEPOINT);
SAME(TRACING);
SAME(CGROUP);
SAME(ITER);
SAME(NETNS);
SAME(XDP);
SAME(PERF_EVENT);
SAME(KPROBE_MULTI);
SAME(STRUCT_OPS);
SAME(NETFILTER);
SAME(TCX);
SAME(UPROBE_MULTI);
SAME(NETKIT);
SAME(SOCKMAP);
