/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* How a BPF source defines its maps: the variables of the section ".maps". */
#ifndef LIBBPFFS_BTF_MAPS_H
#define LIBBPFFS_BTF_MAPS_H

#include <stdbool.h>
#include <linux/types.h>

struct btf;

/**
 * struct libbpffs_definition - a map, as BTF has it; what it does not say is 0
 * @name: of the variable; it belongs to the BTF
 * @type: BPF_MAP_TYPE_*
 * @key_id: type of the key
 * @value_id: type of the value
 * @inner_id: of a map of maps, the struct that defines those inside
 * @section: where the variables are; 0 as long as it was not looked for
 * @place: of the variable there; both are for libbpffs_next_definition()
 */
struct libbpffs_definition {
	const char *name;
	__u32 type;
	__u32 key_id;
	__u32 value_id;
	__u32 inner_id;
	__s32 section;
	__u32 place;
};

/* The next one; all zero at first. False: there is none. */
bool libbpffs_next_definition(const struct btf *btf, struct libbpffs_definition *def);

/* Of the struct @id; only the name is not there. */
void libbpffs_read_definition(const struct btf *btf, __u32 id,
			      struct libbpffs_definition *def);

#endif
