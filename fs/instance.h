/* SPDX-License-Identifier: GPL-2.0-only */
/* What super.c, options.c and instance.c share: from a fs_context to a mounted object. */
#ifndef _BPFFS_INSTANCE_H
#define _BPFFS_INSTANCE_H

#include "bpffs.h"
#include "core/options.h"

struct fs_context;
struct fs_parameter_spec;

/* instance.c */
struct bpffs_info *bpffs_info_new(void);
int bpffs_info_set_layouts(struct fs_context *fc, struct bpffs_info *info,
			   const struct bpffs_layouts *given);

/* super.c */
int bpffs_fill_super(struct super_block *sb, struct fs_context *fc);

/* options.c */
extern const struct fs_parameter_spec bpffs_parameters[];
int bpffs_init_fs_context(struct fs_context *fc);

#endif
