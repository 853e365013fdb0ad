// SPDX-License-Identifier: GPL-2.0-only
/*
 * What fsx does, for files that are elements: operations at random, against a model that
 * knows the bytes, by files, .bpf/table and bpf(2). The seed makes it the same each time:
 * EXERCISER_SEED=N EXERCISER_STEPS=N take others.
 */
#include "util.h"

#include <sys/sendfile.h>

#define KEYS	4
#define FILES	6
#define BYTES	20
#define TEXT	512

struct value {
	__u64 a;
	__u32 b;
	__u8 c[BYTES];
};

/* @sampled, @consumed: see struct bpffs_open in fs/core/element.h */
struct file {
	int fd;
	__u32 key;
	bool sampled;
	bool consumed;
	char text[TEXT];
};

/* What should be there. */
static struct {
	bool exists[KEYS];
	struct value value[KEYS];
	struct file file[FILES];
} model;

static int map;
static __u64 state;
/* The first difference. */
static char wrong[4 * TEXT];

static __u32 pick(__u32 below)
{
	return random_below(&state, below);
}

static bool chance(void)
{
	return pick(2);
}

__attribute__((format(printf, 1, 2)))
static void differs(const char *fmt, ...)
{
	va_list args;

	if (*wrong)
		return;
	va_start(args, fmt);
	vsnprintf(wrong, sizeof(wrong), fmt, args);
	va_end(args);
}

static void expect(long is, long should, const char *what)
{
	if (is != should)
		differs("%s: is %ld, should be %ld", what, is, should);
}

/* A number of bytes, or a negative errno. */
#define RESULT(call) ({ long _ret = (call); _ret < 0 ? -errno : _ret; })

/* --- Values and their texts --- */

static struct value random_value(void)
{
	struct value value;
	int i;

	value.a = (__u64)pick(1 << 30) << pick(34);
	value.b = pick(1 << 30);
	for (i = 0; i < BYTES; i++)
		value.c[i] = pick(256);
	return value;
}

static void to_bytes(const struct value *value, __u8 bytes[12 + BYTES])
{
	memcpy(bytes, &value->a, 8);
	memcpy(bytes + 8, &value->b, 4);
	memcpy(bytes + 12, value->c, BYTES);
}

static int put_field(char *to, const struct value *value, int field)
{
	int len, i;

	switch (field) {
	case 0:
		return sprintf(to, "a=%llu", (unsigned long long)value->a);
	case 1:
		return sprintf(to, "b=%u", value->b);
	default:
		len = sprintf(to, "c=");
		for (i = 0; i < BYTES; i++)
			len += sprintf(to + len, "%02x", value->c[i]);
		return len;
	}
}

static void text_of_value(char *to, const struct value *value, char separator)
{
	int field;

	for (field = 0; field < 3; field++) {
		to += put_field(to, value, field);
		*to++ = field < 2 ? separator : '\n';
	}
	*to = '\0';
}

/* Some of the fields, or @all, in any order; @is becomes what they make of it. */
static void random_text(char *to, struct value *is, bool all)
{
	struct value new = random_value();
	int fields = all ? 7 : 1 + pick(7), field, left;

	for (left = fields; left;) {
		field = pick(3);
		if (!(left & 1 << field))
			continue;
		left &= ~(1 << field);
		/* What is added to must be there. */
		if (!all && !field && chance()) {
			new.a = pick(1000);
			to += sprintf(to, "a+=%llu", (unsigned long long)new.a);
			new.a += is->a;
		} else {
			to += put_field(to, &new, field);
		}
		*to++ = '\n';
	}
	*to = '\0';
	if (fields & 1)
		is->a = new.a;
	if (fields & 2)
		is->b = new.b;
	if (fields & 4)
		memcpy(is->c, new.c, BYTES);
}

/* --- Open files --- */

static void sample(struct file *file)
{
	file->sampled = model.exists[file->key];
	if (!file->sampled)
		return;
	file->consumed = false;
	text_of_value(file->text, &model.value[file->key], '\n');
}

static void read_at(struct file *file, long pos, long count)
{
	char text[TEXT] = "";
	long should = -ENOENT, len = RESULT(pread(file->fd, text, count, pos));

	if (!file->sampled || (!pos && file->consumed))
		sample(file);
	if (file->sampled) {
		should = (long)strlen(file->text) - pos;
		should = should < 0 ? 0 : should < count ? should : count;
		if (!pos)
			file->consumed = true;
	}
	expect(len, should, "pread");
	if (len > 0 && memcmp(text, file->text + pos, len))
		differs("pread of %ld at %ld: is\n%sshould be\n%s", count, pos, text,
			file->text + pos);
}

/* Whatever sample it had, it has a new one. */
static void read_anew(struct file *file)
{
	char byte;

	if (pread(file->fd, &byte, 1, 0) == 1)
		file->sampled = file->consumed = true;
	read_at(file, 0, TEXT - 1);
}

static void open_one(struct file *file, int flags)
{
	if (file->fd >= 0)
		close(file->fd);
	file->key = pick(KEYS);
	file->sampled = file->consumed = false;
	file->fd = RESULT(open(at("%u", file->key), flags));
	if (!model.exists[file->key])
		expect(file->fd, -ENOENT, "open of what is not there");
	else if (file->fd < 0)
		expect(file->fd, 0, "open");
}

/* --- What is done --- */

static void write_at_once(struct file *file)
{
	struct value new = model.value[file->key];
	char text[TEXT];
	long len;

	random_text(text, &new, chance());
	len = RESULT(pwrite(file->fd, text, strlen(text), 0));
	if (!model.exists[file->key]) {
		expect(len, -ENOENT, "write to what is gone");
		return;
	}
	expect(len, strlen(text), "write");
	model.value[file->key] = new;
	file->sampled = false;
}

/* Cut anywhere. */
static void write_in_pieces(struct file *file)
{
	struct value new = model.value[file->key];
	char text[TEXT];
	long pos, len, is = 0;

	random_text(text, &new, true);
	for (pos = 0; text[pos] && is >= 0; pos += len) {
		len = 1 + pick(40);
		len = len < strlen(text + pos) ? len : strlen(text + pos);
		is = RESULT(pwrite(file->fd, text + pos, len, pos));
		if (is >= 0)
			expect(is, len, "write of a piece");
	}
	if (!model.exists[file->key]) {
		expect(is, -ENOENT, "write of a piece to what is gone");
		read_anew(file);
		return;
	}
	if (is < 0)
		expect(is, 0, "write of a piece");
	model.value[file->key] = new;
	file->sampled = false;
}

/* Nothing changes. */
static void write_rubbish(struct file *file)
{
	static const char rubbish[] = "gz=\n %~,";
	struct value new = model.value[file->key];
	char text[TEXT];

	random_text(text, &new, true);
	/* A name, or a digit. */
	text[chance() ? 0 : strcspn(text, "=") + 1] = rubbish[pick(sizeof(rubbish) - 1)];
	expect(RESULT(pwrite(file->fd, text, strlen(text), 0)), -EINVAL, text);
}

static void write_behind(struct file *file)
{
	expect(RESULT(pwrite(file->fd, "b=1\n", 4, 1000 + pick(100000))), -EINVAL,
	       "write behind a gap");
}

static void cut(struct file *file)
{
	long size = chance() ? 0 : 1000 + pick(100000);

	expect(RESULT(ftruncate(file->fd, size)), size ? -EINVAL : 0, "ftruncate");
	read_anew(file);
}

static void cut_by_name(struct file *file)
{
	long size = chance() ? 0 : 1 + pick(100000);

	expect(RESULT(truncate(at("%u", file->key), size)),
	       !model.exists[file->key] ? -ENOENT : size ? -EINVAL : 0, "truncate");
}

static void look(struct file *file)
{
	struct stat st;

	if (!model.exists[file->key])
		return;
	expect(RESULT(fstat(file->fd, &st)), 0, "fstat");
	if (!file->sampled)
		sample(file);
	expect(st.st_size, strlen(file->text), "size");
	expect(RESULT(lseek(file->fd, 0, SEEK_END)), strlen(file->text), "lseek to the end");
	expect(RESULT(lseek(file->fd, 0, SEEK_SET)), 0, "lseek to the start");
}

static void open_any(struct file *file)
{
	open_one(file, O_RDWR | O_CLOEXEC | (chance() ? O_TRUNC : 0));
}

static void send(struct file *file)
{
	char text[TEXT] = "";
	off_t pos = 0;
	int ends[2];
	long len;

	/* By FUSE, the kernel has pages of it from the first time on, and goes by their size. */
	if (is_fuse())
		open_one(file, O_RDWR | O_CLOEXEC);
	if (file->fd < 0)
		return;
	read_anew(file);
	if (!file->sampled || pipe(ends))
		return;
	/* Each is the sample of a read at the start. */
	len = RESULT(sendfile(ends[1], file->fd, &pos, TEXT - 1));
	expect(len, strlen(file->text), "sendfile");
	if (len > 0 && (read(ends[0], text, len) != len || strcmp(text, file->text)))
		differs("sendfile: is\n%sshould be\n%s", text, file->text);
	close(ends[0]);
	close(ends[1]);
}

static void by_bpf(struct file *file)
{
	__u32 key = pick(KEYS);
	__u8 bytes[12 + BYTES];

	if (chance()) {
		model.value[key] = random_value();
		model.exists[key] = true;
		to_bytes(&model.value[key], bytes);
		expect(bpf_map_update_elem(map, &key, bytes, 0), 0, "update by bpf(2)");
	} else {
		expect(bpf_map_delete_elem(map, &key), model.exists[key] ? 0 : -ENOENT,
		       "delete by bpf(2)");
		model.exists[key] = false;
	}
}

static void remove_one(struct file *file)
{
	__u32 key = pick(KEYS);

	expect(RESULT(unlink(at("%u", key))), model.exists[key] ? 0 : -ENOENT, "unlink");
	model.exists[key] = false;
}

/* As shells and editors do it, from the open to the close. */
static void make_one(struct file *file)
{
	__u32 key = pick(KEYS);
	struct value new = model.exists[key] ? model.value[key] : (struct value){};
	int more = chance() ? O_TRUNC : chance() ? O_EXCL : 0;
	bool all = chance(), nothing = !pick(4);
	char text[TEXT];
	int fd;

	random_text(text, &new, all || !model.exists[key]);
	fd = RESULT(open(at("%u", key), O_WRONLY | O_CREAT | O_CLOEXEC | more, 0644));
	if (more == O_EXCL && model.exists[key]) {
		expect(fd, -EEXIST, "open of what is there, by O_EXCL");
		return;
	}
	if (fd < 0) {
		expect(fd, 0, "open by O_CREAT");
		return;
	}
	if (!nothing) {
		expect(RESULT(write(fd, text, strlen(text))), strlen(text), "write");
		model.value[key] = new;
		model.exists[key] = true;
	} else if (!model.exists[key] && !more) {
		/* touch(1) */
		model.value[key] = (struct value){};
		model.exists[key] = true;
	}
	expect(RESULT(close(fd)), 0, "close");
}

static void by_table(struct file *file)
{
	__u32 key = pick(KEYS);
	struct value new = random_value();
	char line[TEXT];
	int len = sprintf(line, "%u ", key);

	text_of_value(line + len, &new, ' ');
	expect(write_to(at(".bpf/table"), 0, line), 0, "write to the table");
	model.value[key] = new;
	model.exists[key] = true;
}

/* --- Is all as it should be? --- */

static void compare_bytes(void)
{
	__u8 is[12 + BYTES], should[12 + BYTES];
	__u32 key;
	int err;

	for (key = 0; key < KEYS; key++) {
		err = bpf_map_lookup_elem(map, &key, is);
		expect(err, model.exists[key] ? 0 : -ENOENT, "lookup by bpf(2)");
		to_bytes(&model.value[key], should);
		if (!err && model.exists[key] && memcmp(is, should, sizeof(is)))
			differs("key %u: the value is not what was written", key);
	}
}

static void compare_table(void)
{
	char should[KEYS * TEXT] = "", line[TEXT];
	const char *is = text_of(at(".bpf/table"));
	long count = 0, lines = 0;
	__u32 key;

	for (key = 0; key < KEYS; key++) {
		if (!model.exists[key])
			continue;
		count++;
		text_of_value(line + sprintf(line, "%u ", key), &model.value[key], ' ');
		if (!strstr(is, line))
			differs("the table is\n%swithout\n%s", is, line);
	}
	for (; *is; is++)
		lines += *is == '\n';
	expect(lines, count, "lines of the table");
	expect(count_names(MNT), count, "names");
	sprintf(should, "%ld\n", count);
	if (strcmp(text_of(at(".bpf/count")), should))
		differs("count is not %ld", count);
}

static const struct {
	void (*run)(struct file *file);
	bool opened;
	const char *name;
} steps[] = {
	{ write_at_once, true, "write" }, { write_at_once, true, "write" },
	{ write_in_pieces, true, "pieces" }, { write_rubbish, true, "rubbish" },
	{ write_behind, true, "gap" }, { cut, true, "ftruncate" },
	{ cut_by_name, false, "truncate" }, { look, true, "look" }, { send, true, "sendfile" },
	{ by_bpf, false, "bpf(2)" }, { remove_one, false, "unlink" },
	{ make_one, false, "make" }, { make_one, false, "make" },
	{ by_table, false, "table" }, { open_any, false, "open" }, { open_any, false, "open" },
};

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static const char *exercise(unsigned long seed, long count)
{
	static char said[5 * TEXT];
	unsigned int i = 0;
	struct file *file;
	long step;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	memset(&model, 0, sizeof(model));
	for (file = model.file; file < model.file + FILES; file++)
		file->fd = -1;
	*wrong = *said = '\0';
	for (step = 0; step < count && !*wrong; step++) {
		file = &model.file[pick(FILES)];
		if (file->fd >= 0 && pick(3)) {
			i = ARRAY_SIZE(steps);
			read_at(file, pick(3) ? pick(100) : 0, 1 + pick(TEXT - 1));
		} else {
			do {
				i = pick(ARRAY_SIZE(steps));
			} while (steps[i].opened && file->fd < 0);
			steps[i].run(file);
		}
		compare_bytes();
		if (!(step % 64))
			compare_table();
	}
	for (file = model.file; file < model.file + FILES; file++)
		if (file->fd >= 0)
			close(file->fd);
	if (*wrong)
		snprintf(said, sizeof(said), "seed %lu, step %ld, %s: %s", seed, step - 1,
			 i < ARRAY_SIZE(steps) ? steps[i].name : "read", wrong);
	return said;
}

FIXTURE(exerciser) {
	int map;
};

FIXTURE_VARIANT(exerciser) {
	enum bpf_map_type type;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(exerciser, hash) { .type = BPF_MAP_TYPE_HASH };
FIXTURE_VARIANT_ADD(exerciser, hash_no_prealloc) {
	.type = BPF_MAP_TYPE_HASH, .flags = BPF_F_NO_PREALLOC
};
FIXTURE_VARIANT_ADD(exerciser, lru_hash) { .type = BPF_MAP_TYPE_LRU_HASH };

FIXTURE_SETUP(exerciser)
{
	ASSERT_EQ(0, private_mounts());
	map = make_map(variant->type, 4, 12 + BYTES, 1000, variant->flags);
	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=a=u64:b=u32:c=hex20"));
}

FIXTURE_TEARDOWN(exerciser)
{
	umount(MNT);
	close(map);
}

TEST_F(exerciser, against_a_model)
{
	unsigned long seed = number("EXERCISER_SEED", 1), i;
	long count = number("EXERCISER_STEPS", scaled(access("/run/vm", F_OK) ? 1000 : 200));

	TH_LOG("seeds %lu to %lu, %ld steps each", seed, seed + 1, count);
	for (i = seed; i < seed + 2; i++) {
		ASSERT_STREQ("", exercise(i, count));
		EXPECT_EQ(0, sh("rm -f " MNT "/*"));
	}
}

TEST_HARNESS_MAIN
