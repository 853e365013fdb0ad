// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sequences of system calls on element files, while a program changes the map: after
 * each, the map, what was returned, and whether a sentence was said are compared with a
 * model of what bpffs(5) says. The model understands a text as a whole, from its begin,
 * each time that a piece of it comes.
 *
 * input: a line of letters that says what map it is: type, layout, and
 *
 *	s	percpu=sum
 *	u	values begin at an odd place
 *	k	the last field is a lock; o: and an update would destroy it
 *
 * and then a command a line, of S (a file, 0 to 3), K (a key, 0 to 5), and numbers:
 *
 *	oSK r+ceta	open: to read, both ways (else to write); O_CREAT, O_EXCL, O_TRUNC, O_APPEND
 *	wSTEXT		write; in TEXT, ";" is a newline, "@", "#", "$" are CPUs 0, 2, 5
 *	WSn,TEXT	pwrite at n
 *	rSn,m		pread of n bytes at m
 *	sS tSn uS	fstat, ftruncate to n, futimens
 *	cS kS		close, close by a kill
 *	xK		unlink
 *	pKBYTES dK F	the program stores, deletes; the map is frozen
 *	mn in		in the next call, the nth allocation fails; the caller is killed when
 *			core asks for the nth time
 */
#include <fcntl.h>

#include "fuzz.h"
#include "key.h"
#include "../unit/map.h"

#define FILES	4
#define KEYS	6
#define COPIES	3
#define STRIDE	8
#define LEAVES	(2 * COPIES)

/* --- What there is --- */

struct field {
	const char *name;
	u8 offset, size;
	bool is_text, big_endian;
};

static const struct kind {
	const char *layout;
	u8 size, fields;
	struct field field[2];
} kinds[] = {
	{ "a=u8:b=be16", 3, 2, { { "a", 0, 1, false, false }, { "b", 1, 2, false, true } } },
	{ "u16", 2, 1, { { "", 0, 2, false, false } } },
	{ "s=str3:n=u8", 4, 2, { { "s", 0, 3, true, false }, { "n", 3, 1, false, false } } },
	{ "str4", 4, 1, { { "", 0, 4, true, false } } },
	{ "c=u32:d=u32", 8, 2, { { "c", 0, 4, false, false }, { "d", 4, 4, false, false } } },
};

/* What a file system of this map has to do, said without it. */
static struct map *map;
static const struct kind *kind;
static bool is_array, can_create, is_percpu, is_sum, evicts, is_unaligned, has_lock, owns;
static unsigned int copies, shown;	/* in the map, and in the text */

static const u32 cpus[COPIES] = { 0, 2, 5 };

/* --- The model of the map --- */

struct element {
	bool there;
	u8 bytes[COPIES][STRIDE];
};

/* @evicting: some other element goes when this key comes, or is -1 */
struct model {
	struct element element[KEYS];
	bool frozen;
	int evicting;
};

static struct model model;

static unsigned int elements(const struct model *m)
{
	unsigned int key, n = 0;

	for (key = 0; key < KEYS; key++)
		n += m->element[key].there;
	return n;
}

static u64 get(const struct field *field, const u8 *bytes)
{
	u64 number = 0;
	u32 i, at;

	for (i = 0; i < field->size; i++) {
		at = field->big_endian ? i : field->size - 1 - i;
		number = number << 8 | bytes[field->offset + at];
	}
	return number;
}

static void put(const struct field *field, u8 *bytes, u64 number)
{
	u32 i, at;

	for (i = 0; i < field->size; i++, number >>= 8) {
		at = field->big_endian ? field->size - 1 - i : i;
		bytes[field->offset + at] = number;
	}
}

static bool is_lock(const struct field *field)
{
	return has_lock && field == &kind->field[kind->fields - 1];
}

static struct element real_element(u32 key)
{
	int i = map_find(map, &key);
	struct element e = {};

	if (i < 0)
		return e;
	e.there = true;
	memcpy(e.bytes, map->value[i], copies * STRIDE);
	return e;
}

static bool is_same(const struct element *a, const struct element *b)
{
	return a->there == b->there &&
	       (!a->there || !memcmp(a->bytes, b->bytes, sizeof(a->bytes)));
}

/* Each field of @is is that of @a or of @b. */
static bool is_mix(const struct element *is, const struct element *a, const struct element *b)
{
	const struct field *field;
	u32 copy, i;
	u64 number;

	for (copy = 0; copy < copies; copy++) {
		for (i = 0; i < kind->fields; i++) {
			field = &kind->field[i];
			number = get(field, is->bytes[copy]);
			if (number != get(field, a->bytes[copy]) &&
			    number != get(field, b->bytes[copy]))
				return false;
		}
	}
	return true;
}

/* Between two states of the map there is no other, and never half an element. */
static const struct model *before, *after;

static void check_between(void)
{
	bool may_go = after && after->evicting >= 0 && real_element(after->evicting).there;
	const struct element *old, *new;
	struct element is;
	u32 key;

	for (key = 0; before && key < KEYS; key++) {
		old = &before->element[key];
		new = &after->element[key];
		is = real_element(key);
		if (is_same(&is, old) || is_same(&is, new))
			continue;
		if (!is.there && may_go)
			continue;
		law(is.there && old->there && new->there, "half an element: %u", key);
		law(is_mix(&is, old, new), "%u is neither old nor new", key);
	}
}

/* The map is what the model says. */
static void check_map(const char *call)
{
	struct element is;
	u32 key, gone = 0;

	for (key = 0; key < KEYS; key++) {
		is = real_element(key);
		if (is_same(&is, &model.element[key]))
			continue;
		law(model.evicting >= 0 && (int)key != model.evicting && !is.there && !gone++,
		    "%s: element %u is not as it is to be", call, key);
		model.element[key].there = false;
	}
	law(!gone == (model.evicting < 0), "%s: no element has made room", call);
	model.evicting = -1;
	law((unsigned int)map_elements(map) == elements(&model), "%s: another key", call);
}

static void adopt_map(void)
{
	u32 key;

	for (key = 0; key < KEYS; key++)
		model.element[key] = real_element(key);
	model.evicting = -1;
}

/* BPF_NOEXIST and the rest, of a whole element. */
static int update(u32 key, const struct element *to, enum bpffs_update flags)
{
	struct element *e = &model.element[key];

	if (flags == BPFFS_NOEXIST && e->there)
		return -EEXIST;
	if (flags == BPFFS_EXIST && !e->there)
		return -ENOENT;
	if (model.frozen)
		return -EPERM;
	if (!e->there && elements(&model) == map->info.max_entries) {
		if (!evicts)
			return -ENOSPC;
		model.evicting = key;
	}
	*e = *to;
	e->there = true;
	return 0;
}

/* --- The model of a text --- */

#define TEXT_MAX	(16 << 10)

/* What one write says of a leaf: set to @number or @text, or @number is added. */
struct change {
	bool set, add;
	u64 number;
	u8 text[4];
};

/**
 * struct text - what has been written since offset 0, or since a refusal
 * @next: the offset where it goes on
 * @named: leaves set by earlier writes of it, as @said
 * @stored: it has been stored as a whole
 * @failed: as a write has that is_within() was true of: so does each but one at offset 0
 */
struct text {
	char all[TEXT_MAX];
	size_t len;
	u64 next;
	bool named[LEAVES];
	struct change said[LEAVES];
	bool stored;
	bool unfinished;
	int failed;
};

static void begin_text(struct text *t, u64 pos)
{
	t->len = 0;
	t->next = pos;
	t->stored = false;
	t->unfinished = false;
	t->failed = 0;
	memset(t->named, 0, sizeof(t->named));
}

static u32 leaves(void)
{
	return kind->fields * shown;
}

static const struct field *field_of(u32 leaf)
{
	return &kind->field[leaf % kind->fields];
}

/* A single field needs no name, but for the CPU's. */
static bool is_bare(void)
{
	return !*kind->field[0].name && shown == 1;
}

/* The leaf of this name, or -1. */
static int find_leaf(const char *name, size_t len)
{
	u32 copy = 0, cpu = 0, i;

	if (shown > 1) {
		if (len < 4 || memcmp(name, "cpu", 3) || !isdigit(name[3]))
			return -1;
		for (name += 3, len -= 3; len && isdigit(*name) && cpu < 1000; name++, len--)
			cpu = 10 * cpu + *name - '0';
		while (copy < shown && cpus[copy] != cpu)
			copy++;
		if (copy == shown)
			return -1;
		if (*kind->field[0].name) {
			if (!len || *name != '.')
				return -1;
			name++;
			len--;
		}
	}
	for (i = 0; i < kind->fields; i++)
		if (len == strlen(kind->field[i].name) && !memcmp(name, kind->field[i].name, len))
			return copy * kind->fields + i;
	return -1;
}

/**
 * struct token - NAME=TEXT, NAME+=TEXT, or TEXT if it is bare
 * @leaf: -1 if it has come to no "="
 */
struct token {
	int leaf;
	char sign;
	const char *text;
	size_t len;
};

static bool is_sign(char ch)
{
	return ch == '+' || ch == '-';
}

/* Return: 0; -EINVAL: whatever comes, it is none. */
static int split(const char *token, size_t len, struct token *to)
{
	const char *equals = memchr(token, '=', len);
	size_t name = equals ? (size_t)(equals - token) : len;

	*to = (struct token) { .leaf = -1, .text = token, .len = len };
	if (is_bare()) {
		to->leaf = 0;
		if (!kind->field[0].is_text && equals && name == 1 && is_sign(*token))
			to->sign = *token;
		if (to->sign) {
			to->text += 2;
			to->len -= 2;
		}
	} else if (equals) {
		if (name && is_sign(token[name - 1]))
			to->sign = token[--name];
		to->leaf = find_leaf(token, name);
		if (to->leaf < 0 || (to->sign && field_of(to->leaf)->is_text))
			return -EINVAL;
		to->text = equals + 1;
		to->len = len - (to->text - token);
	}
	if (to->leaf >= 0 && field_of(to->leaf)->is_text)
		return to->len > field_of(to->leaf)->size ? -EINVAL : 0;
	return to->len > 255 ? -EINVAL : 0;
}

/* What a complete token changes. Return: 0 or -EINVAL. */
static int take(const struct token *token, struct change *changes)
{
	const struct field *field;
	struct change *change;
	u64 number = 0, max;
	size_t i;

	if (token->leaf < 0)
		return -EINVAL;
	field = field_of(token->leaf);
	change = &changes[token->leaf];
	if (field->is_text) {
		memset(change, 0, sizeof(*change));
		change->set = true;
		memcpy(change->text, token->text, token->len);
		return 0;
	}
	max = (1ULL << 8 * field->size) - 1;
	for (i = 0; i < token->len; i++) {
		if (!isdigit(token->text[i]))
			return -EINVAL;
		number = 10 * number + token->text[i] - '0';
		if (number > max)
			return -EINVAL;
	}
	if (!i)
		return -EINVAL;
	if (!token->sign) {
		*change = (struct change) { .set = true, .number = number };
		return 0;
	}
	if (!change->set)
		change->add = true;
	change->number += token->sign == '-' ? -number : number;
	return 0;
}

/* What becomes of leaves by the bytes behind @old. Return: 0 or -EINVAL. */
static int understand(struct text *t, size_t old, struct change changes[LEAVES])
{
	bool new_line = true;
	size_t at = 0, end;
	struct token token;
	u32 fields = 0;

	t->unfinished = false;
	while (at < t->len) {
		if (strchr(" \t\n", t->all[at])) {
			new_line |= t->all[at++] == '\n';
			continue;
		}
		if (is_bare() && !new_line)
			return -EINVAL;
		for (end = at; end < t->len && !strchr(" \t\n", t->all[end]); end++)
			;
		if (split(t->all + at, end - at, &token))
			return -EINVAL;
		at = end;
		if (end < t->len) {
			struct change none[LEAVES] = {};

			/* By an earlier write, of which nothing is to be done again. */
			if (take(&token, end < old ? none : changes))
				return -EINVAL;
			fields++;
			new_line = false;
			continue;
		}
		/* A value alone counts as it stands, and may yet go on. */
		t->unfinished = true;
		if (token.leaf < 0)
			break;
		if (!fields && token.sign)
			return -EINVAL;
		if (!fields && !take(&token, changes)) {
			t->unfinished = false;
		} else if (field_of(token.leaf)->is_text) {
			changes[token.leaf].set = false;
			t->named[token.leaf] = false;
		}
	}
	return 0;
}

/* --- The model of an open file --- */

/**
 * struct file - a file, open
 * @open: what is tested
 * @is_new: there was no such element, nor has been for it since
 * @may_make: O_CREAT, and nothing stored yet
 * @makes_zero: at close
 * @wrote: or tried to
 */
struct file {
	struct bpffs_open *open;
	u32 key;
	bool reads, writes;

	bool is_new, may_make, excl, makes_zero, wrote;
	bool sampled, consumed;
	struct element sample;
	struct text text;
};

static struct file files[FILES];

static int text_of(const struct element *e, char to[256])
{
	const struct field *field;
	u32 leaf, copy;
	int len = 0;

	for (leaf = 0; leaf < leaves(); leaf++) {
		const u8 *bytes = e->bytes[leaf / kind->fields];
		u64 number = 0;

		field = field_of(leaf);
		if (shown > 1)
			len += sprintf(to + len, "cpu%u%s", cpus[leaf / kind->fields],
				       *field->name ? "." : "=");
		if (*field->name)
			len += sprintf(to + len, "%s=", field->name);
		if (field->is_text) {
			bytes += field->offset;
			/* A line has something in it. */
			len += sprintf(to + len, "%.*s\n", field->size,
				       is_bare() && !*bytes ? "%00" : (const char *)bytes);
			continue;
		}
		for (copy = 0; copy < copies / shown; copy++)
			number += get(field, bytes + copy * STRIDE);
		number &= (1ULL << 8 * field->size) - 1;
		len += sprintf(to + len, "%llu\n", number);
	}
	return len;
}

static int sample(struct file *file)
{
	file->sampled = model.element[file->key].there;
	file->consumed = false;
	file->sample = model.element[file->key];
	return file->sampled ? 0 : -ENOENT;
}

static int model_size(struct file *file, u64 *size)
{
	char text[256];
	int err = 0;

	*size = 0;
	if (file->is_new)
		return 0;
	if (!file->sampled)
		err = sample(file);
	if (!err)
		*size = text_of(&file->sample, text);
	return err;
}

static int model_read(struct file *file, u64 pos, size_t len, char to[256])
{
	char text[256];
	int err = 0;
	u64 size;

	if (file->is_new)
		return 0;
	if (!file->sampled || (!pos && file->consumed))
		err = sample(file);
	if (err)
		return err;
	file->consumed |= !pos;
	size = text_of(&file->sample, text);
	if (pos >= size)
		return 0;
	len = min(len, size - pos);
	memcpy(to, text + pos, len);
	return len;
}

static void set_leaf(struct element *e, u32 leaf, const struct change *change)
{
	const struct field *field = field_of(leaf);
	u32 copy = leaf / kind->fields;
	u8 *bytes = e->bytes[copy];

	if (field->is_text) {
		memcpy(bytes + field->offset, change->text, field->size);
		return;
	}
	put(field, bytes, change->add ? get(field, bytes) + change->number : change->number);
	/* What is set is the sum. */
	for (copy = 1; is_sum && !change->add && copy < copies; copy++)
		put(field, e->bytes[copy], 0);
}

static int store_fields(struct file *file, const struct change *changes)
{
	struct element *e = &model.element[file->key];
	bool adds = false;
	u32 leaf;

	for (leaf = 0; leaf < leaves(); leaf++) {
		adds |= changes[leaf].add;
		if (is_lock(field_of(leaf)) && (changes[leaf].set || changes[leaf].add))
			return -EPERM;
	}
	if (adds && (!e->there || model.frozen))
		return e->there ? -EPERM : -ENOENT;
	for (leaf = 0; leaf < leaves(); leaf++)
		if (changes[leaf].add &&
		    (field_of(leaf)->offset + is_unaligned) % field_of(leaf)->size)
			return -EOPNOTSUPP;
	if (model.frozen)
		return -EPERM;
	if (!e->there)
		return -ENOENT;
	for (leaf = 0; leaf < leaves(); leaf++)
		if (changes[leaf].set || changes[leaf].add)
			set_leaf(e, leaf, &changes[leaf]);
	return 0;
}

static int store_whole(struct file *file)
{
	enum bpffs_update flags = file->may_make ? BPFFS_ANY : BPFFS_EXIST;
	struct element e = {};
	u32 leaf;
	int err;

	if ((file->may_make && file->excl) || (owns && file->is_new))
		flags = BPFFS_NOEXIST;
	else if (owns)
		return -EPERM;
	for (leaf = 0; leaf < leaves(); leaf++) {
		if (is_lock(field_of(leaf)) && file->text.said[leaf].number)
			return -EPERM;
		set_leaf(&e, leaf, &file->text.said[leaf]);
	}
	err = update(file->key, &e, flags);
	if (err)
		return err;
	file->text.stored = true;
	file->is_new = false;
	file->may_make = false;
	return 0;
}

static int store_text(struct file *file, const struct change *changes)
{
	bool any = false, adds = false, at_once = true, all = true;
	struct text *t = &file->text;
	u32 leaf;
	int err = -ENOENT;

	for (leaf = 0; leaf < leaves(); leaf++) {
		const struct change *change = &changes[leaf];

		any |= change->set || change->add;
		adds |= change->add;
		at_once &= change->set;
		if (change->add)
			t->named[leaf] = false;
		if (change->set)
			t->said[leaf] = *change;
		all &= change->set || t->named[leaf];
	}
	if (!any)
		return 0;
	if (at_once ? file->is_new || !owns || leaves() > 1 :
		      all && !t->stored && (file->is_new || !owns)) {
		err = store_whole(file);
	} else {
		if (!file->is_new)
			err = store_fields(file, changes);
		if (!err) {
			file->may_make = false;
		} else if (err == -ENOENT && file->may_make && !adds) {
			file->is_new = true;
			err = 0;
		}
	}
	for (leaf = 0; leaf < leaves(); leaf++)
		t->named[leaf] |= changes[leaf].set;
	return err;
}

/* Can what comes next be another text without what there is? The only field's ends its line. */
static bool is_within(const struct file *file)
{
	const struct text *t = &file->text;
	size_t i;

	for (i = t->len; is_bare() && i-- && t->all[i] != '\n';)
		if (!strchr(" \t", t->all[i]))
			return true;
	return (t->len && !strchr(" \t\n", t->all[t->len - 1])) || (file->is_new && t->next);
}

static int model_write(struct file *file, u64 pos, const char *piece, size_t len)
{
	struct change changes[LEAVES] = {};
	struct text *t = &file->text;
	bool within;
	size_t old;
	int err;

	file->wrote = true;
	file->makes_zero = false;
	if (!pos)
		begin_text(t, 0);
	if (pos != t->next)
		return -EINVAL;
	if (t->failed)
		return t->failed;
	within = is_within(file);
	law(t->len + len <= sizeof(t->all), "more text than there is input");
	memcpy(t->all + t->len, piece, len);
	old = t->len;
	t->len += len;
	err = understand(t, old, changes);
	if (!err)
		err = store_text(file, changes);
	if (err) {
		begin_text(t, pos);
		t->failed = within ? err : 0;
		return err;
	}
	t->next += len;
	file->sampled = false;
	return 0;
}

/* futimens() of what has neither been there nor been written. */
static int model_touch(struct file *file)
{
	static const struct element zero;
	int err;

	if (!file->is_new || file->wrote || file->excl)
		return 0;
	file->is_new = false;
	file->makes_zero = false;
	err = update(file->key, &zero, BPFFS_NOEXIST);
	return err == -EEXIST ? 0 : err;
}

/* Return: is something said? */
static bool model_close(struct file *file, bool killed)
{
	if (file->makes_zero && !killed)
		return model_touch(file);
	if (!file->wrote)
		return false;
	return file->text.unfinished || (file->is_new && file->text.next);
}

/* --- Calls --- */

static struct model old_model;
static unsigned int old_sentence;

/* The model has gone ahead; the call is made between this and end_call(). */
static void begin_call(void)
{
	old_sentence = map->info.errors.next;
	before = &old_model;
	after = &model;
}

/* Return: is what comes of it left open? Then nothing has happened, or a part of it. */
static bool end_call(const char *call, ssize_t ret, ssize_t expected, bool says)
{
	bool stopped = has_stopped, failed = has_failed;
	bool said = map->info.errors.next != old_sentence;

	check_between();
	before = NULL;
	after = NULL;
	fail_alloc = 0;
	stop = 0;
	has_failed = false;
	has_stopped = false;
	if (stopped || ret == -ENOMEM) {
		law(ret == expected || (stopped && (ret == -EINTR || ret >= 0)) ||
		    (failed && ret == -ENOMEM), "%s: %zd, not %zd", call, ret, expected);
		if (!stopped)
			model = old_model;
		adopt_map();
		return true;
	}
	law(ret == expected, "%s: %zd, not %zd", call, ret, expected);
	law(failed || said == says, "%s: %zd %s a sentence", call, ret, said ? "with" : "without");
	check_map(call);
	return false;
}

/* After a call whose outcome is left open: nothing comes of the rest of it. */
static void drop_file(struct file *file)
{
	bpffs_open_end(&map->info, &file->key, file->open, true);
	check_map("close");
	free(file->open);
	file->open = NULL;
}

static void close_file(struct file *file, bool killed)
{
	bool says;

	if (!file->open)
		return;
	old_model = model;
	says = model_close(file, killed);
	/* Without memory for a zero element there is none, and this is said. */
	begin_call();
	bpffs_open_end(&map->info, &file->key, file->open, killed);
	if (has_failed && model.element[file->key].there && !real_element(file->key).there) {
		model = old_model;
		says = true;
	}
	end_call("close", 0, 0, says);
	free(file->open);
	file->open = NULL;
}

/* What O_CREAT may make, or the errno of open(2). */
static int may_open(u32 key, unsigned int flags)
{
	if (model.element[key].there)
		return flags & O_CREAT && flags & O_EXCL ? -EEXIST : 0;
	if (!(flags & O_CREAT))
		return -ENOENT;
	if (is_array)
		return -ERANGE;
	if (!can_create)
		return -EOPNOTSUPP;
	return model.frozen ? -EPERM : 0;
}

/* Core says what can be made; what is there, who calls it. */
static void open_file(struct file *file, u32 key, unsigned int flags, bool reads, bool writes)
{
	int expected, err = 0;
	char name[8];
	u32 made;

	/* It may make an element, for which another goes. */
	close_file(file, false);
	expected = may_open(key, flags);
	sprintf(name, "%u", key);
	if (!model.element[key].there && flags & O_CREAT) {
		err = bpffs_may_create(&map->info, name, strlen(name), &made);
		law(err == -ENOMEM || err == expected, "open: %d, not %d", err, expected);
		law(err || made == key, "open: another key");
	}
	if (err || expected)
		return;
	memset(file, 0, sizeof(*file));
	file->key = key;
	file->reads = reads;
	file->writes = writes;
	file->is_new = !model.element[key].there;
	file->may_make = flags & O_CREAT && can_create;
	file->excl = flags & O_EXCL;
	file->makes_zero = file->is_new && !(flags & (O_EXCL | O_TRUNC | O_APPEND));
	file->open = calloc(1, sizeof(*file->open) + bpffs_open_room(&map->info));
	bpffs_open_begin(&map->info, file->open, flags, file->is_new);
}

static void write_file(struct file *file, u64 pos, const char *text, size_t len)
{
	struct iov_iter from = { .at = exact(text, len), .left = len };
	char *bytes = from.at;
	int expected, err;

	old_model = model;
	expected = model_write(file, pos, text, len);
	begin_call();
	err = bpffs_open_write(&map->info, &file->key, file->open, pos, &from);
	if (end_call("write", err, expected, expected < 0))
		drop_file(file);
	free(bytes);
}

static void read_file(struct file *file, loff_t pos, size_t len)
{
	char *got = malloc(len + 1), text[256];
	struct iov_iter to = { .at = got, .left = len };
	ssize_t expected = model_read(file, pos, len, text), ret;
	loff_t end = pos;

	old_model = model;
	begin_call();
	ret = bpffs_open_read(&map->info, &file->key, file->open, &end, &to);
	law(ret < 0 || end == pos + ret, "read: %zd bytes, and %lld on", ret,
	    (long long)(end - pos));
	law(ret <= 0 || (ret <= expected && !memcmp(got, text, ret)), "read: not \"%.*s\"",
	    (int)max(expected, (ssize_t)0), text);
	if (end_call("read", ret, expected, false))
		drop_file(file);
	free(got);
}

static void stat_file(struct file *file)
{
	u64 size, is = 0;
	int expected = model_size(file, &size), err;

	old_model = model;
	begin_call();
	err = bpffs_open_size(&map->info, &file->key, file->open, &is);
	law(err || has_stopped || is == size, "fstat: %llu bytes, not %llu", is, size);
	if (end_call("fstat", err, expected, false))
		drop_file(file);
}

static void touch_file(struct file *file)
{
	int expected, err = 0;

	old_model = model;
	expected = model_touch(file);
	begin_call();
	if (bpffs_open_claims_zero(file->open))
		err = bpffs_store_zero(&map->info, &file->key);
	if (end_call("futimens", err, expected, expected < 0))
		drop_file(file);
}

static void unlink_key(u32 key)
{
	struct element *e = &model.element[key];
	int expected = 0, err;

	old_model = model;
	if (is_array)
		expected = -EPERM;
	else if (model.frozen)
		expected = -EPERM;
	else if (!e->there)
		expected = -ENOENT;
	else
		e->there = false;
	begin_call();
	err = bpffs_element_delete(&map->info, &key);
	end_call("unlink", err, expected, is_array);
}

/* --- The program --- */

static void program_stores(u32 key, const uint8_t *data, size_t size)
{
	struct element e = {};
	const struct field *field;
	int i = map_find(map, &key);
	u32 copy, n, byte;

	if (i < 0 && (is_array || (u32)map_elements(map) == map->info.max_entries))
		return;
	e.there = true;
	for (copy = 0; copy < copies; copy++) {
		for (n = 0; n < kind->fields; n++) {
			field = &kind->field[n];
			for (byte = 0; byte < field->size && size && !is_lock(field); byte++) {
				u8 is = field->is_text ? 'a' + *data % 26 : *data;

				e.bytes[copy][field->offset + byte] = is;
				data++;
				size--;
			}
		}
	}
	for (n = 0; i < 0; n++)
		if (!map->there[n])
			i = n;
	map->there[i] = true;
	memcpy(map->key[i], &key, sizeof(key));
	memcpy(map->value[i], e.bytes, copies * STRIDE);
	model.element[key] = e;
}

static void program_deletes(u32 key)
{
	int i = map_find(map, &key);

	if (i < 0 || is_array)
		return;
	map->there[i] = false;
	model.element[key].there = false;
}

/* --- The input --- */

static bool take_number(const char **at, const char *end, u32 *number)
{
	const char *begin = *at;

	for (*number = 0; *at < end && isdigit(**at) && *at < begin + 4; ++*at)
		*number = 10 * *number + **at - '0';
	if (*at < end && **at == ',')
		++*at;
	return *at > begin;
}

/* A text in the alphabet of the model. */
static size_t expand(const char *at, const char *end, char *to)
{
	static const char signs[] = "@#$";
	const char *sign;
	size_t len = 0;

	for (; at < end; at++) {
		sign = memchr(signs, *at, strlen(signs));
		if (sign)
			len += sprintf(to + len, "cpu%u%s", cpus[sign - signs],
				       *kind->field[0].name ? "." : "");
		else if (*at == ';')
			to[len++] = '\n';
		else if ((isalnum((u8)*at) && *at != 'x' && *at != 'X') ||
			 memchr("+-= \t", *at, 5))
			to[len++] = *at;
	}
	return len;
}

static void write_command(struct file *file, u64 pos, const char *at, const char *end)
{
	char *text = malloc(5 * (end - at) + 1);
	size_t len = expand(at, end, text);

	if (len)
		write_file(file, pos, text, len);
	free(text);
}

static void open_command(struct file *file, const char *at, const char *end)
{
	bool reads = memchr(at, 'r', end - at), both = memchr(at, '+', end - at);
	unsigned int flags = both ? O_RDWR : reads ? O_RDONLY : O_WRONLY;

	if (at == end || *at < '0' || *at >= '0' + KEYS)
		return;
	if (memchr(at, 'c', end - at))
		flags |= O_CREAT;
	if (memchr(at, 'e', end - at))
		flags |= O_EXCL;
	if (memchr(at, 't', end - at))
		flags |= O_TRUNC;
	if (memchr(at, 'a', end - at))
		flags |= O_APPEND;
	open_file(file, *at - '0', flags, reads || both, both || !reads);
}

static void file_command(char command, struct file *file, const char *at, const char *end)
{
	u32 n = 0, m = 0;

	if (command == 'o') {
		open_command(file, at, end);
		return;
	}
	if (!file->open)
		return;
	switch (command) {
	case 'w':
		if (file->writes)
			write_command(file, file->text.next, at, end);
		break;
	case 'W':
		if (file->writes && take_number(&at, end, &n))
			write_command(file, n, at, end);
		break;
	case 'r':
		if (file->reads && take_number(&at, end, &n)) {
			take_number(&at, end, &m);
			read_file(file, m, n);
		}
		break;
	case 's':
		stat_file(file);
		break;
	case 't':
		take_number(&at, end, &n);
		law(bpffs_open_truncate(file->open, n) ==
		    (!n || n == file->text.next ? 0 : -EINVAL), "ftruncate to %u", n);
		break;
	case 'u':
		touch_file(file);
		break;
	case 'c':
	case 'k':
		close_file(file, command == 'k');
	}
}

static void command(const char *at, const char *end)
{
	char what = at < end ? *at++ : '\0';
	bool has_digit = at < end && *at >= '0' && *at < '0' + KEYS;
	u32 n;

	if (what == 'F') {
		map->frozen = true;
		model.frozen = true;
	} else if (what == 'm' && take_number(&at, end, &n)) {
		fail_alloc = n;
	} else if (what == 'i' && take_number(&at, end, &n)) {
		stop = n;
	} else if (has_digit && what == 'p') {
		program_stores(*at - '0', (const uint8_t *)at + 1, end - at - 1);
	} else if (has_digit && what == 'd') {
		program_deletes(*at - '0');
	} else if (has_digit && what == 'x') {
		unlink_key(*at - '0');
	} else if (has_digit && *at < '0' + FILES) {
		file_command(what, &files[*at - '0'], at + 1, end);
	}
}

/* Return: is it a map? */
static bool begin(const char *line, size_t len)
{
	static const struct {
		char letter;
		u32 type;
	} types[] = {
		{ 'h', BPFFS_TYPE_HASH }, { 'l', BPFFS_TYPE_LRU_HASH }, { 'a', BPFFS_TYPE_ARRAY },
		{ 'p', BPFFS_TYPE_PERCPU_HASH }, { 'q', BPFFS_TYPE_PERCPU_ARRAY },
		{ 'c', BPFFS_TYPE_CGROUP_STORAGE },
	};
	u32 type = 0, i;

	if (len < 2 || line[1] < '0' || line[1] >= '0' + (int)ARRAY_SIZE(kinds))
		return false;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].letter == line[0])
			type = types[i].type;
	if (!type)
		return false;
	kind = &kinds[line[1] - '0'];
	is_array = line[0] == 'a' || line[0] == 'q';
	can_create = strchr("hlp", line[0]);
	evicts = line[0] == 'l';
	is_percpu = line[0] == 'p' || line[0] == 'q';
	is_sum = is_percpu && memchr(line, 's', len);
	is_unaligned = memchr(line, 'u', len);
	owns = memchr(line, 'o', len) && kind->fields > 1 && !kind->field[1].is_text;
	has_lock = owns || (memchr(line, 'k', len) && kind->fields > 1);
	copies = is_percpu ? COPIES : 1;
	shown = is_sum ? 1 : copies;

	map = map_new(type, "u32", sizeof(u32), kind->layout, kind->size, is_percpu ? COPIES : 0,
		      is_sum);
	map->unaligned = is_unaligned;
	map->owns = owns;
	if (has_lock) {
		map->special = kind->field[1].offset;
		map->special_size = kind->field[1].size;
	}
	memset(&model, 0, sizeof(model));
	adopt_map();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = data;
	size_t len = take_line(&data, &size);
	u32 i;

	if (!begin((const char *)line, len))
		return -1;
	allocated = 0;
	at_turn = check_between;
	while (size) {
		line = data;
		len = take_line(&data, &size);
		command((const char *)line, (const char *)line + len);
	}
	for (i = 0; i < FILES; i++)
		close_file(&files[i], false);
	for (i = 0; i < BPFFS_ERRORS; i++)
		allocated -= !!map->info.errors.sentence[i];
	law(!allocated, "%ld allocations are left", allocated);
	map_free(map);
	fail_alloc = 0;
	stop = 0;
	return 0;
}
