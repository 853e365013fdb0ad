// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the kernel's own in the caller's address space, for batch operations.
 *
 * They read and write only user memory, so pages that the kernel owns are mapped
 * there while a system call needs them. Nobody inherits them by fork(), no core
 * dump has them, nothing has to be faulted in, so no userfaultfd or FUSE can make
 * it wait, and the kernel looks at the pages directly.
 *
 * The process may still unmap them, or map something else there. A batch that reads
 * the map then fails. One that writes must not take another key from there, so the
 * process cannot write to those pages, nor change its mappings meanwhile.
 */
#include <linux/anon_inodes.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "batch.h"

#define SCRATCH_MAX	SZ_1G

/**
 * struct memory - the pages, which live as long as a mapping of them
 * @pages: @count of them
 * @count: of @pages
 * @base: where the kernel sees them
 * @read_only: the process may write to the first page only
 * @work: unmaps what could not be unmapped: its process was killed
 * @file: of the mapping, for @work
 * @mm: likewise
 * @addr: likewise
 * @bytes: likewise
 */
struct memory {
	struct page **pages;
	unsigned long count;
	void *base;
	bool read_only;
	struct work_struct work;
	struct file *file;
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long bytes;
};

static struct workqueue_struct *unmap_queue;

static void memory_free(struct memory *memory)
{
	vunmap(memory->base);
	while (memory->count)
		__free_page(memory->pages[--memory->count]);
	kvfree(memory->pages);
	kfree(memory);
}

static int memory_release(struct inode *inode, struct file *file)
{
	memory_free(file->private_data);
	return 0;
}

/* What is mapped for reading stays so: see above. */
static int memory_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct memory *memory = file->private_data;

	/* The process can map a page of its mapping anew: remap_file_pages(). */
	if (memory->read_only && vma->vm_flags & VM_WRITE &&
	    (vma->vm_pgoff || vma->vm_end - vma->vm_start > PAGE_SIZE))
		return -EACCES;
	bpffs_vm_flags(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP,
		       VM_MAYEXEC | (vma->vm_flags & VM_WRITE ? 0 : VM_MAYWRITE));
	return vm_map_pages(vma, memory->pages, memory->count);
}

static const struct file_operations memory_fops = {
	.owner		= THIS_MODULE,
	.release	= memory_release,
	.mmap		= memory_mmap,
};

static void unmap_work(struct work_struct *work);

static struct file *memory_new(unsigned long bytes)
{
	unsigned long count = bytes >> PAGE_SHIFT;
	struct memory *memory;
	struct file *file;

	memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);
	if (!memory)
		return ERR_PTR(-ENOMEM);
	INIT_WORK(&memory->work, unmap_work);
	memory->pages = kvmalloc_array(count, sizeof(*memory->pages),
				       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	while (memory->pages && memory->count < count) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);

		if (!page || !bpffs_go_on()) {
			if (page)
				__free_page(page);
			break;
		}
		memory->pages[memory->count++] = page;
	}
	if (memory->count == count)
		memory->base = vmap(memory->pages, count, VM_MAP, PAGE_KERNEL);
	file = memory->base ? anon_inode_getfile("[bpffs]", &memory_fops, memory, O_RDWR) :
			      ERR_PTR(-ENOMEM);
	if (IS_ERR(file))
		memory_free(memory);
	return file;
}

/* Is there what has been mapped, from page @page of @file on? Under mmap_lock. */
static bool is_mapped(struct mm_struct *mm, unsigned long addr, unsigned long bytes,
		      const struct file *file, unsigned long page)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && vma->vm_start <= addr && addr + bytes <= vma->vm_end &&
	       vma->vm_file == file &&
	       vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT) == page;
}

/*
 * A killed task does not get the lock that unmapping needs; other processes may share
 * its memory and live on.
 */
static void unmap_work(struct work_struct *work)
{
	struct memory *memory = container_of(work, struct memory, work);
	struct mm_struct *mm = memory->mm;
	bool mapped;

	if (mmget_not_zero(mm)) {
		kthread_use_mm(mm);
		mmap_read_lock(mm);
		mapped = is_mapped(mm, memory->addr, PAGE_SIZE, memory->file, 0);
		mmap_read_unlock(mm);
		if (mapped)
			vm_munmap(memory->addr, memory->bytes);
		kthread_unuse_mm(mm);
		mmput(mm);
	}
	mmdrop(mm);
	fput(memory->file);
}

/* Where the process sees what the kernel sees at @at. */
void __user *bpffs_scratch_user(const struct bpffs_scratch *s, const void *at)
{
	return (void __user *)(s->addr + (at - (const void *)s->attr));
}

/* Room for @capacity elements: a page for what is written, then keys and values. */
static int make_room(struct bpffs_scratch *s, const struct bpffs_info *info, u64 capacity)
{
	u64 keys = ALIGN(capacity * info->key_size, 8);
	u64 bytes = PAGE_SIZE + PAGE_ALIGN(keys + capacity * bpffs_shape_bytes(&info->stored));
	struct memory *memory;
	struct file *file;

	/* Not if somebody has moved a mapping of it away, and sees it still. */
	if (s->file && s->capacity >= capacity && file_count(s->file) == 1)
		return 0;
	bpffs_scratch_free(s);
	if (bytes > SCRATCH_MAX)
		return -EFBIG;
	file = memory_new(bytes);
	if (IS_ERR(file))
		return PTR_ERR(file);
	memory = file->private_data;
	s->file = file;
	s->attr = memory->base;
	s->token = memory->base + ALIGN(sizeof(*s->attr), 8);
	s->keys = memory->base + PAGE_SIZE;
	s->values = s->keys + keys;
	s->bytes = bytes;
	s->capacity = capacity;
	return 0;
}

static int map_pages(struct bpffs_scratch *s, bool read_only)
{
	struct memory *memory = s->file->private_data;
	unsigned long addr;

	memory->read_only = read_only;
	addr = vm_mmap(s->file, 0, s->bytes, read_only ? PROT_READ : PROT_READ | PROT_WRITE,
		       MAP_SHARED, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	s->addr = addr;
	/* What the operation itself writes to. */
	if (read_only)
		addr = vm_mmap(s->file, addr, PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED, 0);
	if (!IS_ERR_VALUE(addr))
		return 0;
	bpffs_scratch_unmap(s);
	return addr;
}

/**
 * bpffs_scratch_map - map memory for a batch into the caller's address space
 * @s: zeroed or used before. To be given to bpffs_scratch_unmap() before the system
 *	call ends, and at last to bpffs_scratch_free()
 * @info: of the mount
 * @capacity: elements
 * @read_only: the process cannot write to keys and values
 *
 * What is mapped already stays.
 *
 * Context: takes mmap_lock.
 * Return: 0, -EOPNOTSUPP (a kernel thread, or a task that exits), -EFBIG (more than
 * 1 GiB), -ENOMEM, -EINTR.
 */
int bpffs_scratch_map(struct bpffs_scratch *s, const struct bpffs_info *info,
		      u64 capacity, bool read_only)
{
	int err;

	if (s->addr)
		return 0;
	if (!current->mm)
		return -EOPNOTSUPP;
	err = make_room(s, info, capacity);
	if (!err)
		err = map_pages(s, read_only);
	if (err && fatal_signal_pending(current))
		return -EINTR;
	/* As if there were not enough of it: of address space, of mappings, ... */
	return !err || err == -EFBIG ? err : -ENOMEM;
}

/* What the kernel sees of it may be gone then, too. */
void bpffs_scratch_unmap(struct bpffs_scratch *s)
{
	struct memory *memory;

	if (s->addr && vm_munmap(s->addr, s->bytes)) {
		memory = s->file->private_data;
		memory->file = s->file;
		memory->mm = current->mm;
		memory->addr = s->addr;
		memory->bytes = s->bytes;
		mmgrab(memory->mm);
		queue_work(unmap_queue, &memory->work);
		s->file = NULL;
	}
	s->addr = 0;
}

/* Unmapped before. */
void bpffs_scratch_free(struct bpffs_scratch *s)
{
	if (s->file)
		fput(s->file);
	s->file = NULL;
}

/**
 * bpffs_scratch_lock - keep the process from changing what is mapped
 * @s: mapped
 *
 * An operation on it until bpffs_scratch_unlock() does not fault, thus never waits
 * for anybody.
 *
 * Context: takes mmap_lock.
 * Return: 0, -EINTR, or -EBUSY: the process has changed it before.
 */
int bpffs_scratch_lock(struct bpffs_scratch *s)
{
	union bpf_attr __user *attr = bpffs_scratch_user(s, s->attr);
	struct mm_struct *mm = current->mm;

	/* Its page can be there and yet be protected, when somebody tracks writes. */
	if (put_user(0, &attr->batch.count))
		return -EBUSY;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (is_mapped(mm, s->addr, PAGE_SIZE, s->file, 0) &&
	    is_mapped(mm, s->addr + PAGE_SIZE, s->bytes - PAGE_SIZE, s->file, 1)) {
		pagefault_disable();
		return 0;
	}
	mmap_read_unlock(mm);
	return -EBUSY;
}

void bpffs_scratch_unlock(struct bpffs_scratch *s)
{
	pagefault_enable();
	mmap_read_unlock(current->mm);
}

int __init bpffs_scratch_init(void)
{
	unmap_queue = alloc_workqueue("bpffs", WQ_UNBOUND, 0);
	return unmap_queue ? 0 : -ENOMEM;
}

/* Waits for what is yet to be unmapped. */
void bpffs_scratch_exit(void)
{
	destroy_workqueue(unmap_queue);
}
