// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two laws of layouts, on random layouts and random bytes:
 *
 * - every key has one name, and every name one key;
 * - the text of a value gives the same bytes back, whatever the pieces are in
 *   which it is read and written; and any text, right or wrong, is understood alike
 *   whether its fields come whole or byte by byte.
 *
 * usage: property [CASES [SEED]]
 */
#include <inttypes.h>
#include <time.h>

#include "text.h"

#define LAYOUT_MAX	8192
#define SIZE_MAX_BYTES	4096

static uint64_t state;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static uint32_t below(uint32_t n)
{
	return (rnd() >> 33) % n;
}

/* --- Random layouts --- */

struct text {
	char buf[LAYOUT_MAX];
	size_t len;
	unsigned int names;
};

__attribute__((format(printf, 2, 3)))
static void put(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	t->len += vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, args);
	va_end(args);
}

static void put_name(struct text *t)
{
	static const char * const names[] = { "a", "u8", "pad", "cpu", "x_9", "N" };

	put(t, "%s%u", names[below(6)], t->names++);
}

/* What of an integer's @bits comes next; returns how many it has. */
static unsigned int put_part(struct text *t, unsigned int bits)
{
	unsigned int width = 1 + below(bits), labels, n;

	if (!below(3)) {
		put(t, ".%u", width);
		return width;
	}
	put_name(t);
	put(t, ".%.*s%u", (int)below(2), &"usx"[below(3)], width);
	/* What fits in all but the sign. */
	for (n = 0, labels = below(4) ? 0 : 1 + below(3); n < labels; n++)
		put(t, "%cE%u=%u", n ? '/' : '{', n, width > 1 ? below(2) : 0);
	if (labels)
		put(t, "}");
	return width;
}

static unsigned int put_integer(struct text *t, bool use_bits)
{
	static const struct {
		const char *name;
		unsigned int size;
	} types[] = {
		{ "u8", 1 }, { "u16", 2 }, { "u32", 4 }, { "u64", 8 },
		{ "s8", 1 }, { "s16", 2 }, { "s32", 4 }, { "s64", 8 },
		{ "be16", 2 }, { "be32", 4 }, { "be64", 8 },
		{ "x8", 1 }, { "x16", 2 }, { "x32", 4 }, { "x64", 8 },
	};
	unsigned int i = below(15);
	unsigned int bits = 8 * types[i].size;
	unsigned int n;

	put(t, "%s", types[i].name);
	switch (below(6)) {
	case 0:
		for (n = 0; n < 1 + below(4); n++)
			put(t, "%cE%0*u=%u", n ? '/' : '{', below(50) ? 1 : 1 + below(254), n,
			    below(n % 2 ? 100 : 4));
		put(t, "}");
		break;
	case 1:
		if (!use_bits)
			break;
		for (n = 0; bits; n++) {
			put(t, "%c", n ? '/' : '{');
			bits -= put_part(t, bits);
		}
		put(t, "}");
		break;
	}
	return types[i].size;
}

static unsigned int put_group(struct text *t, unsigned int depth, unsigned int max,
			      bool value);

/* A field; returns its size. */
static unsigned int put_field(struct text *t, unsigned int depth, bool value)
{
	unsigned int size, count = 1, n;
	unsigned int kind = below(depth ? 12 : 10);
	/* Values need names where a group or an array could have two without. */
	bool named = value ? kind != 5 && (depth < 3 || below(2)) : below(2);

	if (kind == 5)
		named = false;
	if (named) {
		put_name(t);
		put(t, "=");
	}
	switch (kind) {
	case 0:
		put(t, "bool");
		size = 1;
		break;
	case 1:
		put(t, "ip4");
		size = 4;
		break;
	case 2:
		put(t, "ip6");
		size = 16;
		break;
	case 3:
		put(t, "mac");
		size = 6;
		break;
	case 4:
		size = 1 + below(below(8) ? 12 : 400);
		put(t, "str%u", size);
		break;
	case 5:
		size = 1 + below(8);
		put(t, "pad%u", size);
		break;
	case 6:
		size = 1 + below(below(8) ? 12 : 400);
		put(t, "hex%u", size);
		break;
	case 10:
	case 11:
		put(t, "{");
		size = put_group(t, depth - 1, 4, value);
		put(t, "}");
		break;
	default:
		size = put_integer(t, true);
	}
	for (n = below(6) ? 0 : 1 + below(2); n && named; n--) {
		unsigned int dim = 1 + below(5);

		put(t, "[%u]", dim);
		count *= dim;
	}
	return size * count;
}

static unsigned int put_group(struct text *t, unsigned int depth, unsigned int max,
			      bool value)
{
	unsigned int fields = 1 + below(max), size = 0, i;

	for (i = 0; i < fields; i++) {
		if (i)
			put(t, ":");
		size += put_field(t, depth, value);
	}
	return size;
}

/* --- The laws --- */

static const char *layout_text;

__attribute__((format(printf, 1, 2), noreturn))
static void fail(const char *fmt, ...)
{
	va_list args;

	printf("not ok 1 property: layout %s: ", layout_text);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(1);
}

/* Bytes that meet the odd cases more often than chance. */
static void fill(uint8_t *bytes, unsigned int size)
{
	static const uint8_t odd[] = { 0, 0, 1, 0x7f, 0x80, 0xff, '/', '.', '-', ',', '~', '%', '=',
				       '\n', ' ', 'a' };
	unsigned int how = below(4), i;

	for (i = 0; i < size; i++)
		bytes[i] = !how ? 0 : how == 1 ? rnd() >> 40 : odd[below(16)];
}

static bool is_safe(const char *text, size_t len, const char *also)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (!c || c > 126 || (!isalnum(c) && !strchr("._:@+,=~-%", c) &&
				      !strchr(also, c)))
			return false;
	}
	return true;
}

/* The name of a file is the whole one, or its begin and a hash. */
static void check_short(const struct bpffs_layout *layout, const uint8_t *key,
			const char *whole, int whole_len)
{
	char name[BPFFS_NAME_MAX + 1];
	uint8_t back[SIZE_MAX_BYTES];
	int len = bpffs_name_encode(layout, key, name);

	if (strlen(name) != (size_t)len || len > BPFFS_NAME_MAX)
		fail("a file's name of %d bytes", len);
	if (bpffs_name_is_short(name, len) != (whole_len > BPFFS_NAME_MAX))
		fail("%s is short, or is not", name);
	if (whole_len <= BPFFS_NAME_MAX) {
		if (strcmp(name, whole))
			fail("%s is no short name of %s", name, whole);
		return;
	}
	if (bpffs_name_is_short(whole, whole_len))
		fail("%s ends as a short one", whole);
	if (!is_safe(name, len, "") || memcmp(name, whole, len - 42))
		fail("%s is the short name of %s", name, whole);
	if (!bpffs_name_decode(layout, name, len, back, NULL))
		fail("%s is taken as a whole", name);
}

static void check_other(const struct bpffs_layout *layout, const uint8_t *key,
			const uint8_t *other)
{
	char name[BPFFS_NAME_MAX + 1], again[BPFFS_NAME_MAX + 1];

	bpffs_name_encode(layout, key, name);
	bpffs_name_encode(layout, other, again);
	if (!bpffs_layout_has_plen(layout) && !strcmp(name, again))
		fail("two files are %s", name);
}

static void check_key(const struct bpffs_layout *layout, unsigned int size)
{
	uint8_t key[SIZE_MAX_BYTES], back[SIZE_MAX_BYTES], other[SIZE_MAX_BYTES];
	static char name[BPFFS_WHOLE_NAME_MAX + 2], again[BPFFS_WHOLE_NAME_MAX + 2];
	struct bpffs_reason why = {};
	int len, len2;

	fill(key, size);
	len = bpffs_name_whole(layout, key, name);
	check_short(layout, key, name, len);
	if (len < 1 || len > (int)bpffs_layout_name_max(layout) || strlen(name) != (size_t)len)
		fail("length %d of %s", len, name);
	if (!is_safe(name, len, "") || *name == '.' || *name == '-')
		fail("unsafe name %s", name);
	if (bpffs_name_decode(layout, name, len, back, &why))
		fail("%s is refused: %s", name, why.text);
	if (bpffs_layout_has_plen(layout)) {
		/* Host bits are not kept: the name is the test. */
		bpffs_name_whole(layout, back, again);
		if (strcmp(name, again))
			fail("%s became %s", name, again);
	} else if (memcmp(key, back, size)) {
		fail("%s names another key", name);
	}

	/* Another key has another name. */
	memcpy(other, back, size);
	other[below(size)] ^= 1 << below(8);
	bpffs_name_whole(layout, other, again);
	if (!bpffs_layout_has_plen(layout) && !strcmp(name, again))
		fail("two keys are %s", name);
	check_other(layout, back, other);

	/* Another spelling is refused, or names another key by its own name. */
	memcpy(again, name, len + 1);
	len2 = len;
	switch (below(4)) {
	case 0:
		again[below(len)] = "0aA.,-~%x=:F\0"[below(13)];
		break;
	case 1:
		if (len2 < BPFFS_WHOLE_NAME_MAX) {
			unsigned int at = below(len + 1);

			memmove(again + at + 1, name + at, len - at);
			again[at] = "0aA.,-~%x+:F "[below(13)];
			len2++;
		}
		break;
	case 2:
		memmove(again + below(len), name + len - 1, 1);
		len2--;
		break;
	case 3:
		again[below(len)] ^= 32;
		break;
	}
	again[len2] = '\0';
	if ((len2 == len && !memcmp(again, name, len)) ||
	    bpffs_name_decode(layout, again, len2, other, &why))
		return;
	if (!memcmp(other, back, size))
		fail("%s and %s name one key", name, again);
	len = bpffs_name_whole(layout, other, name);
	if (len != len2 || memcmp(name, again, len))
		fail("%s is accepted for %s", again, name);
}

/* Of one field, and what its text is; false: it is no number. */
static bool parse_one(struct bpffs_parser *parser, const char *fmt, const char *field,
		      int name, int len)
{
	static char text[65536];
	struct bpffs_reason why = {};

	snprintf(text, sizeof(text), fmt, name, field, len - name, field + name,
		 name, field, len - name, field + name);
	bpffs_parse_begin(parser);
	if (!bpffs_parse_piece(parser, text, strlen(text), &why))
		return true;
	if (!strstr(why.text, "only to a decimal number"))
		fail("%s is refused: %s", text, why.text);
	return false;
}

/* What is added and then taken away again leaves the same bytes. */
static void check_addition(const struct bpffs_shape *shape, struct bpffs_parser *parser,
			   const uint8_t *value, const char *text, size_t len)
{
	size_t bytes = (size_t)shape->copies * shape->stride, from = below(len), i;
	static uint8_t sum[3 * SIZE_MAX_BYTES];
	const char *field, *equals;
	int name, all;

	while (from && text[from - 1] != shape->separator)
		from--;
	field = text + from;
	all = (const char *)memchr(field, shape->separator, len - from) - field;
	equals = memchr(field, '=', all);
	/* Of a string alone, "=" is a byte; of several fields, the first is added to. */
	if (!equals || (!shape->cpus && bpffs_layout_bare(shape->layout)) || *field == '~' ||
	    (all > 6 && !memcmp(field + 4, ".~", 2)))
		return;
	name = equals - field;
	if (!parse_one(parser, "%.*s+%.*s ", field, name, all))
		return;
	memcpy(sum, value, bytes);
	if (bpffs_parse_all_fresh(parser) || !bpffs_parse_adds(parser))
		fail("%.*s: an addition names the field", all, field);
	bpffs_shape_add(shape, bpffs_parse_next_fresh(parser, 0), bpffs_parse_value(parser), sum);
	parse_one(parser, "%.*s-%.*s ", field, name, all);
	bpffs_shape_add(shape, bpffs_parse_next_fresh(parser, 0), bpffs_parse_value(parser), sum);
	if (memcmp(sum, value, bytes))
		fail("%.*s: added, and taken away", all, field);
	parse_one(parser, "%.*s%.*s %.*s-%.*s ", field, name, all);
	for (i = 0; i < bytes; i++)
		if (((const uint8_t *)bpffs_parse_value(parser))[i] || bpffs_parse_adds(parser))
			fail("%.*s: set, and taken away", all, field);
}

/* A few bytes of it are others: some such texts are still read, some refused. */
static size_t change_text(char *text, size_t len)
{
	static const char bytes[] = "0159aAf\n\n\t.,-~%x=+_:  ";
	size_t changes = below(3), at;

	while (len && changes--) {
		at = below(len);
		switch (below(3)) {
		case 0:
			text[at] = bytes[below(sizeof(bytes) - 1)];
			break;
		case 1:
			memmove(text + at + 1, text + at, len - at);
			text[at] = bytes[below(sizeof(bytes) - 1)];
			len++;
			break;
		case 2:
			len--;
			memmove(text + at, text + at + 1, len - at);
			break;
		}
	}
	return len;
}

/* What has been parsed is the same. */
static bool is_same(const struct bpffs_shape *shape, struct bpffs_parser *a,
		    struct bpffs_parser *b, const struct bpffs_reason *why_a,
		    const struct bpffs_reason *why_b)
{
	u64 n, m = bpffs_parse_next_fresh(b, 0);

	for (n = bpffs_parse_next_fresh(a, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(a, n + 1)) {
		if (n != m || bpffs_parse_is_added(a, n) != bpffs_parse_is_added(b, n))
			return false;
		m = bpffs_parse_next_fresh(b, n + 1);
	}
	return m == U64_MAX && !memcmp(bpffs_parse_value(a), bpffs_parse_value(b),
				       (size_t)shape->copies * shape->stride) &&
	       bpffs_parse_all_fresh(a) == bpffs_parse_all_fresh(b) &&
	       bpffs_parse_all_named(a) == bpffs_parse_all_named(b) &&
	       why_a->column == why_b->column && !strcmp(why_a->text, why_b->text);
}

static int parse_bytes(struct bpffs_parser *parser, const char *text, size_t len,
		       struct bpffs_reason *why)
{
	int err = 0;
	size_t i;

	for (i = 0; i < len && !err; i++)
		err = bpffs_parse_piece(parser, text + i, 1, why);
	return err;
}

/* Of a byte alone, no field is taken at once. */
static void check_bytes(const struct bpffs_shape *shape, const uint8_t *value)
{
	struct bpffs_parser *whole = bpffs_parser_new(shape), *bytes = bpffs_parser_new(shape);
	static uint8_t others[3 * SIZE_MAX_BYTES];
	struct bpffs_text_pos pos = {};
	static char text[2 * 65536 + 4];
	size_t len, at, want;

	len = bpffs_text_read(shape, value, 0, &pos, text, 65536);
	if (!below(3)) {
		/* Then its fields again, with other texts. */
		fill(others, shape->copies * shape->stride);
		memset(&pos, 0, sizeof(pos));
		len += bpffs_text_read(shape, others, 0, &pos, text + len, 65536);
	}
	len = change_text(text, len);
	for (at = 0; at < len; at += want) {
		struct bpffs_reason why = {}, why_bytes = {};
		char *piece;

		/* Exactly these bytes, for who looks at what is read behind them. */
		want = below(2) ? len - at : 1 + below(len - at);
		piece = malloc(want);
		memcpy(piece, text + at, want);
		if (bpffs_parse_piece(whole, piece, want, &why) !=
		    parse_bytes(bytes, piece, want, &why_bytes) ||
		    !is_same(shape, whole, bytes, &why, &why_bytes))
			fail("%s byte by byte: %s: %.*s", why.text, why_bytes.text, (int)len, text);
		free(piece);
		if (bpffs_parse_pause(whole, &why) != bpffs_parse_pause(bytes, &why_bytes) ||
		    bpffs_parse_unfinished(whole, &why) !=
		    bpffs_parse_unfinished(bytes, &why_bytes) ||
		    !is_same(shape, whole, bytes, &why, &why_bytes))
			fail("%s after bytes: %s: %.*s", why.text, why_bytes.text, (int)len, text);
		if (below(2)) {
			bpffs_parse_commit(whole);
			bpffs_parse_commit(bytes);
			if (bpffs_parse_any_fresh(whole))
				fail("stored, and yet fresh: %.*s", (int)len, text);
		}
	}
	bpffs_parser_free(whole);
	bpffs_parser_free(bytes);
}

static void check_value(const struct bpffs_layout *layout, unsigned int size)
{
	static char text[65536], part[65536];
	static uint8_t value[3 * SIZE_MAX_BYTES];
	static const u32 cpus[3] = { 0, 2, 13 };
	struct bpffs_shape shape = {
		.layout = layout, .copies = 1, .stride = (size + 7) & ~7,
		.separator = below(2) ? '\n' : ' ',
	};
	struct bpffs_text_pos pos = {};
	struct bpffs_reason why = {};
	struct bpffs_parser *parser;
	size_t len, at, want, got;
	unsigned int copy;

	if (bpffs_layout_bare(layout) < 2 && !below(4)) {
		shape.copies = 3;
		shape.cpus = cpus;
	}
	for (copy = 0; copy < shape.copies; copy++) {
		memset(value + copy * shape.stride, 0, shape.stride);
		fill(value + copy * shape.stride, size);
	}
	len = bpffs_text_read(&shape, value, 0, &pos, text, sizeof(text));
	if (len == sizeof(text))
		return;
	if (bpffs_text_size(&shape, value) != len)
		fail("size %llu, length %zu", bpffs_text_size(&shape, value), len);
	if (!is_safe(text, len, "/\n "))
		fail("unsafe text %.*s", (int)len, text);
	memset(&pos, 0, sizeof(pos));
	for (at = 0; at < len; at += got) {
		if (!below(16))
			at = below(len);
		want = 1 + below(below(2) ? 10 : 700);
		part[want] = '!';
		got = bpffs_text_read(&shape, value, at, &pos, part, want);
		if (part[want] != '!')
			fail("a read of %zu at %zu goes beyond", want, at);
		if (got != (want < len - at ? want : len - at) || memcmp(part, text + at, got))
			fail("a read of %zu at %zu", want, at);
	}

	parser = bpffs_parser_new(&shape);
	bpffs_parse_begin(parser);
	for (at = 0; at < len; at += got) {
		got = 1 + below(below(2) ? 10 : 700);
		if (got > len - at)
			got = len - at;
		if (bpffs_parse_piece(parser, text + at, got, &why))
			fail("refused: %s in %.*s", why.text, (int)len, text);
		if (!below(3)) {
			if (bpffs_parse_pause(parser, &why))
				fail("no pause: %s", why.text);
			bpffs_parse_commit(parser);
		}
	}
	if (!bpffs_parse_all_named(parser) || bpffs_parse_unfinished(parser, &why))
		fail("unfinished: %.*s", (int)len, text);
	if (memcmp(bpffs_parse_value(parser), value, (size_t)shape.copies * shape.stride))
		fail("another value: %.*s", (int)len, text);
	if (len)
		check_addition(&shape, parser, value, text, len);
	bpffs_parser_free(parser);
	if (below(2))
		check_bytes(&shape, value);
}

static void check_print(const struct bpffs_layout *layout, unsigned int size,
			enum bpffs_use use)
{
	static char once[LAYOUT_MAX], twice[LAYOUT_MAX];
	struct bpffs_reason why = {};
	struct bpffs_layout *other;

	bpffs_layout_print(layout, once, sizeof(once));
	if (bpffs_layout_compile(&other, once, strlen(once), size, use, &why))
		fail("prints as %s: %s", once, why.text);
	bpffs_layout_print(other, twice, sizeof(twice));
	if (strcmp(once, twice))
		fail("prints as %s, then as %s", once, twice);
	bpffs_layout_release(other);
}

/* Cases per layout: a new layout costs more than a case. */
#define PER_LAYOUT	64

static bool one_layout(void)
{
	enum bpffs_use use = below(2) ? BPFFS_KEY : BPFFS_VALUE;
	bool plen = use == BPFFS_KEY && !below(6);
	struct bpffs_reason why = {};
	struct bpffs_layout *layout;
	static struct text t;
	unsigned int size = 0, i;
	int err;

	t.len = 0;
	t.names = 0;
	if (plen) {
		put(&t, "plen:");
		size = 4;
	}
	size += put_group(&t, 3, use == BPFFS_KEY ? 3 : 8, use == BPFFS_VALUE);
	layout_text = t.buf;
	if (size > SIZE_MAX_BYTES || t.len >= sizeof(t.buf) - 1)
		return false;
	err = bpffs_layout_compile(&layout, t.buf, t.len, size, use, &why);
	if (err == -ENAMETOOLONG)
		return false;
	if (err && (strstr(why.text, "not padding") || strstr(why.text, "cannot be told") ||
		    strstr(why.text, "plen must be")))
		return false;
	if (err)
		fail("refused: %s (column %u)", why.text, why.column);
	check_print(layout, size, use);
	for (i = 0; i < PER_LAYOUT; i++) {
		if (use == BPFFS_KEY)
			check_key(layout, size);
		else
			check_value(layout, size);
	}
	bpffs_layout_release(layout);
	return true;
}

int main(int argc, char **argv)
{
	uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 0) : 10000000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	uint64_t done, layouts = 0;

	printf("# property: seed %" PRIu64 "\n", seed);
	fflush(stdout);
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
	for (done = 0; done < cases;) {
		if (!one_layout())
			continue;
		layouts++;
		done += PER_LAYOUT;
	}
	printf("ok 1 property: %" PRIu64 " cases of %" PRIu64 " layouts\n", done, layouts);
	return 0;
}
