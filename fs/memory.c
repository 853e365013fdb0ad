// SPDX-License-Identifier: GPL-2.0-only
/* .bpf/memory: a map that can be mapped, by path; a ring buffer can be polled. */
#include <linux/mm.h>
#include <linux/poll.h>

#include "bpffs.h"

/*
 * The map's own callbacks look for the map in the file of the mapping, which so can
 * be this one. As with any other file, a mapping keeps the mount busy, and one that
 * can be written keeps it from becoming read-only.
 */
static int memory_open(struct inode *inode, struct file *file)
{
	file->private_data = bpffs_bpf_map(bpffs_info(inode));
	return 0;
}

/*
 * Forward to the map's own operation.
 *
 * A shared mapping of a file that was opened only for reading has lost VM_SHARED
 * on its way here, which the map insists on. It gets it for the call, and must
 * not have VM_MAYWRITE after it.
 */
static int memory_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct bpffs_info *info = bpffs_info(file_inode(file));
	struct file *held = bpffs_object(info)->file;
	bool read_only = !(vma->vm_flags & VM_SHARED);
	int err;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (!held->f_op->mmap)
		return -EOPNOTSUPP;
	/* Which for those who only read is not to say. */
	if (bpffs_map_can(info, BPFFS_KEEPS_PLACE) && !(file->f_mode & FMODE_WRITE))
		return -EACCES;
	if (read_only)
		bpffs_vm_flags(vma, VM_SHARED, 0);
	err = held->f_op->mmap(file, vma);
	if (read_only)
		bpffs_vm_flags(vma, 0, VM_SHARED | VM_MAYWRITE);
	return err == -ENOTSUPP ? -EOPNOTSUPP : err;
}

/* An arena chooses its place. */
static unsigned long memory_get_unmapped_area(struct file *file, unsigned long addr,
					      unsigned long len, unsigned long pgoff,
					      unsigned long flags)
{
	struct file *held = bpffs_object(bpffs_info(file_inode(file)))->file;

	if (held->f_op->get_unmapped_area)
		return held->f_op->get_unmapped_area(held, addr, len, pgoff, flags);
	return bpffs_default_unmapped_area(held, addr, len, pgoff, flags);
}

static __poll_t memory_poll(struct file *file, struct poll_table_struct *wait)
{
	return vfs_poll(bpffs_object(bpffs_info(file_inode(file)))->file, wait);
}

const struct file_operations bpffs_memory_fops = {
	.owner			= THIS_MODULE,
	.open			= memory_open,
	.mmap			= memory_mmap,
	.get_unmapped_area	= memory_get_unmapped_area,
	.poll			= memory_poll,
	.llseek			= noop_llseek,
};
