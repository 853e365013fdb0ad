// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * The full names of maps and programs. The kernel keeps 15 characters of a name;
 * BTF has the rest: of a map the variables in the section ".maps" (or the data
 * section that it is), of a program its function.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "btf-load.h"
#include "btf-maps.h"
#include "internal.h"
#include "object.h"

/* What the kernel keeps of a name. */
#define KEPT	(BPF_OBJ_NAME_LEN - 1)

/* May @name be that of which the kernel has kept @kept? */
static bool begins_with(const char *name, const char *kept)
{
	return name && !strncmp(name, kept, KEPT);
}

static int add_name(struct libbpffs_full_name *full, const char *name)
{
	char **more;

	more = realloc(full->name, (full->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	full->name = more;
	more[full->count] = strdup(name);
	if (!more[full->count])
		return -ENOMEM;
	full->count++;
	return 0;
}

/*
 * Several variables can begin alike. What they say of key and value is what the
 * map has got, so that some of them may be others.
 */
static int add_variables(struct libbpffs_full_name *full, const struct btf *btf,
			 const struct bpf_map_info *info)
{
	struct libbpffs_definition def = {};
	int err = 0;

	while (!err && libbpffs_next_definition(btf, &def))
		if (begins_with(def.name, full->kept) &&
		    def.key_id == info->btf_key_type_id &&
		    def.value_id == info->btf_value_type_id)
			err = add_name(full, def.name);
	return err;
}

static int see_map(struct libbpffs_full_name *full, const struct bpf_map_info *info)
{
	const struct btf_type *value;
	struct btf *btf;
	const char *name;
	int err;

	err = libbpffs_load_btf(info->btf_id, &btf);
	if (err || !btf)
		return err;
	value = btf__type_by_id(btf, info->btf_value_type_id);
	if (value && btf_is_datasec(value)) {
		name = btf__name_by_offset(btf, value->name_off);
		if (begins_with(name, full->kept))
			err = add_name(full, name);
	} else {
		err = add_variables(full, btf, info);
	}
	btf__free(btf);
	return err;
}

/* The first function is the program itself. */
static int see_prog(struct libbpffs_full_name *full, int fd, __u32 btf_id)
{
	struct bpf_func_info func = {};
	struct bpf_prog_info info = {
		.nr_func_info = 1,
		.func_info_rec_size = sizeof(func),
		.func_info = (unsigned long)&func,
	};
	__u32 len = sizeof(info);
	const struct btf_type *t;
	const char *name = NULL;
	struct btf *btf;
	int err;

	if (!btf_id)
		return 0;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (err || !info.nr_func_info)
		return libbpffs_unless_none(err);
	err = libbpffs_load_btf(btf_id, &btf);
	if (err)
		return err;
	t = btf ? btf__type_by_id(btf, func.type_id) : NULL;
	if (t && btf_is_func(t))
		name = btf__name_by_offset(btf, t->name_off);
	if (begins_with(name, full->kept))
		err = add_name(full, name);
	btf__free(btf);
	return err;
}

static int see_names(struct libbpffs_full_name *full, int fd)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
	} info;
	enum libbpffs_kind kind = libbpffs_kind_of(fd);
	__u32 len = kind == LIBBPFFS_MAP ? sizeof(info.map) : sizeof(info.prog);

	memset(&info, 0, sizeof(info));
	if (kind != LIBBPFFS_MAP && kind != LIBBPFFS_PROG)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	memcpy(full->kept, kind == LIBBPFFS_MAP ? info.map.name : info.prog.name, KEPT);
	/* A shorter one has not been cut. */
	if (strlen(full->kept) < KEPT)
		return *full->kept ? add_name(full, full->kept) : 0;
	return kind == LIBBPFFS_MAP ? see_map(full, &info.map) :
				      see_prog(full, fd, info.prog.btf_id);
}

int libbpffs_full_name(struct libbpffs_full_name *full, int fd)
{
	int err;

	memset(full, 0, sizeof(*full));
	err = see_names(full, fd);
	if (err)
		libbpffs_full_name_free(full);
	return err;
}

void libbpffs_full_name_free(struct libbpffs_full_name *full)
{
	size_t i;

	for (i = 0; i < full->count; i++)
		free(full->name[i]);
	free(full->name);
	memset(full, 0, sizeof(*full));
}

enum libbpffs_named libbpffs_is_named(const struct libbpffs_full_name *full,
				      const char *name)
{
	size_t i;

	if (!strcmp(full->kept, name))
		return LIBBPFFS_NAMED;
	if (strlen(full->kept) < KEPT || !begins_with(name, full->kept))
		return LIBBPFFS_NOT_NAMED;
	for (i = 0; i < full->count; i++)
		if (!strcmp(full->name[i], name))
			return full->count == 1 ? LIBBPFFS_NAMED : LIBBPFFS_MAYBE_NAMED;
	return full->count ? LIBBPFFS_NOT_NAMED : LIBBPFFS_MAYBE_NAMED;
}
