// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* How a BPF source defines its maps: the variables of the section ".maps". */
#include <string.h>

#include <bpf/btf.h>

#include "btf-maps.h"

/* Typedefs and qualifiers around a type. */
#define CHAIN_MAX	64

static const struct btf_type *skip(const struct btf *btf, __u32 *id)
{
	const struct btf_type *t = btf__type_by_id(btf, *id);
	int i;

	for (i = 0; t && i < CHAIN_MAX && (btf_is_mod(t) || btf_is_typedef(t)); i++) {
		*id = t->type;
		t = btf__type_by_id(btf, *id);
	}
	return t;
}

/* __type(key, T) is T *key. */
static __u32 pointed_to(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = skip(btf, &id);

	return t && btf_is_ptr(t) ? t->type : 0;
}

/* __uint(type, N) is int (*type)[N]. */
static __u32 number_of(const struct btf *btf, __u32 id)
{
	const struct btf_type *t;

	id = pointed_to(btf, id);
	t = skip(btf, &id);
	return t && btf_is_array(t) ? btf_array(t)->nelems : 0;
}

/* __array(values, T) is T *values[]. */
static __u32 element_of(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = skip(btf, &id);

	return t && btf_is_array(t) ? pointed_to(btf, btf_array(t)->type) : 0;
}

void libbpffs_read_definition(const struct btf *btf, __u32 id,
			      struct libbpffs_definition *def)
{
	const struct btf_type *t = skip(btf, &id);
	__u32 i;

	def->type = 0;
	def->key_id = 0;
	def->value_id = 0;
	def->inner_id = 0;
	for (i = 0; t && btf_is_struct(t) && i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = btf__name_by_offset(btf, m->name_off) ?: "";

		if (!strcmp(name, "type"))
			def->type = number_of(btf, m->type);
		else if (!strcmp(name, "key"))
			def->key_id = pointed_to(btf, m->type);
		else if (!strcmp(name, "value"))
			def->value_id = pointed_to(btf, m->type);
		else if (!strcmp(name, "values"))
			def->inner_id = element_of(btf, m->type);
	}
}

bool libbpffs_next_definition(const struct btf *btf, struct libbpffs_definition *def)
{
	const struct btf_type *t;

	if (!def->section)
		def->section = btf__find_by_name_kind(btf, ".maps", BTF_KIND_DATASEC);
	t = def->section > 0 ? btf__type_by_id(btf, def->section) : NULL;
	while (t && def->place < btf_vlen(t)) {
		__u32 id = btf_var_secinfos(t)[def->place++].type;
		const struct btf_type *var = btf__type_by_id(btf, id);

		if (!var || !btf_is_var(var))
			continue;
		def->name = btf__name_by_offset(btf, var->name_off) ?: "";
		libbpffs_read_definition(btf, var->type, def);
		return true;
	}
	return false;
}
