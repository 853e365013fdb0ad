/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * bpffs: one mount, one BPF object. What user space sees of it beyond files.
 */
#ifndef _UAPI_LINUX_BPFFS_H
#define _UAPI_LINUX_BPFFS_H

/* f_type of statfs(2): "bpfs". Not BPF_FS_MAGIC, the pinning file system's. */
#define BPFFS_SUPER_MAGIC	0x62706673

#endif
