/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* Where bpf(2) has nothing to show, and where it only failed to. */
#ifndef LIBBPFFS_BTF_LOAD_H
#define LIBBPFFS_BTF_LOAD_H

#include <errno.h>

#include <bpf/btf.h>

/*
 * 0 instead of an errno of bpf(2), or of libbpf, that says that there is none, none for who
 * asks, or none that is known here.
 */
static inline int libbpffs_unless_none(int err)
{
	switch (err) {
	case -ENOENT:
	case -EPERM:
	case -EACCES:
	case -EINVAL:
	case -EOPNOTSUPP:
		return 0;
	default:
		return err;
	}
}

/* @id: or 0. @btf: NULL if there is none, as above. Return: 0 or a negative errno. */
static inline int libbpffs_load_btf(__u32 id, struct btf **btf)
{
	*btf = id ? btf__load_from_kernel_by_id(id) : NULL;
	return *btf || !id ? 0 : libbpffs_unless_none(-errno);
}

#endif
