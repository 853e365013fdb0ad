// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The root: the map's options, and its elements as files, as core has them. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "daemon.h"
#include "items.h"
#include "object.h"
#include "serve.h"

#define INO_ROOT	1
#define INO_ELEMENT	64

/* An item's data is the key, behind the object that it is of. */
struct element {
	struct object *object;
	__u8 key[];
};

/* An open element; the lock serializes what is done to it. */
struct open_element {
	struct object *object;
	const void *key;
	pthread_mutex_t lock;
	bool ended;
	struct bpffs_open core;
};

static ino_t ino_of(const struct object *object, const void *key)
{
	u32 size = bpffs_key_size(&object->info);
	__u64 ino = 0;

	memcpy(&ino, key, size < sizeof(__u32) ? size : sizeof(__u32));
	return ino + INO_ELEMENT;
}

/* --- Elements --- */

static int stat_element(const struct item *item, void *open, struct stat *st)
{
	const struct element *element = item->data;
	struct object *object = element->object;
	struct open_element *opened = open;
	u64 size = 0;
	int err;

	st->st_mode = S_IFREG | (object->info.mode & 0666);
	st->st_ino = ino_of(object, element->key);
	st->st_uid = object->uid;
	st->st_gid = object->gid;
	st->st_ctim = object->born;
	clock_gettime(CLOCK_REALTIME_COARSE, &st->st_mtim);
	if (!bpffs_map_can(&object->info, BPFFS_CAN_READ))
		return 0;
	if (opened && !pthread_mutex_trylock(&opened->lock)) {
		err = bpffs_open_size(&object->info, element->key, &opened->core, &size);
		if (opened->core.sampled) {
			st->st_mtim.tv_sec = opened->core.sampled_at / 1000000000;
			st->st_mtim.tv_nsec = opened->core.sampled_at % 1000000000;
		}
		pthread_mutex_unlock(&opened->lock);
		if (err == -ENOENT) {
			st->st_nlink = 0;
			err = 0;
		}
	} else {
		err = bpffs_element_size(&object->info, element->key, &size);
	}
	st->st_size = size;
	st->st_blocks = (size + 511) / 512;
	return err;
}

static int change_element(const struct item *item, void *open, off_t size)
{
	const struct element *element = item->data;
	struct open_element *opened = open;
	bool zero = false;
	int err = 0;

	if (!opened)
		return size > 0 ? -EINVAL : 0;
	pthread_mutex_lock(&opened->lock);
	if (size >= 0)
		err = bpffs_open_truncate(&opened->core, size);
	else
		zero = bpffs_open_claims_zero(&opened->core);
	pthread_mutex_unlock(&opened->lock);
	return zero ? bpffs_store_zero(&element->object->info, element->key) : err;
}

static int open_element(const struct item *item, int flags, void **open)
{
	const struct element *element = item->data;
	struct bpffs_info *info = &element->object->info;
	bool there = bpffs_map_has(info, element->key);
	struct open_element *opened;

	if (!there && !(flags & O_CREAT))
		return -ENOENT;
	if (bpffs_shape_bytes(&info->shape) > BPFFS_VALUE_MAX)
		return -EFBIG;
	opened = calloc(1, sizeof(*opened) + bpffs_open_room(info));
	if (!opened)
		return -ENOMEM;
	opened->object = element->object;
	opened->key = element->key;
	pthread_mutex_init(&opened->lock, NULL);
	bpffs_open_begin(info, &opened->core, flags, !there);
	*open = opened;
	return 0;
}

static ssize_t read_element(void *open, void *buf, size_t size, off_t offset)
{
	struct open_element *opened = open;
	struct iov_iter to = { buf, size };
	loff_t pos = offset;
	ssize_t ret;

	pthread_mutex_lock(&opened->lock);
	ret = bpffs_open_read(&opened->object->info, opened->key, &opened->core, &pos, &to);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

static ssize_t write_element(void *open, const void *buf, size_t size, off_t offset)
{
	struct open_element *opened = open;
	struct iov_iter from = { (char *)buf, size };
	int err;

	pthread_mutex_lock(&opened->lock);
	err = bpffs_open_write(&opened->object->info, opened->key, &opened->core, offset, &from);
	pthread_mutex_unlock(&opened->lock);
	return err ?: (ssize_t)size;
}

/* What is to be there when close(2) returns. */
static int flush_element(void *open, bool by_opener)
{
	struct open_element *opened = open;

	pthread_mutex_lock(&opened->lock);
	if (by_opener && opened->core.zero_on_close && bpffs_open_claims_zero(&opened->core))
		bpffs_store_zero(&opened->object->info, opened->key);
	pthread_mutex_unlock(&opened->lock);
	return 0;
}

static void close_element(void *open)
{
	struct open_element *opened = open;

	bpffs_open_end(&opened->object->info, opened->key, &opened->core, false);
	pthread_mutex_destroy(&opened->lock);
	free(opened);
}

static const struct file_kind element_kind = {
	.stat = stat_element,
	.change = change_element,
	.open = open_element,
	.read = read_element,
	.write = write_element,
	.flush = flush_element,
	.close = close_element,
	.forget = free,
};

/* --- The root --- */

static int stat_root(const struct item *item, struct stat *st)
{
	const struct object *object = item->data;

	st->st_mode = S_IFDIR | object->info.mode | (object->info.mode & 0444) >> 2;
	st->st_ino = INO_ROOT;
	st->st_nlink = 2;
	st->st_uid = object->uid;
	st->st_gid = object->gid;
	st->st_ctim = object->born;
	st->st_mtim = object->born;
	return 0;
}

static int key_of(struct object *object, const char *name, struct item *found)
{
	u32 size = bpffs_key_size(&object->info);
	struct element *element;
	int err;

	if (!object->info.key)
		return -ENOENT;
	element = calloc(1, sizeof(*element) + size);
	if (!element)
		return -ENOMEM;
	element->object = object;
	err = bpffs_name_decode(object->info.key, name, strlen(name), element->key, NULL);
	if (!err && bpffs_map_can(&object->info, BPFFS_IS_TRIE))
		err = bpffs_check_prefix(element->key, size, NULL);
	found->file = &element_kind;
	found->data = element;
	if (err)
		free(element);
	return err;
}

static int look_up(const struct item *dir, const char *name, struct item *found)
{
	struct object *object = dir->data;
	int err = key_of(object, name, found);

	if (err)
		return err == -EINVAL ? -ENOENT : err;
	if (bpffs_map_has(&object->info, ((struct element *)found->data)->key))
		return 0;
	free(found->data);
	return -ENOENT;
}

static int create(const struct item *dir, const char *name, struct item *made)
{
	struct object *object = dir->data;
	int err = key_of(object, name, made);

	if (err)
		return err;
	if (!bpffs_map_can(&object->info, BPFFS_CAN_CREATE))
		err = bpffs_map_can(&object->info, BPFFS_BY_INDEX) ? -ERANGE : -EOPNOTSUPP;
	else if (map_check_writable(&object->map))
		err = -EPERM;
	if (err)
		free(made->data);
	return err;
}

static int remove_element(const struct item *dir, const char *name)
{
	struct object *object = dir->data;
	struct item found = {};
	int err = look_up(dir, name, &found);

	if (err)
		return err;
	err = bpffs_map_can(&object->info, BPFFS_IS_ARRAY) ? -EPERM :
	      bpffs_map_delete(&object->info, ((struct element *)found.data)->key);
	free(found.data);
	return err;
}

/* The keys of a moment. */
struct names {
	struct object *object;
	__u8 *keys;
	__u64 count;
	__u64 room;
};

static int take_keys(struct names *names, const void *keys, __u32 count)
{
	size_t size = names->object->map.key_size;
	__u8 *more;

	if (names->count + count > names->room) {
		names->room = 2 * (names->room + count);
		more = realloc(names->keys, names->room * size);
		if (!more)
			return -ENOMEM;
		names->keys = more;
	}
	memcpy(names->keys + names->count * size, keys, count * size);
	names->count += count;
	return 0;
}

static int list_by_batch(struct names *names)
{
	struct map_batch batch = {};
	int err = 0;

	while (!err && !batch.at_end) {
		err = map_batch_next(&names->object->map, &batch);
		if (!err)
			err = take_keys(names, batch.keys, batch.count);
	}
	map_batch_free(&batch);
	return err;
}

static void end_list(void *data)
{
	struct names *names = data;

	free(names->keys);
	free(names);
}

static void *begin_list(const struct item *dir, int *err)
{
	struct object *object = dir->data;
	struct names *names = calloc(1, sizeof(*names));
	__u32 i;

	*err = names ? 0 : -ENOMEM;
	if (!names)
		return NULL;
	names->object = object;
	if (!object->info.key)
		return names;
	if (bpffs_map_can(&object->info, BPFFS_BY_INDEX))
		for (i = 0; i < object->map.max_entries && !*err; i++)
			*err = take_keys(names, &i, 1);
	else
		*err = list_by_batch(names);
	if (!*err)
		return names;
	end_list(names);
	return NULL;
}

static void list(void *data, uint64_t from, item_found found, void *to)
{
	struct names *names = data;
	char name[BPFFS_NAME_MAX + 1];

	for (; from < names->count; from++) {
		__u8 *key = names->keys + from * names->object->map.key_size;

		if (bpffs_map_can(&names->object->info, BPFFS_IS_TRIE))
			bpffs_clear_host_bits(key, names->object->map.key_size);
		bpffs_name_encode(names->object->info.key, key, name);
		if (!found(to, name, ino_of(names->object, key), S_IFREG))
			return;
	}
}

static const struct dir_kind root_kind = {
	.stat = stat_root,
	.look_up = look_up,
	.begin_list = begin_list,
	.list = list,
	.end_list = end_list,
	.create = create,
	.unlink = remove_element,
};

/* --- The mount --- */

struct refusal {
	char *text;
	size_t size;
};

__attribute__((format(printf, 3, 4)))
static int refuse(const struct refusal *refusal, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(refusal->text, refusal->size, format, args);
	va_end(args);
	return -err;
}

static const char *option(const struct front_options *options, const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < options->count; i++)
		if (!strncmp(options->option[i], name, len) && options->option[i][len] == '=')
			return options->option[i] + len + 1;
	return NULL;
}

static int check_known(const struct front_options *options, const struct refusal *refusal)
{
	static const char * const known[] = {
		"key", "value", "percpu", "uid", "gid", "mode", "ro",
	};
	size_t i, n, len;

	for (i = 0; i < options->count; i++) {
		len = strcspn(options->option[i], "=");
		for (n = 0; n < ARRAY_SIZE(known); n++)
			if (strlen(known[n]) == len && !strncmp(known[n], options->option[i], len))
				break;
		if (n == ARRAY_SIZE(known))
			return refuse(refusal, EINVAL, "Unknown parameter '%.*s'", (int)len,
				      options->option[i]);
	}
	return 0;
}

static int set_number(const struct front_options *options, const char *name, int base,
		      unsigned int max, unsigned int *number, const struct refusal *refusal)
{
	const char *text = option(options, name);
	unsigned long value;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	value = strtoul(text, &end, base);
	if (*text < '0' || *text > '9' || *end || errno || value > max)
		return refuse(refusal, EINVAL, "Bad value for '%s'", name);
	*number = value;
	return 0;
}

static int compile(struct bpffs_layout **layout, const char *name, const char *text, u32 size,
		   enum bpffs_use use, const struct refusal *refusal)
{
	struct bpffs_reason why = {};
	int err;

	if (!text)
		text = "hex";
	err = bpffs_layout_compile(layout, text, strlen(text), size, use, &why);
	if (err && why.column)
		refuse(refusal, 0, "%s: %s (column %u)", name, why.text, why.column);
	else if (err)
		refuse(refusal, 0, "%s: %s", name, why.text);
	return err;
}

/* Locks, timers, pointers: an update would destroy them, a text give them bytes. */
static bool has_special(const struct btf *btf, __u32 id, int depth)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const struct btf_member *member;
	const char *name;
	int i;

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	if (!type || depth > 16)
		return false;
	if (btf_is_array(type))
		return has_special(btf, btf_array(type)->type, depth + 1);
	if (btf_is_ptr(type)) {
		type = btf__type_by_id(btf, type->type);
		return type && btf_is_type_tag(type);
	}
	if (!btf_is_composite(type))
		return false;
	name = btf__str_by_offset(btf, type->name_off);
	if (name && !strncmp(name, "bpf_", 4))
		return true;
	member = btf_members(type);
	for (i = 0; i < btf_vlen(type); i++)
		if (has_special(btf, member[i].type, depth + 1))
			return true;
	return false;
}

static int check_special(const struct refusal *refusal)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	struct btf *btf;
	bool special;

	if (bpf_obj_get_info_by_fd(DAEMON_OBJECT, &info, &len) || !info.btf_value_type_id)
		return 0;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	/* Who has no right to ask gets what BPF gives without it. */
	special = btf && has_special(btf, info.btf_value_type_id, 0);
	btf__free(btf);
	return !special ? 0 : refuse(refusal, EOPNOTSUPP,
			"values with locks, timers or pointers need the module (backend=kernel)");
}

static int set_layouts(struct object *object, const struct front_options *options,
		       const struct refusal *refusal)
{
	struct bpffs_info *info = &object->info;
	const char *key = option(options, "key");
	int err;

	info->no_keys = key && !strcmp(key, "none");
	if (!info->no_keys) {
		err = compile(&info->key, "key", key, info->key_size, BPFFS_KEY, refusal);
		if (err)
			return err;
		if (bpffs_layout_has_plen(info->key) && !bpffs_map_can(info, BPFFS_IS_TRIE))
			return refuse(refusal, EINVAL, "key: plen is for maps of type lpm_trie");
		/* Which key a short name has is not remembered here yet. */
		if (bpffs_layout_name_max(info->key) > BPFFS_NAME_MAX)
			return refuse(refusal, EOPNOTSUPP,
				      "key: names of more than 255 bytes need the module (backend=kernel)");
	}
	err = compile(&info->value, "value", option(options, "value"), info->value_size,
		      BPFFS_VALUE, refusal);
	if (err)
		return err;
	if (object->map.cpus && !info->sum && bpffs_layout_bare(info->value) > 1)
		return refuse(refusal, EINVAL,
			      "value: several fields of a per-CPU value need names");
	info->stored = (struct bpffs_shape) {
		.layout = info->value,
		.copies = object->map.copies,
		.stride = (info->value_size + 7) & ~7U,
		.cpus = object->map.cpus,
		.separator = '\n',
	};
	info->shape = info->stored;
	if (info->sum) {
		info->shape.copies = 1;
		info->shape.cpus = NULL;
	}
	return 0;
}

static int set_options(struct object *object, const struct front_options *options,
		       const struct refusal *refusal)
{
	const char *percpu = option(options, "percpu");
	unsigned int mode = 0600;
	int err;

	object->uid = getuid();
	object->gid = getgid();
	err = check_known(options, refusal) ?:
	      set_number(options, "uid", 10, ~0U - 1, &object->uid, refusal) ?:
	      set_number(options, "gid", 10, ~0U - 1, &object->gid, refusal) ?:
	      set_number(options, "mode", 8, ~0U, &mode, refusal);
	if (err)
		return err;
	if (mode & ~0777U)
		return refuse(refusal, EINVAL, "mode: %#o has more than permission bits", mode);
	object->info.mode = mode;
	if (percpu && strcmp(percpu, "each") && strcmp(percpu, "sum"))
		return refuse(refusal, EINVAL, "Bad value for 'percpu'");
	if (percpu && !object->map.cpus)
		return refuse(refusal, EINVAL, "percpu: a value of this map is not per CPU");
	object->info.sum = percpu && !strcmp(percpu, "sum");
	return set_layouts(object, options, refusal);
}

static void free_object(struct object *object)
{
	bpffs_layout_release(object->info.key);
	bpffs_layout_release(object->info.value);
	bpffs_errors_free(&object->info.errors);
	map_close(&object->map);
	free(object);
}

static int open_map(struct object *object, const struct refusal *refusal)
{
	struct bpffs_info *info = &object->info;

	if ((fcntl(DAEMON_OBJECT, F_GETFL) & O_ACCMODE) == O_WRONLY)
		return refuse(refusal, EACCES, "fd: the map's descriptor is write-only");
	if (map_open(&object->map, DAEMON_OBJECT))
		return refuse(refusal, EINVAL, "fd: not a BPF map, program or link");
	info->can = bpffs_type_can(object->map.type);
	info->map_type = object->map.type;
	info->map_flags = object->map.flags;
	info->key_size = object->map.key_size;
	info->value_size = object->map.value_size;
	info->max_entries = object->map.max_entries;
	clock_gettime(CLOCK_REALTIME_COARSE, &object->born);
	if (!bpffs_map_can(info, BPFFS_CAN_LIST) || !bpffs_map_can(info, BPFFS_CAN_READ) ||
	    info->map_type == BPFFS_TYPE_CGROUP_STORAGE)
		return refuse(refusal, EOPNOTSUPP,
			      "a map of this type needs the module (backend=kernel)");
	return check_special(refusal);
}

int items_open(struct item *root, uint64_t *capabilities, const struct front_options *options,
	       char *text, size_t size)
{
	const struct refusal refusal = { text, size };
	struct object *object = calloc(1, sizeof(*object));
	int err;

	if (!object)
		return refuse(&refusal, ENOMEM, "no memory");
	bpffs_errors_init(&object->info.errors);
	err = open_map(object, &refusal);
	if (!err)
		err = set_options(object, options, &refusal);
	if (err) {
		free_object(object);
		return err;
	}
	*capabilities = 0;
	root->dir = &root_kind;
	root->data = object;
	return 0;
}

void items_close(struct item *root)
{
	free_object(root->data);
}
