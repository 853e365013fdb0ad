// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * The kernel's requests, as items answer them. Nothing may be cached, neither names nor
 * attributes nor data: all times for which an answer holds are zero, and all files are
 * direct_io. The kernel has checked permissions by the attributes it asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "items.h"
#include "nodes.h"
#include "serve.h"

/* More than a request can have. */
#define READ_MAX	(1024 * 1024)

/* Threads that open one file in the same moment. */
#define REFUSED		64

/*
 * Names that the kernel may know before it is told to forget those of files that nobody
 * has open; how long it has them, in ns; and how many it is told of at a time.
 */
#define NAMES_MAX	8192
#define NAMES_LIFE	200000000
#define NAMES_ONCE	64

struct handle;

/**
 * struct front - the file system
 * @nodes: what the kernel knows
 * @root: the item of the root
 * @capabilities: that it needs
 * @lock: of the rest
 * @ending: of open files, how many have begun to end
 * @ended: and how many have ended
 * @end: one more has
 * @handles: all that are open
 * @refused: who has last been told to look up again
 * @too_many: there are names that the kernel is to forget
 * @over: the mount is
 * @news: one of the two has become true
 */
struct front {
	struct nodes *nodes;
	struct item root;
	uint64_t capabilities;
	pthread_mutex_t lock;
	uint64_t ending;
	uint64_t ended;
	pthread_cond_t end;
	struct handle *handles;
	pid_t refused[REFUSED];
	bool too_many;
	bool over;
	pthread_cond_t news;
};

/**
 * struct known - the data of a node
 * @item: what it is
 * @lock: of @only and @opens; taken before all that a kind has
 * @only: the one open file; NULL: there is none, or several
 * @opens: how many there are
 */
struct known {
	struct item item;
	pthread_mutex_t lock;
	void *only;
	unsigned int opens;
};

/**
 * struct handle - an open file or directory
 * @item: of which
 * @open: of a file, the kind's
 * @opener: the process
 * @writer: who has written last, as the kernel calls it; 0: nobody
 * @appends: it is open to append, for which the kernel asks with any offset
 * @written: where the next write goes on then
 * @lock: of @names
 * @names: of a directory, as they were when reading began
 * @front: it is in a list of, under its lock
 * @next: of the list
 * @link: what leads to it there
 */
struct handle {
	const struct item *item;
	void *open;
	pid_t opener;
	uint64_t writer;
	bool appends;
	off_t written;
	pthread_mutex_t lock;
	void *names;
	struct front *front;
	struct handle *next;
	struct handle **link;
};

static struct front *front_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct node *node_of(fuse_req_t req, fuse_ino_t number)
{
	return nodes_node(front_of(req)->nodes, number);
}

static struct known *known_of(fuse_req_t req, fuse_ino_t number)
{
	return node_of(req, number)->data;
}

static struct handle *handle_of(const struct fuse_file_info *file)
{
	return (struct handle *)(uintptr_t)file->fh;
}

static void reply_err(fuse_req_t req, int err)
{
	fuse_reply_err(req, -err);
}

static void forget_item(const struct item *item)
{
	void (*forget)(void *data) = item->dir ? item->dir->forget : item->file->forget;

	if (forget && item->data)
		forget(item->data);
}

/* --- What is known --- */

/* Takes @item. */
static struct known *new_known(const struct item *item)
{
	struct known *known = calloc(1, sizeof(*known));

	if (!known)
		return NULL;
	known->item = *item;
	pthread_mutex_init(&known->lock, NULL);
	return known;
}

static void free_known(void *data)
{
	struct known *known = data;

	forget_item(&known->item);
	pthread_mutex_destroy(&known->lock);
	free(known);
}

/* --- What the kernel is to forget --- */

/*
 * It keeps what was looked up until it lacks memory, though it asks for it each time. Of an
 * inner map, that would keep the map, which others may have taken out by then.
 */
static void look_at_names(struct front *front, const struct node *node)
{
	bool too_many = node->parent && node->parent->identity;

	if (!too_many && nodes_count(front->nodes) < NAMES_MAX)
		return;
	pthread_mutex_lock(&front->lock);
	if (!front->too_many) {
		front->too_many = true;
		pthread_cond_signal(&front->news);
	}
	pthread_mutex_unlock(&front->lock);
}

/* False: the mount is over. */
static bool wait_for_names(struct front *front)
{
	struct timespec end;
	bool over;

	pthread_mutex_lock(&front->lock);
	while (!front->too_many && !front->over)
		pthread_cond_wait(&front->news, &front->lock);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += NAMES_LIFE;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	while (!front->over && !pthread_cond_timedwait(&front->news, &front->lock, &end))
		;
	front->too_many = false;
	over = front->over;
	pthread_mutex_unlock(&front->lock);
	return !over;
}

/*
 * The kernel waits then for requests in the directory, so this is a thread that answers
 * none.
 */
void front_forget_names(struct front *front, struct fuse_session *session)
{
	struct idle_name idle[NAMES_ONCE];
	size_t at, count, i;

	while (wait_for_names(front))
		for (at = 0; (count = nodes_idle(front->nodes, &at, idle, NAMES_ONCE));)
			for (i = 0; i < count; i++)
				fuse_lowlevel_notify_inval_entry(session, idle[i].parent,
								 idle[i].name, idle[i].len);
}

void front_over(struct front *front)
{
	pthread_mutex_lock(&front->lock);
	front->over = true;
	pthread_cond_broadcast(&front->news);
	pthread_mutex_unlock(&front->lock);
}

/* Takes @item, and counts a look-up; @alone: of what nobody else is to share. */
static struct node *know(struct front *front, struct node *parent, const char *name,
			 const struct item *item, bool alone)
{
	struct known *known = new_known(item);
	struct node *node;
	bool is_new = true;

	if (!known) {
		forget_item(item);
		return NULL;
	}
	if (alone && !item->dir)
		node = nodes_look_up_alone(front->nodes, parent, name, known);
	else
		node = nodes_look_up(front->nodes, parent, name, item->dir, item->identity,
				     known, &is_new);
	if (!node || !is_new)
		free_known(known);
	if (node && is_new && !item->dir)
		look_at_names(front, node);
	return node;
}

/* Of an open file that has the node to itself, its own. */
static int stat_known(struct known *known, struct stat *st)
{
	const struct item *item = &known->item;
	int err;

	memset(st, 0, sizeof(*st));
	st->st_nlink = 1;
	if (item->dir)
		return item->dir->stat(item, st);
	pthread_mutex_lock(&known->lock);
	err = item->file->stat(item, known->only, st);
	pthread_mutex_unlock(&known->lock);
	return err;
}

/*
 * Threads that were told to look up a name again, as others opened the file in the same
 * moment. Each is told once: it then gets a node of its own, or opens the file by /proc.
 * @done: it has done what it was told.
 */
static bool was_refused(struct front *front, pid_t pid, bool done)
{
	bool was = false;
	int i;

	pthread_mutex_lock(&front->lock);
	for (i = 0; i < REFUSED && !was; i++) {
		was = pid && front->refused[i] == pid;
		if (was && done)
			front->refused[i] = 0;
	}
	pthread_mutex_unlock(&front->lock);
	return was;
}

static void add_refusal(struct front *front, pid_t pid)
{
	int i;

	pthread_mutex_lock(&front->lock);
	for (i = 0; i < REFUSED && front->refused[i]; i++)
		;
	/* Of so many, one is told twice. */
	front->refused[i % REFUSED] = pid;
	pthread_mutex_unlock(&front->lock);
}

/* --- Names --- */

static int fill_entry(struct front *front, struct node *node, struct fuse_entry_param *entry)
{
	int err = stat_known(node->data, &entry->attr);

	entry->ino = nodes_number(front->nodes, node);
	return err;
}

static void front_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct item *dir = &known_of(req, parent)->item;
	struct fuse_entry_param entry = {};
	struct front *front = front_of(req);
	struct item found = {};
	struct node *node;
	int err = -ENOENT;

	if (strlen(name) > NAME_MAX)
		err = -ENAMETOOLONG;
	else if (dir->dir->look_up)
		err = dir->dir->look_up(dir, name, &found);
	if (err) {
		reply_err(req, err);
		return;
	}
	node = know(front, node_of(req, parent), name, &found,
		    was_refused(front, fuse_req_ctx(req)->pid, false));
	err = node ? fill_entry(front, node, &entry) : -ENOMEM;
	if (!err)
		err = fuse_reply_entry(req, &entry);
	else
		reply_err(req, err);
	/* The kernel has not heard of it. */
	if (err && node)
		nodes_forget(front->nodes, node, 1);
}

static void front_forget(fuse_req_t req, fuse_ino_t number, uint64_t lookups)
{
	nodes_forget(front_of(req)->nodes, node_of(req, number), lookups);
	fuse_reply_none(req);
}

static void front_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (; count--; forgets++)
		nodes_forget(front_of(req)->nodes, node_of(req, forgets->ino), forgets->nlookup);
	fuse_reply_none(req);
}

static void front_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct item *dir = &known_of(req, parent)->item;

	reply_err(req, dir->dir->unlink ? dir->dir->unlink(dir, name) : -EPERM);
}

static void front_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct item *dir = &known_of(req, parent)->item;

	reply_err(req, dir->dir->rmdir ? dir->dir->rmdir(dir, name) : -EPERM);
}

/* mv(1) copies then. */
static void front_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
			 fuse_ino_t new_parent, const char *new_name, unsigned int flags)
{
	(void)parent;
	(void)name;
	(void)new_parent;
	(void)new_name;
	(void)flags;
	reply_err(req, -EXDEV);
}

static void front_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)parent;
	(void)name;
	(void)mode;
	reply_err(req, -EPERM);
}

static void front_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			dev_t device)
{
	(void)device;
	front_mkdir(req, parent, name, mode);
}

static void front_symlink(fuse_req_t req, const char *link, fuse_ino_t parent,
			  const char *name)
{
	(void)link;
	front_mkdir(req, parent, name, 0);
}

static void front_link(fuse_req_t req, fuse_ino_t number, fuse_ino_t parent, const char *name)
{
	(void)number;
	front_mkdir(req, parent, name, 0);
}

/* --- Attributes --- */

static void reply_attr(fuse_req_t req, struct known *known)
{
	struct stat st;
	int err = stat_known(known, &st);

	if (err)
		reply_err(req, err);
	else
		fuse_reply_attr(req, &st, 0);
}

static void front_getattr(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file)
{
	struct known *known = known_of(req, number);

	/* With the file, it is asked only for lseek(2). */
	if (file && !known->item.dir && known->item.file->end_error)
		reply_err(req, known->item.file->end_error);
	else
		reply_attr(req, known);
}

/* Owner, permissions and times are accepted and ignored, as tar(1) insists on them. */
static void front_setattr(fuse_req_t req, fuse_ino_t number, struct stat *attr, int what,
			  struct fuse_file_info *file)
{
	struct known *known = known_of(req, number);
	const struct item *item = &known->item;
	off_t size = what & FUSE_SET_ATTR_SIZE ? attr->st_size : -1;
	int err = 0;

	(void)file;
	if (what & (FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_MTIME) && item->file &&
	    item->file->change) {
		pthread_mutex_lock(&known->lock);
		err = item->file->change(item, known->only, size);
		pthread_mutex_unlock(&known->lock);
	}
	if (err)
		reply_err(req, err);
	else
		reply_attr(req, known);
}

static void front_statfs(fuse_req_t req, fuse_ino_t number)
{
	const struct item *root = &front_of(req)->root;
	struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };

	(void)number;
	if (root->dir->statfs)
		root->dir->statfs(root, &st);
	fuse_reply_statfs(req, &st);
}

/* --- Open files --- */

static struct handle *new_handle(fuse_req_t req, const struct item *item)
{
	struct handle *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->item = item;
	handle->opener = fuse_req_ctx(req)->pid;
	pthread_mutex_init(&handle->lock, NULL);
	handle->front = front_of(req);
	pthread_mutex_lock(&handle->front->lock);
	handle->next = handle->front->handles;
	handle->link = &handle->front->handles;
	if (handle->next)
		handle->next->link = &handle->next;
	handle->front->handles = handle;
	pthread_mutex_unlock(&handle->front->lock);
	return handle;
}

static void free_handle(struct handle *handle)
{
	if (!handle)
		return;
	pthread_mutex_lock(&handle->front->lock);
	*handle->link = handle->next;
	if (handle->next)
		handle->next->link = handle->link;
	pthread_mutex_unlock(&handle->front->lock);
	pthread_mutex_destroy(&handle->lock);
	free(handle);
}

/*
 * A node for an open file. If somebody has it open already, who looked up the name at the
 * same time: -ESTALE. The kernel looks it up again, once, and gets another node; or the
 * same, as it is opened by /proc.
 */
static int take_node(struct front *front, struct node *node, pid_t pid)
{
	struct known *known = node->data;
	bool may = known->item.file->is_sampled && pid && !was_refused(front, pid, true);
	bool again;

	nodes_open(front->nodes, node);
	pthread_mutex_lock(&known->lock);
	again = may && known->opens;
	if (!again)
		known->opens++;
	pthread_mutex_unlock(&known->lock);
	if (!again)
		return 0;
	add_refusal(front, pid);
	nodes_close(front->nodes, node);
	return -ESTALE;
}

static void give_node_back(struct front *front, struct node *node)
{
	struct known *known = node->data;

	pthread_mutex_lock(&known->lock);
	known->opens--;
	pthread_mutex_unlock(&known->lock);
	look_at_names(front, node);
	nodes_close(front->nodes, node);
}

static int begin_open(struct node *node, struct handle *handle, struct fuse_file_info *file)
{
	const struct file_kind *kind = handle->item->file;
	struct known *known = node->data;
	int err;

	err = kind->open(handle->item, file->flags, &handle->open);
	if (err)
		return err;
	pthread_mutex_lock(&known->lock);
	known->only = known->opens == 1 ? handle->open : NULL;
	pthread_mutex_unlock(&known->lock);
	handle->appends = file->flags & O_APPEND;
	file->fh = (uintptr_t)handle;
	file->direct_io = 1;
	file->nonseekable = kind->is_stream;
	/* Who only reads has nothing that close(2) could fail of. */
	file->noflush = (file->flags & (O_ACCMODE | O_CREAT)) == O_RDONLY;
	return 0;
}

/* The last one that is left does not come to have the node to itself again. */
static void end_open(struct front *front, struct node *node, struct handle *handle)
{
	struct known *known = node->data;

	/* Nobody asks for what is about to go. */
	pthread_mutex_lock(&known->lock);
	if (known->only == handle->open)
		known->only = NULL;
	pthread_mutex_unlock(&known->lock);
	if (handle->item->file->close)
		handle->item->file->close(handle->open);
	give_node_back(front, node);
	free_handle(handle);
}

/* close(2) does not wait for the end of a file; who opens one then finds what it did. */
static void wait_for_ends(struct front *front)
{
	uint64_t begun;

	pthread_mutex_lock(&front->lock);
	begun = front->ending;
	while (front->ended < begun)
		pthread_cond_wait(&front->end, &front->lock);
	pthread_mutex_unlock(&front->lock);
}

static int open_node(fuse_req_t req, struct node *node, struct fuse_file_info *file)
{
	const struct item *item = &((struct known *)node->data)->item;
	struct front *front = front_of(req);
	struct handle *handle;
	int err;

	/* direct_io is that of FUSE, and the kernel would allow it. */
	if (file->flags & O_DIRECT)
		return -EINVAL;
	err = take_node(front, node, fuse_req_ctx(req)->pid);
	if (err)
		return err;
	handle = new_handle(req, item);
	err = handle ? begin_open(node, handle, file) : -ENOMEM;
	if (!err)
		return 0;
	free_handle(handle);
	give_node_back(front, node);
	return err;
}

static void front_open_file(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file)
{
	struct node *node = node_of(req, number);
	int err;

	wait_for_ends(front_of(req));
	err = open_node(req, node, file);
	if (err)
		reply_err(req, err);
	/* Or who asked has been killed. */
	else if (fuse_reply_open(req, file))
		end_open(front_of(req), node, handle_of(file));
}

static void front_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			 struct fuse_file_info *file)
{
	const struct item *dir = &known_of(req, parent)->item;
	struct fuse_entry_param entry = {};
	struct front *front = front_of(req);
	struct node *node = NULL;
	struct item made = {};
	int err;

	(void)mode;
	err = dir->dir->create ? dir->dir->create(dir, name, &made) : -EACCES;
	if (!err) {
		node = know(front, node_of(req, parent), name, &made,
			    was_refused(front, fuse_req_ctx(req)->pid, false));
		err = node ? open_node(req, node, file) : -ENOMEM;
	}
	if (!err) {
		err = fill_entry(front, node, &entry);
		if (err)
			reply_err(req, err);
		else
			err = fuse_reply_create(req, &entry, file);
		if (!err)
			return;
		end_open(front, node, handle_of(file));
	} else {
		reply_err(req, err);
	}
	if (node)
		nodes_forget(front->nodes, node, 1);
}

static void front_read(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
		       struct fuse_file_info *file)
{
	struct handle *handle = handle_of(file);
	const struct file_kind *kind = handle->item->file;
	ssize_t len;
	char *buf;

	(void)number;
	if (size > READ_MAX)
		size = READ_MAX;
	buf = malloc(size);
	len = buf ? -EINVAL : -ENOMEM;
	if (buf && kind->read)
		len = kind->read(handle->open, buf, size, offset);
	if (len < 0)
		reply_err(req, len);
	else if (fuse_reply_buf(req, buf, len) && kind->lose)
		kind->lose(handle->open);
	free(buf);
}

static void front_write(fuse_req_t req, fuse_ino_t number, const char *buf, size_t size,
			off_t offset, struct fuse_file_info *file)
{
	struct handle *handle = handle_of(file);
	const struct file_kind *kind = handle->item->file;
	ssize_t len = -EINVAL;

	(void)number;
	__atomic_store_n(&handle->writer, file->lock_owner, __ATOMIC_RELAXED);
	if (handle->appends)
		offset = __atomic_load_n(&handle->written, __ATOMIC_RELAXED);
	if (kind->write)
		len = kind->write(handle->open, buf, size, offset);
	if (handle->appends && len > 0)
		__atomic_add_fetch(&handle->written, len, __ATOMIC_RELAXED);
	if (len < 0)
		reply_err(req, len);
	else
		fuse_reply_write(req, len);
}

/* Once for each descriptor that is closed. */
static void front_flush(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file)
{
	struct handle *handle = handle_of(file);
	const struct file_kind *kind = handle->item->file;
	uint64_t writer = __atomic_load_n(&handle->writer, __ATOMIC_RELAXED);
	bool by_user = writer ? writer == file->lock_owner :
				fuse_req_ctx(req)->pid == handle->opener;

	(void)number;
	reply_err(req, kind->flush ? kind->flush(handle->open, by_user) : 0);
}

static void front_fsync(fuse_req_t req, fuse_ino_t number, int datasync,
			struct fuse_file_info *file)
{
	struct handle *handle = handle_of(file);
	const struct file_kind *kind = handle->item->file;

	(void)number;
	(void)datasync;
	reply_err(req, kind->fsync ? kind->fsync(handle->open) : 0);
}

static void front_release(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file)
{
	struct front *front = front_of(req);

	pthread_mutex_lock(&front->lock);
	front->ending++;
	pthread_mutex_unlock(&front->lock);
	end_open(front, node_of(req, number), handle_of(file));
	pthread_mutex_lock(&front->lock);
	front->ended++;
	pthread_cond_broadcast(&front->end);
	pthread_mutex_unlock(&front->lock);
	reply_err(req, 0);
}

/* SEEK_DATA and SEEK_HOLE: there are no holes but the one at the end. */
static void front_lseek(fuse_req_t req, fuse_ino_t number, off_t offset, int whence,
			struct fuse_file_info *file)
{
	const struct file_kind *kind = handle_of(file)->item->file;
	struct stat st;
	int err = kind->end_error ? -EINVAL : stat_known(known_of(req, number), &st);

	if (!err && (offset < 0 || offset >= st.st_size))
		err = -ENXIO;
	if (err)
		reply_err(req, err);
	else
		fuse_reply_lseek(req, whence == SEEK_HOLE ? st.st_size : offset);
}

/* The kernel would grant them by itself, which helps nobody who asks elsewhere. */
static void front_getlk(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file,
			struct flock *lock)
{
	(void)number;
	(void)file;
	(void)lock;
	reply_err(req, -EOPNOTSUPP);
}

static void front_setlk(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file,
			struct flock *lock, int sleep)
{
	(void)sleep;
	front_getlk(req, number, file, lock);
}

static void front_flock(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file, int op)
{
	(void)op;
	front_getlk(req, number, file, NULL);
}

/* --- Directories --- */

static void front_opendir(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file)
{
	struct node *node = node_of(req, number);
	struct handle *handle = new_handle(req, &((struct known *)node->data)->item);

	if (!handle) {
		reply_err(req, -ENOMEM);
		return;
	}
	file->fh = (uintptr_t)handle;
	nodes_open(front_of(req)->nodes, node);
	if (!fuse_reply_open(req, file))
		return;
	nodes_close(front_of(req)->nodes, node);
	free_handle(handle);
}

static void end_names(struct handle *handle)
{
	if (handle->names && handle->item->dir->end_list)
		handle->item->dir->end_list(handle->names);
	handle->names = NULL;
}

static void front_releasedir(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file)
{
	struct handle *handle = handle_of(file);

	end_names(handle);
	free_handle(handle);
	nodes_close(front_of(req)->nodes, node_of(req, number));
	reply_err(req, 0);
}

struct listing {
	fuse_req_t req;
	char *buf;
	size_t used;
	size_t size;
	off_t next;
};

static bool add_name(void *to, const char *name, ino_t ino, mode_t type)
{
	const struct stat st = { .st_ino = ino, .st_mode = type };
	struct listing *listing = to;
	size_t size;

	size = fuse_add_direntry(listing->req, listing->buf + listing->used,
				 listing->size - listing->used, name, &st, listing->next + 1);
	if (size > listing->size - listing->used)
		return false;
	listing->used += size;
	listing->next++;
	return true;
}

static ino_t ino_of(const struct known *known)
{
	struct stat st = {};

	return known->item.dir->stat(&known->item, &st) ? 1 : st.st_ino;
}

/* "." and ".." are the first two. */
static bool add_dots(struct listing *listing, const struct node *node)
{
	const struct node *parent = node->parent ?: node;

	return (listing->next > 0 || add_name(listing, ".", ino_of(node->data), S_IFDIR)) &&
	       (listing->next > 1 || add_name(listing, "..", ino_of(parent->data), S_IFDIR));
}

/* The names are those of the moment when reading begins, or begins again. */
static int begin_names(struct handle *handle, off_t from)
{
	const struct dir_kind *kind = handle->item->dir;
	int err = 0;

	if (!from)
		end_names(handle);
	if (!handle->names && kind->begin_list)
		handle->names = kind->begin_list(handle->item, &err);
	return handle->names ? 0 : err;
}

static void front_readdir(fuse_req_t req, fuse_ino_t number, size_t size, off_t from,
			  struct fuse_file_info *file)
{
	struct listing listing = { .req = req, .size = size, .next = from };
	struct handle *handle = handle_of(file);
	int err;

	listing.buf = malloc(size);
	pthread_mutex_lock(&handle->lock);
	err = listing.buf ? begin_names(handle, from) : -ENOMEM;
	if (!err && add_dots(&listing, node_of(req, number)) && handle->names)
		handle->item->dir->list(handle->names, listing.next - 2, add_name, &listing);
	pthread_mutex_unlock(&handle->lock);
	if (err)
		reply_err(req, err);
	else
		fuse_reply_buf(req, listing.buf, listing.used);
	free(listing.buf);
}

/* --- The mount --- */

int front_open(struct front **front, const struct front_options *options, char *refusal,
	       size_t size)
{
	struct front *new = calloc(1, sizeof(*new));
	struct known *known;
	int err;

	if (new) {
		pthread_mutex_init(&new->lock, NULL);
		pthread_cond_init(&new->end, NULL);
		pthread_cond_init(&new->news, NULL);
		new->nodes = nodes_new(free_known);
	}
	err = new && new->nodes ? items_open(&new->root, &new->capabilities, options, refusal,
					     size) : -ENOMEM;
	known = err ? NULL : new_known(&new->root);
	if (known) {
		nodes_root(new->nodes)->data = known;
		*front = new;
		return 0;
	}
	if (new && new->nodes)
		nodes_free(new->nodes);
	free(new);
	return err ?: -ENOMEM;
}

/* What remains of the root, when items_close() is to have it. */
static const struct dir_kind no_directory = {};

/* Of which the kernel has not said that they are closed, as it does not wait for that. */
static void end_handles(struct front *front)
{
	struct handle *handle;

	while ((handle = front->handles)) {
		if (handle->item->dir)
			end_names(handle);
		else if (handle->item->file->close)
			handle->item->file->close(handle->open);
		free_handle(handle);
	}
}

void front_close(struct front *front)
{
	struct known *root = nodes_root(front->nodes)->data;

	end_handles(front);
	root->item = (struct item) { .dir = &no_directory };
	nodes_free(front->nodes);
	items_close(&front->root);
	free(front);
}

uint64_t front_capabilities(const struct front *front)
{
	return front->capabilities;
}

const struct fuse_lowlevel_ops front_ops = {
	.lookup = front_lookup,
	.forget = front_forget,
	.forget_multi = front_forget_multi,
	.getattr = front_getattr,
	.setattr = front_setattr,
	.mknod = front_mknod,
	.mkdir = front_mkdir,
	.unlink = front_unlink,
	.rmdir = front_rmdir,
	.symlink = front_symlink,
	.rename = front_rename,
	.link = front_link,
	.open = front_open_file,
	.create = front_create,
	.read = front_read,
	.write = front_write,
	.flush = front_flush,
	.fsync = front_fsync,
	.release = front_release,
	.lseek = front_lseek,
	.opendir = front_opendir,
	.readdir = front_readdir,
	.releasedir = front_releasedir,
	.statfs = front_statfs,
	.getlk = front_getlk,
	.setlk = front_setlk,
	.flock = front_flock,
};
