/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the module share.
 *
 * mount options --> options.c --> object.c  bind a map, a program or a link
 *               --> instance.c              what is known of it, and of inner maps
 *               --> super.c                 superblock and inodes
 * path name     --> root.c                  a name becomes a dentry
 * getdents      --> list.c  --> keys.c      the names, from the keys at a moment
 *                           --> batch.c     the map's own batch operations
 *                           --> scratch.c   memory for these
 * element file  --> element.c               its inode; what it is to the VFS
 * key, value    --> map.c                   the one place that calls map->ops
 *               --> in-place.c              fields stored where they lie
 * .bpf/table    --> table.c                 its file, as the VFS has it
 * .bpf/raw      --> raw.c                   its file, as the VFS has it
 * .bpf/memory   --> memory.c                mmap and poll
 * .bpf/fd       --> fd.c                    the object back as a descriptor
 * .bpf/pin      --> pin.c                   a real pin of it, to be walked into
 * map of maps   --> inner.c                 inner maps as directories
 * queue, stack  --> queue.c                 its directory, and files as the VFS has them
 * .bpf          --> attributes.c            its directory, and files as the VFS has them
 *
 * core/ has no VFS and no BPF in it, and is compiled in user space, too:
 *
 * layout        --> layout.c, leaf.c        its text, and where a leaf lies
 * key, name     --> name.c, short-name.c    both ways; of a name too long for a file
 *               --> key.c                   which may be made; inode numbers
 *               --> find-short.c            the key of a short name
 * value, text   --> value-to-text.c, text-to-value.c
 *                   --> leaf-text.c         one leaf, both ways
 * mount options --> options.c               layouts, shapes, why they are refused
 * element       --> element.c               what is read, when a text changes what
 *               --> store.c                 fields or the whole, and how
 *               --> sum.c                   the copies of a per-CPU value as one
 *                   --> map.h               what it asks of a map: map.c, in-place.c, ...
 * .bpf/table    --> table.c                 a line an element, and back
 *                   --> count.c             how many elements, and how many evicted
 * .bpf/raw      --> raw.c                   the map as a stream of bytes, and back
 * queue, stack  --> queue.c                 peek, push and pop
 * type of map   --> types.c                 what it can do
 * any type      --> type-words.c            its word
 * .bpf          --> attributes.c            what the object is, a file each
 *               --> link.c                  what a link is attached to
 *                   --> object.h            what it asks of an object: object.c
 * .bpf/error    --> refuse.c                what was refused
 */
#ifndef _BPFFS_H
#define _BPFFS_H

#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "compat.h"
#include "core/element.h"
#include "core/key.h"
#include "core/object.h"

/*
 * i_size of files whose length nobody knows before they are read: what the VFS copies
 * within a mount ends there. stat does not show it, and what FIONREAD makes of it,
 * an int, is not negative.
 */
#define BPFFS_SIZE_UNKNOWN	((loff_t)INT_MAX << 32 | INT_MAX)

/**
 * struct bpffs_object - the BPF object of a mount, or an inner map
 * @file: the mounter's open file. Holding it, not just the object, keeps what
 *	an open descriptor keeps: the object, its user reference, its mode.
 *	NULL for an inner map, which is only read
 * @f_op: of open files of such objects
 * @kind: which of the following is valid; 0 for none
 * @counted: an inner map, with a reference on @map
 * @map: for BPFFS_MAP
 * @prog: for BPFFS_PROG
 * @link: for BPFFS_LINK
 */
struct bpffs_object {
	struct file *file;
	const struct file_operations *f_op;
	enum bpffs_kind kind;
	bool counted;
	union {
		struct bpf_map *map;
		struct bpf_prog *prog;
		struct bpf_link *link;
	};
};

struct bpffs_access;
struct bpffs_scratch;

/**
 * struct bpffs_instance - a mounted object, or an inner map
 * @info: what is known of it
 * @users: a superblock (before it, a fs_context), inodes, an outer map's
 * @object: bound by fd=
 * @access: how elements of such a map are found
 * @born: the constant ctime of every file
 * @uid: owner of every file
 * @gid: its group
 * @borrows: an inner map's, whose layouts are its outer map's @inner
 * @inner: of a map of maps: what its inner maps have in common
 * @pin: of the file system that holds a pin of the object; NULL without -o pin
 *
 * Constant after fill_super but for @users, and what core changes of @info.
 */
struct bpffs_instance {
	struct bpffs_info info;
	refcount_t users;
	struct bpffs_object object;
	const struct bpffs_access *access;
	struct timespec64 born;
	kuid_t uid;
	kgid_t gid;
	bool borrows;
	struct bpffs_info *inner;
	struct vfsmount *pin;
};

static inline struct bpffs_instance *bpffs_instance(const struct bpffs_info *info)
{
	return container_of(info, struct bpffs_instance, info);
}

static inline struct bpffs_object *bpffs_object(const struct bpffs_info *info)
{
	return &bpffs_instance(info)->object;
}

static inline struct bpf_map *bpffs_bpf_map(const struct bpffs_info *info)
{
	return bpffs_instance(info)->object.map;
}

/* Bytes of a key in an inode, or on the stack; longer ones are allocated. */
#define BPFFS_KEY_ROOM		131

struct bpffs_open_file;

/**
 * struct bpffs_element - what the inode of an element's file has beside
 * @lock: guards @open and @opens; never held while user memory is used
 * @open: the only open file, NULL while there is none or (by way of /proc or a
 *	bind mount of the file) several
 * @opens: how many there are
 * @key: of key_size bytes, in @room if it is not too long for that
 */
struct bpffs_element {
	struct mutex lock; /* see above */
	struct bpffs_open_file *open;
	unsigned int opens;
	u8 *key;
	u8 room[BPFFS_KEY_ROOM];
};

/**
 * struct bpffs_inode - an inode and what it is part of
 * @vfs: the inode
 * @info: holds a reference until eviction
 * @element: of the file of an element
 */
struct bpffs_inode {
	struct inode vfs;
	struct bpffs_info *info;
	struct bpffs_element element;
};

static inline struct bpffs_inode *bpffs_inode(const struct inode *inode)
{
	return container_of(inode, struct bpffs_inode, vfs);
}

static inline struct bpffs_info *bpffs_info(const struct inode *inode)
{
	return bpffs_inode(inode)->info;
}

static inline struct bpffs_element *bpffs_element(const struct inode *inode)
{
	return &bpffs_inode(inode)->element;
}

static inline struct bpffs_info *bpffs_sb_info(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/**
 * struct bpffs_key - room for a key on the stack
 * @bytes: where it is: in @room, or allocated
 */
struct bpffs_key {
	u8 *bytes;
	u8 room[BPFFS_KEY_ROOM];
};

/* Return: 0, or -ENOMEM; then there is nothing to end. */
static inline int bpffs_key_begin(const struct bpffs_info *info, struct bpffs_key *key)
{
	key->bytes = key->room;
	/* Without a layout no name has a key. */
	if (info->key && bpffs_layout_size(info->key) > sizeof(key->room))
		key->bytes = kmalloc(bpffs_layout_size(info->key), GFP_KERNEL_ACCOUNT);
	return key->bytes ? 0 : -ENOMEM;
}

static inline void bpffs_key_end(struct bpffs_key *key)
{
	if (key->bytes != key->room)
		kfree(key->bytes);
}

/* instance.c */
struct bpffs_info *bpffs_info_get(struct bpffs_info *info);
void bpffs_info_put(struct bpffs_info *info);
struct bpffs_info *bpffs_info_inner(const struct bpffs_info *outer,
				    struct bpf_map *map, u64 salt);

/* super.c */
struct inode *bpffs_new_inode(struct super_block *sb, struct bpffs_info *info,
			      u64 ino, umode_t mode);

/* scratch.c */
int bpffs_scratch_init(void);
void bpffs_scratch_exit(void);

/* object.c, beside core/object.h */
int bpffs_object_bind(struct bpffs_object *object, struct file *file, int fd);
void bpffs_object_release(struct bpffs_object *object);
bool bpffs_object_readable(const struct bpffs_object *object);
bool bpffs_object_writable(const struct bpffs_object *object);
struct file *bpffs_object_open(const struct bpffs_object *object, int flags);

/* map.c, beside core/map.h */
const struct bpffs_access *bpffs_map_access(const struct bpf_map *map);
int bpffs_map_edit(const struct bpffs_info *info, const void *key, u32 copy,
		   void (*edit)(void *value, void *arg), void *arg);
struct bpf_map *bpffs_map_inner(const struct bpffs_info *info, const void *key);
bool bpffs_map_is_inner(const struct bpffs_info *info, const void *key,
			const struct bpf_map *inner);
u64 bpffs_map_memory_size(const struct bpffs_info *info);

/* root.c */
extern const struct dentry_operations bpffs_dentry_ops;
struct inode *bpffs_map_root(struct super_block *sb, struct bpffs_info *info,
			     u64 ino);
bool bpffs_is_dot_bpf(const struct qstr *name);

/* inner.c */
struct inode *bpffs_inner_inode(struct super_block *sb, struct bpffs_info *outer,
				const void *key);
bool bpffs_inner_is_current(const struct inode *inode, struct bpffs_info *outer,
			    const struct qstr *name);

/* queue.c */
extern const struct inode_operations bpffs_queue_iops;
extern const struct file_operations bpffs_queue_dir_fops;

/* pin.c */
struct vfsmount *bpffs_pin_bind(const struct file *file,
				const struct bpffs_object *object);
void bpffs_pin_watch(struct dentry *dentry);
int bpffs_pin_manage(const struct path *path, bool rcu_walk);
struct vfsmount *bpffs_pin_automount(struct path *path);

/* raw.c */
extern const struct file_operations bpffs_raw_fops;

/* memory.c */
extern const struct file_operations bpffs_memory_fops;

/* fd.c */
extern const struct file_operations bpffs_fd_fops;
int bpffs_may_hand_out(const struct path *path);

/* list.c */
extern const struct file_operations bpffs_list_fops;

/*
 * For ->release: is it a process that is killed which gives the file up? What it was
 * about to write it has not finished; a process that exits has.
 */
static inline bool bpffs_closed_by_kill(void)
{
	return current->flags & PF_EXITING && current->exit_code & 0x7f;
}

/* element.c */
static inline const void *bpffs_element_key(const struct inode *inode)
{
	return bpffs_element(inode)->key;
}

bool bpffs_element_is_open(const struct inode *inode);
struct inode *bpffs_element_inode(struct super_block *sb, struct bpffs_info *info,
				  const void *key);
bool bpffs_is_element(const struct inode *inode);
int bpffs_element_open_new(struct inode *inode, struct file *file);

/* table.c */
extern const struct file_operations bpffs_table_fops;

/* attributes.c */
extern const struct inode_operations bpffs_fixed_iops;
int bpffs_fixed_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr);
struct inode *bpffs_attr_root(struct super_block *sb, struct bpffs_info *info,
			      u64 ino);

#endif
