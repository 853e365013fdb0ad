/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * bpffs: one mount, one BPF object. What user space sees of it beyond files.
 */
#ifndef _UAPI_LINUX_BPFFS_H
#define _UAPI_LINUX_BPFFS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* f_type of statfs(2): "bpfs". Not BPF_FS_MAGIC, the pinning file system's. */
#define BPFFS_SUPER_MAGIC	0x62706673

/*
 * On an open .bpf/fd (fd in the root, if the object is a program or a link): a
 * new descriptor of the object. The argument points to O_RDONLY (of maps only)
 * or O_RDWR, which needs a file open for writing, and maybe O_CLOEXEC. Returns
 * the descriptor; EROFS where the mount is read-only, EPERM where it is idmapped,
 * EACCES, EINVAL.
 */
#define BPFFS_IOC_GET_FD	_IOW(0xbf, 1, __u32)

/*
 * .bpf/raw: a header, blocks, a trailer. Numbers are in the byte order of the
 * machine, which bpffs_raw_header.order tells.
 */
#define BPFFS_RAW_MAGIC		"bpffsraw"
#define BPFFS_RAW_VERSION	1
#define BPFFS_RAW_ORDER		0x01020304

struct bpffs_raw_header {
	__u8 magic[8];		/* BPFFS_RAW_MAGIC without its NUL */
	__u32 version;
	__u32 order;
	__u32 map_type;
	__u32 key_size;
	__u32 value_size;	/* of one copy */
	__u32 copies;		/* possible CPUs of a per-CPU map, else 1 */
	__u32 reserved[8];	/* zero */
};

#define BPFFS_RAW_BLOCK		0x4b4c4250	/* "PBLK" in little endian */
#define BPFFS_RAW_END		0x444e4550	/* "PEND" */

/*
 * Of a block, @capacity keys follow, then zeros up to a multiple of 8 bytes, then
 * @count values, again up to a multiple of 8; keys from @count on are zero. A
 * value has value_size bytes, or, of a per-CPU map, each copy has value_size
 * bytes rounded up to 8. Of the trailer, @count is that of all elements.
 */
struct bpffs_raw_block {
	__u32 magic;
	__u32 capacity;		/* at most 65536; zero in the trailer */
	__u64 count;
};

#endif
