// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * How many elements a map has, as the kernel counts them: bpf(2) does not tell, but a
 * BPF program may ask, from Linux 6.6 on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/btf.h>

#include "bpf-map.h"
#include "place.h"

/* With the NUL before it, so that it is not the end of another. */
static const char function[] = "\0bpf_map_sum_elem_count";

/* Types that are hashes, and so have a count. */
static bool is_counted(__u32 type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return true;
	default:
		return false;
	}
}

/* The kernel's own types have the first number; to be freed. */
static char *read_types(size_t *size)
{
	struct bpf_btf_info info = {};
	__u32 len = sizeof(info);
	int fd = bpf_btf_get_fd_by_id(1);
	char *btf = NULL;

	if (fd < 0)
		return NULL;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf)
		btf = malloc(info.btf_size);
	*size = info.btf_size;
	info = (struct bpf_btf_info) { .btf = (uintptr_t)btf, .btf_size = info.btf_size };
	len = sizeof(info);
	if (btf && bpf_obj_get_info_by_fd(fd, &info, &len)) {
		free(btf);
		btf = NULL;
	}
	close(fd);
	return btf;
}

/* Bytes behind a type, by its kind; -1: a kind that is newer than this. */
static int bytes_behind(const struct btf_type *type)
{
	__u32 vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * 3 * sizeof(__u32);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

/* libbpf would look at each type of the kernel's, which takes longer than a mount. */
static int find_function(const char *btf, size_t size)
{
	const struct btf_header *header = (const void *)btf;
	const char *strings, *name, *at, *end;
	const struct btf_type *type;
	int id, behind;

	if (size < sizeof(*header) || header->hdr_len > size ||
	    header->type_off + (__u64)header->type_len > size - header->hdr_len ||
	    header->str_off + (__u64)header->str_len > size - header->hdr_len)
		return 0;
	strings = btf + header->hdr_len + header->str_off;
	name = memmem(strings, header->str_len, function, sizeof(function));
	at = btf + header->hdr_len + header->type_off;
	end = at + header->type_len;
	for (id = 1; name && at + sizeof(*type) <= end; id++) {
		type = (const void *)at;
		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    type->name_off == name + 1 - strings)
			return id;
		behind = bytes_behind(type);
		if (behind < 0)
			return 0;
		at += sizeof(*type) + behind;
	}
	return 0;
}

static int load(const struct map *map, int id)
{
	/* Of each CPU at another moment, the sum can be below zero. */
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map->fd },
		{ },
		{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = id },
		{ .code = BPF_JMP | BPF_JSGE | BPF_K, .dst_reg = BPF_REG_0, .off = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return load_program("bpffs_count", insns, ARRAY_SIZE(insns));
}

int count_open(const struct map *map)
{
	char *btf;
	size_t size;
	int id = 0;

	if (!is_counted(map->type))
		return -1;
	btf = read_types(&size);
	if (btf)
		id = find_function(btf, size);
	free(btf);
	return id ? load(map, id) : -1;
}

bool map_count(const struct map *map, __u64 *count)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (map->count < 0 || bpf_prog_test_run_opts(map->count, &opts))
		return false;
	*count = opts.retval < map->max_entries ? opts.retval : map->max_entries;
	return true;
}
