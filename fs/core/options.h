/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the options of a mount mean, and why some are refused. Which words there are, and
 * which descriptor, user or group is meant, is the front's to find out.
 *
 * Functions return 0 or an errno. A refusal has its sentence in @why, which is else left as
 * it is: "" before, it is so after -ENOMEM.
 */
#ifndef _BPFFS_OPTIONS_H
#define _BPFFS_OPTIONS_H

#include "object.h"

/* Bytes of a sentence; a name in it has at most 255. */
#define BPFFS_WHY_MAX	384

/**
 * struct bpffs_layouts - the texts given by the mounter, NULL where none was
 * @key: of key=
 * @value: of value=
 * @inner_key: of inner_key=
 * @inner_value: of inner_value=
 * @percpu: was percpu= given?
 */
struct bpffs_layouts {
	const char *key;
	const char *value;
	const char *inner_key;
	const char *inner_value;
	bool percpu;
};

/*
 * Say how keys and values are shown. @info: of the object, with what the map is, and @sum
 * if percpu=sum was given; of a per-CPU map, @info->stored has its @cpus (the caller's,
 * also then) and as many @copies. @inner: the same of what the inner maps of a map of maps
 * have in common, else NULL; @sum becomes its.
 *
 * Sets the rest of the shapes, @no_keys, and @key and @value, to be given to
 * bpffs_layout_release() also after an error. Return: 0, -ENOMEM, -EINVAL, and what else
 * bpffs_layout_compile() returns.
 */
int bpffs_set_layouts(struct bpffs_info *info, struct bpffs_info *inner,
		      const struct bpffs_layouts *given, char why[BPFFS_WHY_MAX]);

/* A remount: is what is given what is set? Return: likewise. */
int bpffs_same_layouts(const struct bpffs_info *info, const struct bpffs_info *inner,
		       const struct bpffs_layouts *given, char why[BPFFS_WHY_MAX]);
/* -EINVAL, of an option that is not; the sentence is also that of a remount of FUSE. */
#define BPFFS_CANNOT_CHANGE	"%s: cannot change; only ro and rw can"
int bpffs_cannot_change(const char *option, char why[BPFFS_WHY_MAX]);

/* mode=. Return: 0, -EINVAL. */
int bpffs_set_mode(struct bpffs_info *info, u32 mode, char why[BPFFS_WHY_MAX]);

/*
 * id= and name=, NULL if not given: shown, so they can be given back, so they must be
 * true. Return: 0, -EINVAL.
 */
int bpffs_check_object(const struct bpffs_info *info, const u32 *id, const char *name,
		       char why[BPFFS_WHY_MAX]);

#endif
