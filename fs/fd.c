// SPDX-License-Identifier: GPL-2.0-only
/*
 * .bpf/fd: the object back as a descriptor.
 *
 * A descriptor is full power over the object, whatever its mode: a read-only
 * one of a map can be pinned and got again, writable. So the file is root's,
 * and a read-only mount hands nothing out, nor does an idmapped one.
 */
#include <linux/file.h>
#include <linux/mount.h>
#include <uapi/linux/bpffs.h>

#include "bpffs.h"

/**
 * bpffs_may_hand_out - may the object leave a mount as a whole?
 * @path: the file by which it would, in the mount of whoever asks
 *
 * Not only of the superblock: a bind mount can be read-only on its own. Nor by an
 * idmapped mount, where somebody else is root, the one of a container.
 *
 * Return: 0, -EPERM, -EROFS.
 */
int bpffs_may_hand_out(const struct path *path)
{
	if (is_idmapped_mnt(path->mnt))
		return -EPERM;
	return __mnt_is_readonly(path->mnt) ? -EROFS : 0;
}

/* May @file hand out a descriptor of mode @flags? */
static int may_get(const struct file *file, const struct bpffs_object *object,
		   u32 flags)
{
	unsigned int mode = flags & O_ACCMODE;
	int err;

	if (flags & ~(O_ACCMODE | O_CLOEXEC) || (mode != O_RDONLY && mode != O_RDWR))
		return -EINVAL;
	err = bpffs_may_hand_out(&file->f_path);
	if (err)
		return err;
	if (object->kind != BPFFS_MAP)
		return mode == O_RDWR && file->f_mode & FMODE_WRITE ? 0 : -EACCES;
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (mode == O_RDONLY)
		return 0;
	if (!(file->f_mode & FMODE_WRITE) || !(object->file->f_mode & FMODE_CAN_WRITE))
		return -EACCES;
	return 0;
}

static long fd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct bpffs_object *object = bpffs_object(bpffs_info(file_inode(file)));
	struct file *new;
	u32 flags;
	int err;

	if (cmd != BPFFS_IOC_GET_FD)
		return -ENOTTY;
	if (get_user(flags, (u32 __user *)arg))
		return -EFAULT;
	err = may_get(file, object, flags);
	if (err)
		return err;
	new = bpffs_object_open(object, flags & O_ACCMODE);
	if (IS_ERR(new))
		return PTR_ERR(new);
	/* With the LSM's view of the receiver. */
	err = bpffs_receive_fd(new, flags & O_CLOEXEC);
	fput(new);
	return err;
}

const struct file_operations bpffs_fd_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= fd_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};
