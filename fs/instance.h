/* SPDX-License-Identifier: GPL-2.0-only */
/* What super.c, options.c and instance.c share: from a fs_context to a mounted object. */
#ifndef _BPFFS_INSTANCE_H
#define _BPFFS_INSTANCE_H

#include "bpffs.h"

struct fs_context;
struct fs_parameter_spec;

/**
 * struct bpffs_layouts - the texts given by the mounter, NULL where none was
 * @key: of key=
 * @value: of value=
 * @inner_key: of inner_key=
 * @inner_value: of inner_value=
 * @percpu: was percpu= given?
 */
struct bpffs_layouts {
	char *key;
	char *value;
	char *inner_key;
	char *inner_value;
	bool percpu;
};

/* instance.c */
struct bpffs_info *bpffs_info_new(void);
const char *bpffs_layouts_option(const struct bpffs_layouts *given);
int bpffs_compile(struct fs_context *fc, const char *option,
		  struct bpffs_layout **layout, enum bpffs_use use,
		  const char *text, u32 size);
int bpffs_info_set_layouts(struct fs_context *fc, struct bpffs_info *info,
			   const struct bpffs_layouts *given);

/* super.c */
int bpffs_fill_super(struct super_block *sb, struct fs_context *fc);

/* options.c */
extern const struct fs_parameter_spec bpffs_parameters[];
int bpffs_init_fs_context(struct fs_context *fc);

#endif
