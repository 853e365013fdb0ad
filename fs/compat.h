/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels bpffs is built for, and nothing else: no
 * other file may ask which kernel it is.
 *
 * Versions do not tell, as distributions backport: Makefile looks into the headers
 * and says BPFFS_HAVE_... Only what no header shows goes by LINUX_VERSION_CODE.
 */
#ifndef _BPFFS_COMPAT_H
#define _BPFFS_COMPAT_H

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/mm.h>
#include <linux/version.h>

/* Types that came later than 6.1. Their numbers are UAPI: the same everywhere. */
#define BPF_MAP_TYPE_CGRP_STORAGE	32
#define BPF_MAP_TYPE_ARENA		33
#define BPF_MAP_TYPE_INSN_ARRAY		34
#define BPF_MAP_TYPE_RHASH		35
#define BPF_PROG_TYPE_NETFILTER		32
#define BPF_LINK_TYPE_NETFILTER		10
#define BPF_LINK_TYPE_TCX		11
#define BPF_LINK_TYPE_UPROBE_MULTI	12
#define BPF_LINK_TYPE_NETKIT		13
#define BPF_LINK_TYPE_SOCKMAP		14
#define BPF_LINK_TYPE_TRACING_MULTI	15

/*
 * Where bpf_map_get() and bpf_link_get_from_fd() are; harmless before they moved
 * there. This is what MODULE_IMPORT_NS becomes, whose argument was once a name
 * and then a string.
 */
#define BPFFS_IMPORT_NS MODULE_INFO(import_ns, "BPF_INTERNAL")

/* --- The VFS --- */

#ifndef BPFFS_HAVE_MNT_IDMAP
#define mnt_idmap user_namespace
#endif

#ifndef BPFFS_HAVE_SET_DEFAULT_D_OP
static inline void set_default_d_op(struct super_block *sb,
				    const struct dentry_operations *ops)
{
	sb->s_d_op = ops;
}
#endif

#ifndef BPFFS_HAVE_INODE_JUST_DROP
#define inode_just_drop generic_delete_inode
#endif

/* The parameters of ->d_revalidate(), of which only the last two are used. */
#ifdef BPFFS_HAVE_REVALIDATE_NAME
#define BPFFS_D_REVALIDATE(revalidate) \
	revalidate(struct inode *dir, const struct qstr *name, \
		   struct dentry *dentry, unsigned int flags)
#else
#define BPFFS_D_REVALIDATE(revalidate) \
	revalidate(struct dentry *dentry, unsigned int flags)
#endif

/* Who looks must be allowed to search @dir. */
static inline struct dentry *bpffs_lookup_unlocked(const char *name,
						   struct dentry *dir)
{
#ifdef BPFFS_HAVE_LOOKUP_ONE_LEN
	return lookup_one_len_unlocked(name, dir, strlen(name));
#else
	return lookup_one_unlocked(&nop_mnt_idmap, &QSTR(name), dir);
#endif
}

/* The caller of ->d_automount drops one reference, which was one too many. */
static inline void bpffs_automount_get(struct vfsmount *mnt)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	mntget(mnt);
#endif
}

static inline int bpffs_receive_fd(struct file *file, unsigned int flags)
{
#ifdef BPFFS_HAVE_RECEIVE_FD_UFD
	return receive_fd(file, NULL, flags);
#else
	return receive_fd(file, flags);
#endif
}

#ifndef BPFFS_HAVE_COPY_SPLICE_READ
#define copy_splice_read generic_file_splice_read
#endif

/* Where it is gone, who has no ->setlease has no leases. */
#ifdef BPFFS_HAVE_NOSETLEASE
#define BPFFS_NO_LEASES .setlease = simple_nosetlease,
#else
#define BPFFS_NO_LEASES
#endif

#ifdef BPFFS_HAVE_FILLATTR_MASK
#define bpffs_fillattr generic_fillattr
#else
static inline void bpffs_fillattr(struct mnt_idmap *idmap, u32 request_mask,
				  struct inode *inode, struct kstat *stat)
{
	generic_fillattr(idmap, inode, stat);
}
#endif

static inline void bpffs_inode_set_times(struct inode *inode, struct timespec64 ts)
{
#ifdef BPFFS_HAVE_INODE_SET_TIMES
	inode_set_atime_to_ts(inode, ts);
	inode_set_mtime_to_ts(inode, ts);
	inode_set_ctime_to_ts(inode, ts);
#else
	inode->i_atime = ts;
	inode->i_mtime = ts;
	inode->i_ctime = ts;
#endif
}

/* --- Memory --- */

#ifdef BPFFS_HAVE_VM_FLAGS_MOD
#define bpffs_vm_flags vm_flags_mod
#else
static inline void bpffs_vm_flags(struct vm_area_struct *vma, unsigned long set,
				  unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

static inline unsigned long
bpffs_default_unmapped_area(struct file *file, unsigned long addr,
			    unsigned long len, unsigned long pgoff,
			    unsigned long flags)
{
#ifndef BPFFS_HAVE_UNMAPPED_AREA
	return current->mm->get_unmapped_area(file, addr, len, pgoff, flags);
#elif defined(BPFFS_HAVE_UNMAPPED_AREA_MM)
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
#else
	return mm_get_unmapped_area(file, addr, len, pgoff, flags);
#endif
}

/* --- Maps --- */

static inline int bpffs_op_update_batch(struct bpf_map *map,
					const union bpf_attr *attr,
					union bpf_attr __user *uattr)
{
#ifdef BPFFS_HAVE_UPDATE_BATCH_FILE
	return map->ops->map_update_batch(map, NULL, attr, uattr);
#else
	return map->ops->map_update_batch(map, attr, uattr);
#endif
}

/* The counts of each CPU; NULL: the kernel does not count this map's elements. */
static inline const s64 __percpu *bpffs_elem_count(const struct bpf_map *map)
{
#ifdef BPFFS_HAVE_ELEM_COUNT
	return map->elem_count;
#else
	return NULL;
#endif
}

/*
 * Special fields of a value (spin locks, timers, kptrs, ...): the @i-th one's
 * place. False: there are no more.
 */
static inline bool bpffs_special_field(const struct bpf_map *map, u32 i,
				       u32 *offset, u32 *size)
{
#ifdef BPFFS_HAVE_BTF_RECORD
	if (IS_ERR_OR_NULL(map->record) || i >= map->record->cnt)
		return false;
	*offset = map->record->fields[i].offset;
	*size = btf_field_type_size(map->record->fields[i].type);
#else
	if (!map->off_arr || i >= map->off_arr->cnt)
		return false;
	*offset = map->off_arr->field_off[i];
	*size = map->off_arr->field_sz[i];
#endif
	return true;
}

#ifdef BPFFS_HAVE_BTF_RECORD

#ifndef BPFFS_HAVE_RB_NODE
#define BPF_RB_NODE 0
#endif
#ifndef BPFFS_HAVE_RES_SPIN_LOCK
#define BPF_RES_SPIN_LOCK 0
#endif

static inline bool bpffs_has_fields(const struct bpf_map *map, u32 types)
{
	return !IS_ERR_OR_NULL(map->record) && map->record->field_mask & types;
}
#endif

/* Would an update of the whole value destroy what a special field owns? */
static inline bool bpffs_value_owns(const struct bpf_map *map)
{
#ifdef BPFFS_HAVE_BTF_RECORD
	return bpffs_has_fields(map, ~(u32)(BPF_SPIN_LOCK | BPF_RES_SPIN_LOCK));
#else
	return map->timer_off >= 0 || !IS_ERR_OR_NULL(map->kptr_off_tab);
#endif
}

/* Has a value that the kernel gives its first state addresses in it? */
static inline bool bpffs_value_links(const struct bpf_map *map)
{
#ifdef BPFFS_HAVE_BTF_RECORD
	return bpffs_has_fields(map, BPF_LIST_HEAD | BPF_LIST_NODE | BPF_RB_NODE);
#else
	return false;
#endif
}

#endif
