/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
#ifndef LIBBPFFS_ARRAY_SIZE_H
#define LIBBPFFS_ARRAY_SIZE_H

/* As core/pure.h has it, for what includes nothing of core. */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#endif
