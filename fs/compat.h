/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels bpffs is built for, and nothing else:
 * no other file may look at LINUX_VERSION_CODE.
 */
#ifndef _BPFFS_COMPAT_H
#define _BPFFS_COMPAT_H

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/sched/mm.h>
#include <linux/version.h>

/* The words of types that came later; the numbers are UAPI. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define BPF_MAP_TYPE_CGRP_STORAGE	32
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define BPF_PROG_TYPE_NETFILTER		32
#define BPF_LINK_TYPE_NETFILTER		10
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define BPF_LINK_TYPE_TCX		11
#define BPF_LINK_TYPE_UPROBE_MULTI	12
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define BPF_LINK_TYPE_NETKIT		13
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define BPF_MAP_TYPE_ARENA		33
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define BPF_LINK_TYPE_SOCKMAP		14
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define mnt_idmap user_namespace
#endif

/* Backported to 6.1 by some, hence the names of our own. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void bpffs_vm_flags(struct vm_area_struct *vma, unsigned long set,
				  unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#else
static inline void bpffs_vm_flags(struct vm_area_struct *vma, vm_flags_t set,
				  vm_flags_t clear)
{
	vm_flags_mod(vma, set, clear);
}
#endif

/* The caller of ->d_automount drops one reference, which was one too many. */
static inline void bpffs_automount_get(struct vfsmount *mnt)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	mntget(mnt);
#endif
}

static inline int bpffs_receive_fd(struct file *file, unsigned int flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return receive_fd(file, flags);
#else
	return receive_fd(file, NULL, flags);
#endif
}

static inline unsigned long
bpffs_default_unmapped_area(struct file *file, unsigned long addr,
			    unsigned long len, unsigned long pgoff,
			    unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return current->mm->get_unmapped_area(file, addr, len, pgoff, flags);
#else
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define copy_splice_read generic_file_splice_read
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline void bpffs_fillattr(struct mnt_idmap *idmap, u32 request_mask,
				  struct inode *inode, struct kstat *stat)
{
	generic_fillattr(idmap, inode, stat);
}
#else
#define bpffs_fillattr generic_fillattr
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline void bpffs_inode_set_times(struct inode *inode,
					 struct timespec64 ts)
{
	inode->i_atime = ts;
	inode->i_mtime = ts;
	inode->i_ctime = ts;
}
#else
static inline void bpffs_inode_set_times(struct inode *inode,
					 struct timespec64 ts)
{
	inode_set_atime_to_ts(inode, ts);
	inode_set_mtime_to_ts(inode, ts);
	inode_set_ctime_to_ts(inode, ts);
}
#endif

static inline int bpffs_op_update_batch(struct bpf_map *map,
					const union bpf_attr *attr,
					union bpf_attr __user *uattr)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	return map->ops->map_update_batch(map, attr, uattr);
#else
	return map->ops->map_update_batch(map, NULL, attr, uattr);
#endif
}

/* bpf_map_get() and bpf_link_get_from_fd() moved there. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define BPFFS_IMPORT_NS MODULE_IMPORT_NS("BPF_INTERNAL")
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define BPFFS_IMPORT_NS MODULE_IMPORT_NS(BPF_INTERNAL)
#else
#define BPFFS_IMPORT_NS
#endif

/*
 * Special fields of a value (spin locks, timers, kptrs, ...): the @i-th one's
 * place. False: there are no more.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline bool bpffs_special_field(const struct bpf_map *map, u32 i,
				       u32 *offset, u32 *size)
{
	if (!map->off_arr || i >= map->off_arr->cnt)
		return false;
	*offset = map->off_arr->field_off[i];
	*size = map->off_arr->field_sz[i];
	return true;
}

/* Would an update of the whole value destroy what a special field owns? */
static inline bool bpffs_value_owns(const struct bpf_map *map)
{
	return map->timer_off >= 0 || !IS_ERR_OR_NULL(map->kptr_off_tab);
}

/* Has a value that the kernel gives its first state addresses in it? */
static inline bool bpffs_value_links(const struct bpf_map *map)
{
	return false;
}
#else
static inline bool bpffs_value_links(const struct bpf_map *map)
{
	return !IS_ERR_OR_NULL(map->record) &&
	       map->record->field_mask & (BPF_LIST_HEAD | BPF_LIST_NODE | BPF_RB_NODE);
}

static inline bool bpffs_special_field(const struct bpf_map *map, u32 i,
				       u32 *offset, u32 *size)
{
	if (IS_ERR_OR_NULL(map->record) || i >= map->record->cnt)
		return false;
	*offset = map->record->fields[i].offset;
	*size = map->record->fields[i].size;
	return true;
}

static inline bool bpffs_value_owns(const struct bpf_map *map)
{
	return !IS_ERR_OR_NULL(map->record) &&
	       map->record->field_mask & ~(u32)BPF_SPIN_LOCK;
}
#endif

#endif
