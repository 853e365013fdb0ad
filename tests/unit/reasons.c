// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Why a layout, a name or a text is refused: the errno, the sentence and the column, of
 * each sentence that docs/layout.rst has; and what is next to it and is not refused.
 */
#include "text.h"
#include "tap.h"

#define TEXT_SIZE	(BPFFS_LAYOUT_TEXT_MAX + 4096)

static char text[TEXT_SIZE];

/* @head, @times @part, @tail. */
static const char *long_text(const char *head, const char *part, unsigned int times,
			     const char *tail)
{
	char *at = stpcpy(text, head);

	while (times--)
		at = stpcpy(at, part);
	stpcpy(at, tail);
	return text;
}

/* Of what is of: the begin of it is shown. */
static void is(const char *of, int err, const struct bpffs_reason *why, int wanted_err,
	       unsigned int wanted_column, const char *wanted)
{
	if (err == wanted_err && why->column == wanted_column && !strcmp(why->text, wanted))
		return;
	printf("# %.60s: %d, column %u, \"%s\"\n", of, err, why->column, why->text);
	case_ok = false;
}

static struct bpffs_layout *compiled(const char *layout_text, u32 size, enum bpffs_use use)
{
	struct bpffs_reason why = {};
	struct bpffs_layout *layout;

	if (!bpffs_layout_compile(&layout, layout_text, strlen(layout_text), size, use, &why))
		return layout;
	printf("Bail out! %.60s: %s\n", layout_text, why.text);
	exit(1);
}

/* --- Layouts --- */

static void refuses_layout(const char *layout_text, u32 size, enum bpffs_use use, int err,
			   unsigned int column, const char *sentence)
{
	size_t len = strlen(layout_text);
	struct bpffs_layout *layout;
	struct bpffs_reason why = {};
	int found;

	found = bpffs_layout_compile(&layout, layout_text, len, size, use, &why);
	is(layout_text, found, &why, err, column, sentence);
	CHECK(!layout);
	/* Who wants no sentence. */
	CHECK(bpffs_layout_compile(&layout, layout_text, len, size, use, NULL) == err);
	bpffs_layout_release(layout);
}

static void test_grammar(void)
{
	static const struct {
		const char *text;
		unsigned int column;
		const char *sentence;
	} rows[] = {
		{ "", 1, "a type expected at the end" },
		{ "u8:", 4, "a type expected at the end" },
		{ "u8,u8", 3, "\":\" expected, not \",\"" },
		{ "u8\x01", 3, "\":\" expected, not \\x01" },
		{ "u8 ", 3, "\":\" expected, not \\x20" },
		{ "\xc3\xa4=u8", 1, "a type expected, not \\xc3" },
		{ "{u8", 4, "\":\" or \"}\" expected at the end" },
		{ "a=u9", 3, "unknown type \"u9\"" },
		{ "str", 4, "a count is missing" },
		{ "pad0", 4, "bad count: it must be 1 to 4294967295" },
		{ "hex4294967296", 4, "bad count: it must be 1 to 4294967295" },
		{ "u8{=1}", 4, "a name expected, not \"=\"" },
		{ "u8{a=1/}", 8, "a name expected, not \"}\"" },
		{ "u8{a=1/b.7}", 9, "\"=\" and a value expected, not \".\"" },
		{ "u8{a=1", 7, "\"/\" or \"}\" expected at the end" },
		{ "u8{a=256}", 6, "\"256\" is not a u8" },
		{ "s8{a=0xff}", 6, "\"0xff\" is not a s8" },
		{ "u8{a.2{x=4}/.6}", 10, "\"4\" is not a number of 2 bits" },
		{ "u8{a.s2{x=2}/.6}", 11, "\"2\" is not a signed number of 2 bits" },
		{ "u8{a=1/b=2/a=3}", 12, "the name comes twice" },
		{ "u8{b=2/a=1/b=0}", 12, "the name comes twice" },
		{ "a=u8:b=u8:a=u8", 11, "a field of this name exists already" },
		{ "u8[2]:u8[2]", 11, "two fields without a name cannot be told apart" },
		{ "{u8:u8}[2]:a=u8", 7, "two fields without a name cannot be told apart" },
		{ "a={u8:u8}", 9, "two fields without a name cannot be told apart" },
		{ "u8[", 4, "a count is missing" },
		{ "u8[2", 5, "\"]\" expected at the end" },
		{ "u8[2:u8", 5, "\"]\" expected, not \":\"" },
		{ "u8[65536][65536]", 10, "bad count: 4 GiB or more" },
		{ "u8[4294967295]:u8", 17, "the layout covers 4 GiB or more" },
		{ "{u8[4294967295]}:{u8}", 21, "the layout covers 4 GiB or more" },
		{ "u8{a", 5, "\".\" and a number of bits expected at the end" },
		{ "u8{}", 4, "\".\" and a number of bits expected, not \"}\"" },
		{ "u8{a.1/b=1}", 9, "\".\" and a number of bits expected, not \"=\"" },
		{ "u8{a.}", 6, "a count is missing" },
		{ "u8{a.0/.8}", 6, "bad count: it must be 1 to 4294967295" },
		{ "u8{a.9}", 6, "more bits than the 8 of a u8" },
		{ "u8{a.1}", 7, "1 of 8 bits; add \"/.7\"" },
		{ "u8{.u8}", 5, "padding has neither sign nor labels" },
		{ "u8{.8{a=1}}", 5, "padding has neither sign nor labels" },
		{ "a=pad4", 3, "padding has no name" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		refuses_layout(rows[i].text, 1, BPFFS_VALUE, -EINVAL, rows[i].column,
			       rows[i].sentence);
}

static void test_limits(void)
{
	static const struct {
		const char *head, *part;
		unsigned int times;
		const char *tail;
		unsigned int column;
		const char *sentence;
	} rows[] = {
		{ "", "u8:", 8192, "u8", 24577, "more than 8192 fields" },
		{ "", "u8:", 8191, "u8{a.1/.7}", 24577, "more than 8192 fields" },
		{ "u8{", "a", 256, "=1}", 260, "more than 255 bytes in a name" },
		{ "a=u8{", ".1/", 7, ".1}[1073741824]", 42,
		  "more than 4294967295 fields, array elements counted" },
		{ "u8", "[1]", 17, "", 52, "more than 16 dimensions" },
		{ "", "a", 241, "=u8", 245, "more than 241 bytes in the name of a field" },
		{ "u8{", "a", 241, ".8}", 247, "more than 241 bytes in the name of a field" },
		{ "", "{", 17, "u8", 18, "more than 16 groups in one another" },
		{ "", "{", 16, "u8{a.8}", 20, "more than 16 groups in one another" },
		{ "", "a", 65537, "", 0, "a layout has 65536 bytes at most" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		refuses_layout(long_text(rows[i].head, rows[i].part, rows[i].times, rows[i].tail),
			       1, BPFFS_VALUE, -E2BIG, rows[i].column, rows[i].sentence);
	/* "x8{a=1}" prints as "x8{a=0x1}". */
	refuses_layout(long_text("", "x8{a=1}:", 8190, "x8"), 8191, BPFFS_KEY, -E2BIG, 0,
		       "the layout would print as more than 65536 bytes");
}

/* As much as there may be. */
static void test_most(void)
{
	static const struct {
		const char *head, *part;
		unsigned int times;
		const char *tail;
		u32 size;
	} rows[] = {
		{ "", "u8:", 8191, "u8", 8192 },
		{ "a=u8{", "a", 255, "=1}", 1 },
		{ "u8", "[1]", 16, "", 1 },
		{ "", "a", 240, "=u8", 1 },
		{ "u8{", "a", 240, ".8}", 1 },
		{ "", "{", 16, "u8}}}}}}}}}}}}}}}}", 1 },
		{ "", "{", 15, "u8{a.8}}}}}}}}}}}}}}}}", 1 },
		{ "u8[4294967295]", "", 0, "", U32_MAX },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		bpffs_layout_release(compiled(long_text(rows[i].head, rows[i].part, rows[i].times,
							rows[i].tail),
					      rows[i].size, BPFFS_VALUE));
}

static void test_whole(void)
{
	static const struct {
		const char *text;
		u32 size;
		enum bpffs_use use;
		int err;
		const char *sentence;
	} rows[] = {
		{ "u8", 4, BPFFS_KEY, -EINVAL,
		  "the layout covers 1 of 4 bytes; add \":hex3\", or use key=auto" },
		{ "u32", 2, BPFFS_VALUE, -EINVAL, "the layout covers 4 bytes, the value has 2" },
		{ "plen:u8", 5, BPFFS_VALUE, -EINVAL, "plen is for keys" },
		{ "plen", 4, BPFFS_KEY, -EINVAL, "plen must be the first of several fields" },
		{ "u8:plen", 5, BPFFS_KEY, -EINVAL, "plen must be the first of several fields" },
		{ "plen[2]:u8", 9, BPFFS_KEY, -EINVAL, "plen must be the first of several fields" },
		{ "plen:plen", 8, BPFFS_KEY, -EINVAL, "plen must be the first of several fields" },
		{ "a={plen:u8}", 5, BPFFS_KEY, -EINVAL,
		  "plen must be the first of several fields" },
		{ "pad4", 4, BPFFS_KEY, -EINVAL, "a key needs a field that is not padding" },
		{ "plen:pad4", 8, BPFFS_KEY, -EINVAL, "a key needs a field that is not padding" },
		{ "hex4097", 4097, BPFFS_KEY, -ENAMETOOLONG,
		  "a key of more than 4096 bytes has no names; use key=none" },
		{ "plen:hex257", 261, BPFFS_KEY, -ENAMETOOLONG,
		  "a prefix of more than 260 bytes has no names; use key=none" },
	};
	struct bpffs_layout *layout;
	char label[300];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		refuses_layout(rows[i].text, rows[i].size, rows[i].use, rows[i].err, 0,
			       rows[i].sentence);
	/* 256 texts of 255 bytes, 255 commas, and an escape. */
	memset(label, 'A', 255);
	snprintf(text, sizeof(text), "u8{%.255s=1}[256]", label);
	refuses_layout(text, 256, BPFFS_KEY, -ENAMETOOLONG, 0,
		       "names could have 65537 bytes, more than 65535; use key=none, or a layout of fewer characters");
	for (i = 1; i <= 2; i++) {
		fail_alloc = i;
		CHECK(bpffs_layout_compile(&layout, "u8", 2, 1, BPFFS_KEY, NULL) == -ENOMEM);
		CHECK(!layout);
	}
}

static void test_printed(void)
{
	static const struct {
		const char *text;
		u32 size;
		const char *printed;
	} rows[] = {
		{ "hex", 4, "hex" },
		{ "x8{b=16/a=1}", 1, "x8{a=0x1/b=0x10}" },
		{ "s8{b=5/a=-0x1}", 1, "s8{b=5/a=-1}" },
		{ "a=u8{b.1/.07}", 1, "a=u8{b.1/.7}" },
		{ "a=u8{b.x4{c=10}/d.s4}[2]", 2, "a=u8{b.x4{c=0xa}/d.s4}[2]" },
		{ "u8{b.u1/.7}:a=u8", 2, "u8{b.1/.7}:a=u8" },
		{ "{a=bool:{b=ip4:mac}}", 11, "a=bool:b=ip4:mac" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bpffs_layout *layout = compiled(rows[i].text, rows[i].size, BPFFS_VALUE);
		char *printed = bpffs_layout_string(layout);

		if (strcmp(printed, rows[i].printed)) {
			printf("# %s: %s\n", rows[i].text, printed);
			case_ok = false;
		}
		fail_alloc = 1;
		CHECK(!bpffs_layout_string(layout));
		bpffs_free(printed);
		bpffs_layout_release(layout);
	}
}

/* --- Names --- */

static void test_names(void)
{
	static const struct {
		const char *layout;
		u32 size;
		const char *name;
		unsigned int column;
		const char *sentence;
	} rows[] = {
		{ "u8", 1, "", 0, "a name has 1 to 255 bytes" },
		{ "str200", 200, "", 0, "a name has 1 to 602 bytes" },
		{ "u8", 1, "300", 0, "\"300\" is not a u8" },
		{ "u8", 1, "-1", 0, "\"-1\" is not a u8" },
		{ "u8", 1, "0x1", 0, "the name of this key is spelled \"1\"" },
		{ "u8", 1, "a\x01\"\xc3", 0, "\"a\\x01\\x22\\xc3\" is not a u8" },
		{ "u8", 1, "123456789012345678901234567890123456789012345678", 0,
		  "\"123456789012345678901234567890123456789012345678\" is not a u8" },
		{ "u8", 1, "1234567890123456789012345678901234567890123456789", 0,
		  "\"123456789012345678901234567890123456789012345678...\" is not a u8" },
		{ "u8{a=1}", 1, "b", 0, "\"b\" is not a name of the enum, or a u8" },
		{ "u8{a=1}", 1, "1", 0, "the name of this key is spelled \"a\"" },
		{ "u8{a.2/b.s6}", 1, "4,0", 0, "\"4\" is not a number of 2 bits" },
		{ "u8{a.2/b.s6}", 1, "3,32", 0, "\"32\" is not a signed number of 6 bits" },
		{ "u8{a.2{c=1}/b.s6}", 1, "d,0", 0,
		  "\"d\" is not a name of the enum, or a number of 2 bits" },
		{ "bool", 1, "yes", 0, "\"yes\" is not a bool" },
		{ "bool", 1, "1", 0, "the name of this key is spelled \"true\"" },
		{ "ip4", 4, "1.2.3", 0, "\"1.2.3\" is not an IPv4 address" },
		{ "ip6", 16, "1.2.3.4", 0, "\"1.2.3.4\" is not an IPv6 address" },
		{ "ip6", 16, "::0", 0, "the name of this key is spelled \"::\"" },
		{ "mac", 6, "02:00:00:00:00", 0, "\"02:00:00:00:00\" is not a MAC address" },
		{ "mac", 6, "02:00:00:00:00-01", 0, "\"02:00:00:00:00-01\" is not a MAC address" },
		{ "mac", 6, "02:00:00:00:00:0g", 0, "\"02:00:00:00:00:0g\" is not a MAC address" },
		{ "mac", 6, "0A:00:00:00:00:01", 0,
		  "the name of this key is spelled \"0a:00:00:00:00:01\"" },
		{ "hex2", 2, "00", 0, "2 characters are not hex of 2 bytes (4 digits)" },
		{ "hex2", 2, "0g00", 1, "this is not hex of 2 bytes (4 digits)" },
		{ "u8:hex2", 3, "12,000g", 6, "this is not hex of 2 bytes (4 digits)" },
		{ "str2:hex1", 3, "%2Ea,g0", 6, "this is not hex of 1 bytes (2 digits)" },
		{ "hex1", 1, "%2E0", 1, "this is not hex of 1 bytes (2 digits)" },
		{ "hex2", 2, "00FF", 0, "the name of this key is spelled \"00ff\"" },
		{ "str2", 2, "abc", 0, "the string is longer than 2 bytes" },
		{ "str2", 2, "ab%00", 0, "the name of this key is spelled \"ab\"" },
		{ "str2", 2, "a%2", 0, "two hex digits expected behind \"%\"" },
		{ "str2", 2, "%2g", 0, "two hex digits expected behind \"%\"" },
		{ "str2", 2, "%g2", 0, "two hex digits expected behind \"%\"" },
		{ "u8:u8", 2, "1", 0, "fields are missing" },
		{ "u8:u8", 2, "1,2,3", 0, "too many fields" },
		{ "u8:pad2", 3, "1~01", 0, "too few digits of padding" },
		{ "u8:pad2", 3, "1~0g00", 0, "padding is hex" },
		{ "u8:pad2", 3, "1~000001", 0, "too many digits of padding" },
		{ "u8:pad2", 3, "1~0000", 0, "the name of this key is spelled \"1\"" },
		{ "plen:ip4", 8, "10.0.0.0", 0, "a prefix length is missing, as in \"-24\"" },
		{ "plen:ip4", 8, "10.0.0.0-x", 0, "\"x\" is not a prefix length" },
		{ "plen:ip4", 8, "10.0.0.1-8", 0, "the name of this key is spelled \"10.0.0.0-8\"" },
	};
	struct bpffs_layout *layout;
	u8 key[4096];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bpffs_reason why = {};
		const char *name = rows[i].name;
		int err;

		layout = compiled(rows[i].layout, rows[i].size, BPFFS_KEY);
		err = bpffs_name_decode(layout, name, strlen(name), key, &why);
		is(name, err, &why, -EINVAL, rows[i].column, rows[i].sentence);
		CHECK(bpffs_name_decode(layout, name, strlen(name), key, NULL) == -EINVAL);
		bpffs_layout_release(layout);
	}
	layout = compiled("str200", 200, BPFFS_KEY);
	fail_alloc = 1;
	CHECK(bpffs_name_decode(layout, "a", 1, key, NULL) == -ENOMEM);
	CHECK(!bpffs_name_decode(layout, "a", 1, key, NULL));
	bpffs_layout_release(layout);
}

/* No escape is cut: what is before "~~" has 213 bytes, or less. */
static void test_short_names(void)
{
	struct bpffs_layout *layout = compiled("str255", 255, BPFFS_KEY);
	struct bpffs_reason why = {};
	char name[BPFFS_NAME_MAX + 1];
	u8 key[255];
	u32 at, begin, len;

	for (at = 209; at < 215; at++) {
		memset(key, 'a', sizeof(key));
		key[at] = ' ';
		len = bpffs_name_encode(layout, key, name);
		begin = at == 211 || at == 212 ? at : 213;
		if (len != begin + 42 || strlen(name) != len || memcmp(name + begin, "~~", 2)) {
			printf("# blank at %u: %u, %s\n", at, len, name);
			case_ok = false;
		}
		CHECK(bpffs_name_is_short(name, len));
		is(name, bpffs_name_decode(layout, name, len, key, &why), &why, -EINVAL, 0,
		   "a short name does not say all of the key");
	}
	bpffs_layout_release(layout);
}

/* --- Values --- */

static const u32 cpus[] = { 0, 2 };

static struct bpffs_shape shape_of(const struct bpffs_layout *layout, bool percpu)
{
	return (struct bpffs_shape) {
		.layout = layout,
		.copies = percpu ? ARRAY_SIZE(cpus) : 1,
		.stride = (bpffs_layout_size(layout) + 7) / 8 * 8,
		.cpus = percpu ? cpus : NULL,
		.separator = '\n',
	};
}

/* As a file is written in pieces of @step bytes, and closed. */
static int parse(struct bpffs_parser *parser, const char *from, size_t step,
		 struct bpffs_reason *why)
{
	size_t len = strlen(from), at;
	int err;

	bpffs_parse_begin(parser);
	for (at = 0; at < len; at += step) {
		err = bpffs_parse_piece(parser, from + at, min(step, len - at), why);
		if (err)
			return err;
	}
	err = bpffs_parse_pause(parser, why);
	if (err)
		return err;
	return bpffs_parse_unfinished(parser, why) ? -EINVAL : 0;
}

static void refuses_text(const char *layout_text, u32 size, bool percpu, const char *from,
			 unsigned int column, const char *sentence)
{
	struct bpffs_layout *layout = compiled(layout_text, size, BPFFS_VALUE);
	struct bpffs_shape shape = shape_of(layout, percpu);
	struct bpffs_parser *parser = bpffs_parser_new(&shape);
	size_t steps[] = { TEXT_SIZE, 1, 3 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct bpffs_reason why = {};
		int err = parse(parser, from, steps[i], &why);

		is(from, err, &why, -EINVAL, column, sentence);
		CHECK(parse(parser, from, steps[i], NULL) == -EINVAL);
	}
	bpffs_parser_free(parser);
	bpffs_layout_release(layout);
}

static void test_values(void)
{
	static const struct {
		const char *layout;
		u32 size;
		const char *text;
		unsigned int column;
		const char *sentence;
	} rows[] = {
		{ "a=u8", 1, "a=300\n", 3, "a: \"300\" is not a u8" },
		{ "a=u8", 1, "a=\n", 3, "a: \"\" is not a u8" },
		{ "a=u8", 1, "a=12x", 3, "a: \"12x\" is not a u8" },
		{ "a=u64", 8, "a=18446744073709551616\n", 3,
		  "a: \"18446744073709551616\" is not a u64" },
		{ "a=u64", 8, "a=0x10000000000000000\n", 3,
		  "a: \"0x10000000000000000\" is not a u64" },
		{ "s8:u8", 2, "5 6\n7 8\n", 1, "\"7\" is for no field; give NAME=TEXT" },
		{ "s8:u8", 2, "5 -6\n", 3, "\"-6\" is not a u8" },
		{ "a=u8:b=bool", 2, "a=1\nb=yes\n", 3, "b: \"yes\" is not a bool" },
		{ "a=ip4", 4, "a=1.2.3\n", 3, "a: \"1.2.3\" is not an IPv4 address" },
		{ "a=ip4", 4, "a=1.2.3.4.5\n", 3, "a: \"1.2.3.4.5\" is not an IPv4 address" },
		{ "a=ip4", 4, "a=1.2.3.256\n", 3, "a: \"1.2.3.256\" is not an IPv4 address" },
		{ "a=ip4", 4, "a=1.2.3.0004\n", 3, "a: \"1.2.3.0004\" is not an IPv4 address" },
		{ "a=ip4", 4, "a=1..3.4\n", 3, "a: \"1..3.4\" is not an IPv4 address" },
		{ "a=mac", 6, "a=0:0:0:0:0:1\n", 3, "a: \"0:0:0:0:0:1\" is not a MAC address" },
		{ "a=u8{b.s3/c.5{d=1}}", 1, "a.b=4\n", 5,
		  "a.b: \"4\" is not a signed number of 3 bits" },
		{ "a=u8{b.s3/c.5{d=1}}", 1, "a.c=e\n", 5,
		  "a.c: \"e\" is not a name of the enum, or a number of 5 bits" },
		{ "a=str2", 2, "a=abc\n", 5, "a: longer than 2 bytes" },
		{ "a=str2", 2, "a=ab%00%01\n", 10, "a: longer than 2 bytes" },
		{ "a=str2", 2, "a=a%2\n", 6, "a: two hex digits expected behind \"%\"" },
		{ "a=str2", 2, "a=%2g\n", 5, "a: two hex digits expected behind \"%\"" },
		{ "str2:a=u8", 3, "a%g\n", 3, "two hex digits expected behind \"%\"" },
		{ "str2:a=u8", 3, "abcd a=1\n", 3, "longer than 2 bytes" },
		{ "str2:a=u8", 3, "ab a=300\n", 6, "a: \"300\" is not a u8" },
		{ "str2:a=u8", 3, "a% a=1\n", 3, "two hex digits expected behind \"%\"" },
		{ "a=hex2", 2, "a=0g\n", 4, "a: this is not hex" },
		{ "a=hex2", 2, "a=000\n", 3, "a: 3 digits are not hex of 2 bytes (4 digits)" },
		{ "a=hex2", 2, "a=000000\n", 8, "a: longer than 2 bytes" },
		{ "hex2:a=u8", 3, "00g0 a=1\n", 3, "this is not hex" },
		{ "hex2:a=u8", 3, "a=1 00g0\n", 7, "this is not hex" },
		{ "u8{a.1/.7}", 1, "~0.1=80\n", 6, "~0.1: the padding has 7 bits, in hex" },
		{ "u8{a.1/.7}", 1, "~0.1=\n", 6, "~0.1: the padding has 7 bits, in hex" },
		{ "u8{a.1/.7}", 1, "~0.1=000\n", 6, "~0.1: the padding has 7 bits, in hex" },
		{ "u8{a.1/.7}", 1, "~0.1=0g\n", 6, "~0.1: the padding has 7 bits, in hex" },
		{ "pad2:a=u8", 3, "~0=00\n", 4, "~0: 2 digits are not hex of 2 bytes (4 digits)" },
		{ "pad2:a=u8", 3, "~x=0000\n", 1, "there is no field \"~x\"" },
		{ "pad2:a=u8", 3, "~1=00\n", 1, "there is no field \"~1\"" },
		{ "u8{a.1/.7}", 1, "~0.64=0\n", 1, "there is no field \"~0.64\"" },
		{ "u8{a.1/.7}", 1, "~0=0\n", 1, "there is no field \"~0\"" },
		{ "a=u8[2]", 2, "a.2=1\n", 1, "there is no field \"a.2\"" },
		{ "a=u8[2]", 2, "a.-1=1\n", 1, "there is no field \"a.-1\"" },
		{ "a=u8[2]", 2, "a.x=1\n", 1, "there is no field \"a.x\"" },
		{ "a=u8", 1, "a.0=1\n", 1, "there is no field \"a.0\"" },
		{ "a=u8", 1, "=1\n", 1, "there is no field \"\"" },
		{ "a=u8", 1, "a\x01\xc3=1\n", 1, "there is no field \"a??\"" },
		{ "a=u8", 1, "a\x01 = 1\n", 1, "\"a?\" is for no field; give NAME=TEXT" },
		{ "a=u8", 1, "a+\n", 1, "\"a+\" is for no field; give NAME=TEXT" },
		{ "str2", 2, "a b\n", 3, "there is one field only; a blank is written %20" },
		{ "a=str2", 2, "a+=1\n", 3, "a: only to a decimal number can be added" },
		{ "a=x8", 1, "a-=1\n", 3, "a: only to a decimal number can be added" },
		{ "a=u8{b=1}", 1, "a+=1\n", 3, "a: only to a decimal number can be added" },
		{ "a=u8", 1, "a+=300\n", 4, "a: \"300\" is not a u8" },
		{ "a=u8", 1, "a+=1", 0, "a: an addition ends in a newline" },
		{ "a=u8", 1, "a=1 a+=1", 0, "a: an addition ends in a newline" },
		{ "a=u8:b=u8", 2, "a=1 b=1", 0, "b: a text of several fields ends in a newline" },
		{ "u8:b=u8", 2, "1", 0, "a text of several fields ends in a newline" },
		{ "a=u8:b=u8", 2, "a=1 b", 5, "\"b\" is for no field; give NAME=TEXT" },
		{ "a=u8", 1, "1", 1, "\"1\" is for no field; give NAME=TEXT" },
	};
	static const struct {
		const char *text;
		unsigned int column;
		const char *sentence;
	} percpu[] = {
		{ "a=1\n", 1, "there is no field \"a\"" },
		{ "cpu=1\n", 1, "there is no field \"cpu\"" },
		{ "cpux=1\n", 1, "there is no field \"cpux\"" },
		{ "cpu1=1\n", 1, "there is no field \"cpu1\"" },
		{ "cpu3=1\n", 1, "there is no field \"cpu3\"" },
		{ "cpu2.a=1\n", 1, "there is no field \"cpu2.a\"" },
		{ "+=1\n", 1, "there is no field \"+\"" },
		{ "5\n", 1, "\"5\" is for no field; give NAME=TEXT" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		refuses_text(rows[i].layout, rows[i].size, false, rows[i].text, rows[i].column,
			     rows[i].sentence);
	for (i = 0; i < ARRAY_SIZE(percpu); i++)
		refuses_text("u8", 1, true, percpu[i].text, percpu[i].column, percpu[i].sentence);
	refuses_text("a=u8", 1, false, long_text("a=", "1", 256, "\n"), 3,
		     "a: the text is too long");
	refuses_text("u8:b=u8", 2, false, long_text("", "1", 256, "\n"), 1,
		     "the text is too long");
	refuses_text("str300:b=u8", 301, false, long_text("", "a", 256, "%g\n"), 258,
		     "two hex digits expected behind \"%\"");
	refuses_text("hex4:b=u8", 5, false, long_text("", "0", 256, "\n"), 10,
		     "longer than 4 bytes");
}

static void test_ip6(void)
{
	static const char * const refused[] = {
		":", ":::", "1", "1:", ":1", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5",
		"12345::", "::g", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8:9",
		"1::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:1.2", "1.2.3.4::",
	};
	char line[64], sentence[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		snprintf(line, sizeof(line), "a=%s\n", refused[i]);
		snprintf(sentence, sizeof(sentence), "a: \"%s\" is not an IPv6 address", refused[i]);
		refuses_text("a=ip6", 16, false, line, 3, sentence);
	}
}

/* What is written, its bytes, and how it is read. */
static void takes(const char *layout_text, const char *from, const char *hex, const char *read)
{
	u32 size = strlen(hex) / 2;
	struct bpffs_layout *bytes = compiled("hex", size, BPFFS_VALUE);
	struct bpffs_layout *layout = compiled(layout_text, size, BPFFS_VALUE);
	struct bpffs_shape shape = shape_of(layout, false), raw = shape_of(bytes, false);
	struct bpffs_parser *parser = bpffs_parser_new(&shape);
	size_t steps[] = { TEXT_SIZE, 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		char its_hex[1024] = "", its_text[1024] = "";
		struct bpffs_text_pos pos = {};
		struct bpffs_reason why = {};
		int err = parse(parser, from, steps[i], &why);
		const void *value = bpffs_parse_value(parser);

		bpffs_text_read(&raw, value, 0, &pos, its_hex, sizeof(its_hex) - 1);
		pos = (struct bpffs_text_pos) {};
		bpffs_text_read(&shape, value, 0, &pos, its_text, sizeof(its_text) - 1);
		if (err || strncmp(its_hex, hex, 2 * size) || strcmp(its_text, read)) {
			printf("# %s: %d, %s: %s%s\n", from, err, why.text, its_hex, its_text);
			case_ok = false;
		}
	}
	bpffs_parser_free(parser);
	bpffs_layout_release(layout);
	bpffs_layout_release(bytes);
}

static void test_taken(void)
{
	static const struct {
		const char *layout, *text, *hex, *read;
	} rows[] = {
		{ "ip6", "::FFFF:1.2.3.4", "00000000000000000000ffff01020304", "::ffff:1.2.3.4\n" },
		{ "ip6", "::ffff:0:0", "00000000000000000000ffff00000000", "::ffff:0.0.0.0\n" },
		{ "ip6", "::1.2.3.4", "00000000000000000000000001020304", "::102:304\n" },
		{ "ip6", "1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304",
		  "1:2:3:4:5:6:102:304\n" },
		{ "ip6", "1::", "00010000000000000000000000000000", "1::\n" },
		{ "ip6", "0:2:3:4:5:6:7::", "00000002000300040005000600070000", "0:2:3:4:5:6:7:0\n" },
		{ "ip6", "0:0:1:0:0:0:1:0", "00000000000100000000000000010000", "0:0:1::1:0\n" },
		{ "ip4", "010.0.0.1", "0a000001", "10.0.0.1\n" },
		{ "mac", "0A:00:00:00:00:01", "0a0000000001", "0a:00:00:00:00:01\n" },
		{ "bool", "2", "02", "2\n" },
		{ "a=str2", "a=ab%00%00\n", "6162", "a=ab\n" },
		{ "str4:a=u8", "a%62\na=1\n", "6162000001", "ab\na=1\n" },
		{ "a=u8:hex2", "0aFF a=1\n", "010aff", "a=1\n0aff\n" },
		{ "a=hex2", "a=0000 a=11AA\n", "11aa", "a=11aa\n" },
		{ "a=str2", "a=b a=%63\n", "6300", "a=c\n" },
		{ "a=u8", "a=1 a+=2 a=3 a+=0x4 a-=1\n", "06", "a=6\n" },
		{ "u8{a.1/.7}", "~0.1=7f a=1\n", "ff", "a=1\n~0.1=7f\n" },
		{ "pad2:a=u8", "~0=01ff\n", "01ff00", "~0=01ff\na=0\n" },
	};
	char hex[603], read[400];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		takes(rows[i].layout, rows[i].text, rows[i].hex, rows[i].read);
	/* A text without a name, longer than any name. */
	for (i = 0; i < 300; i++)
		sprintf(hex + 2 * i, "61");
	stpcpy(hex + 600, "01");
	stpcpy(read, long_text("", "a", 300, "\nb=1\n"));
	takes("str300:b=u8", long_text("", "a", 300, " b=1\n"), hex, read);
}

/* Long work stops when whoever wants it is being killed. */
static void test_killed(void)
{
	static const struct {
		const char *layout;
		u32 size;
		const char *text;
	} rows[] = {
		{ "a=str5000:b=u8", 5001, "a=x\n" },
		{ "str5000:b=u8", 5001, "x\n" },
		{ "str5000", 5000, "x\n" },
	};
	struct bpffs_layout *layout;
	struct bpffs_parser *parser;
	struct bpffs_shape shape;
	u8 values[2 * 600], sum[600];
	char *at = text;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		layout = compiled(rows[i].layout, rows[i].size, BPFFS_VALUE);
		shape = shape_of(layout, false);
		parser = bpffs_parser_new(&shape);
		stop = 1;
		CHECK(parse(parser, rows[i].text, TEXT_SIZE, NULL) == -EINTR);
		has_stopped = false;
		CHECK(!bpffs_parse_any_fresh(parser));
		bpffs_parser_free(parser);
		bpffs_layout_release(layout);
	}

	layout = compiled("a=u8[1100]:b=u8", 1101, BPFFS_VALUE);
	shape = shape_of(layout, false);
	parser = bpffs_parser_new(&shape);
	for (i = 0; i < 1100; i++)
		at += sprintf(at, "a.%u=1\n", i);
	CHECK(!parse(parser, text, TEXT_SIZE, NULL));
	bpffs_parse_commit(parser);
	CHECK(!bpffs_parse_all_named(parser) && !bpffs_parse_any_fresh(parser));
	CHECK(!bpffs_parse_piece(parser, "a.7=1 b=1\n", 10, NULL));
	CHECK(bpffs_parse_all_named(parser));

	/* What is not known to be named is not. */
	CHECK(!parse(parser, text, TEXT_SIZE, NULL));
	stop = 1;
	bpffs_parse_commit(parser);
	CHECK(has_stopped);
	has_stopped = false;
	CHECK(!bpffs_parse_piece(parser, "b=1\n", 4, NULL));
	CHECK(!bpffs_parse_all_named(parser));
	stpcpy(at, "b=1\n");
	CHECK(!parse(parser, text, TEXT_SIZE, NULL));
	stop = 1;
	CHECK(!bpffs_parse_all_named(parser));
	CHECK(has_stopped);
	has_stopped = false;
	CHECK(bpffs_parse_all_named(parser));
	bpffs_parser_free(parser);
	bpffs_layout_release(layout);

	layout = compiled("u8[600]", 600, BPFFS_VALUE);
	shape = shape_of(layout, true);
	memset(values, 1, sizeof(values));
	bpffs_value_sum(&shape, values, sum);
	CHECK(sum[0] == 2 && sum[599] == 2);
	stop = 1;
	bpffs_value_sum(&shape, values, sum);
	CHECK(has_stopped && sum[0] == 2 && sum[599] == 1);
	bpffs_layout_release(layout);
}

static void test_no_memory(void)
{
	struct bpffs_layout *layout = compiled("u8", 1, BPFFS_VALUE);
	struct bpffs_shape shape = shape_of(layout, false);
	unsigned int i;

	for (i = 1; i <= 2; i++) {
		fail_alloc = i;
		CHECK(!bpffs_parser_new(&shape));
	}
	bpffs_parser_free(NULL);
	bpffs_layout_release(layout);
}

int main(void)
{
	run("reasons: grammar", test_grammar);
	run("reasons: limits", test_limits);
	run("reasons: most", test_most);
	run("reasons: whole", test_whole);
	run("reasons: printed", test_printed);
	run("reasons: names", test_names);
	run("reasons: short_names", test_short_names);
	run("reasons: values", test_values);
	run("reasons: ip6", test_ip6);
	run("reasons: taken", test_taken);
	run("reasons: killed", test_killed);
	run("reasons: no_memory", test_no_memory);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
