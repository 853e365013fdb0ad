// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON of an element's bytes is that of its line in the table, whatever the layout:
 * random bytes of layouts that have each kind of field in each place. Links with
 * libbpffs.a and the tool's json.c.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libbpffs.h>

#include "field.h"
#include "json.h"
#include "text.h"

#define CASES	2000
#define CPUS	3

static const char * const layouts[] = {
	"hex16",
	"u8:s8:u16:s16:x32:s32:pad2",
	"a=u64:b=s64",
	"a=x64:b=u32{NEW=0/OLD=5/TOP=4294967295}:c=s32{LOW=-1/ZERO=0}",
	"a=str16",
	"str16",
	"str4:str4:str8",
	"pad1:a=u8:pad2:b=be32:c=be64",
	"pad1:u8:pad2:be32:be64",
	"a=u8:pad3:b={x=u8:pad3:y=u32}:c={pad2:z=u16}",
	"a={u8:pad1}[4]:b={pad1:v=u8}[4]",
	"m=u8[2][2][2]:n=bool[3]:o=hex5",
	"u8[16]",
	"{a=u8:pad1:b=u16}[4]",
	"u64{a.1/b.3/.4/c.20/.36}:s=s64{a.63/b.1}",
	"u64{.4/.60}:x64{.8/a.56}",
	"a=u64{x.33/.31}:b=u16{.3/y.13}:pad6",
	"ip4:mac:be16:pad4",
	"a=ip6",
	"a=ip4:b=ip4:c=mac:d=bool:e=bool",
	"pad1[2]:a=u16:pad2[3]:b=u8:c=str5",
};

static int tests, failures;
static unsigned long long state = 1;

static u32 next_random(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static void fill(u8 *to, size_t size, u32 style)
{
	static const char text[] = "az09.-_/ ,=~%\n\"\\\303\244\177\0";
	size_t i;

	for (i = 0; i < size; i++) {
		u32 n = next_random();

		to[i] = style == 0 ? n : style == 1 ? (n % 4 ? 0 : n / 4) :
			style == 2 ? (u8)text[n % (sizeof(text) - 1)] :
			style == 3 ? (n % 8 ? 0 : n / 8 % 2) : 0;
	}
}

static void result(bool ok, const char *key, const char *value, u32 cpus)
{
	tests++;
	failures += !ok;
	printf("%sok %d - json: key=%s,value=%s%s\n", ok ? "" : "not ", tests, key, value,
	       cpus ? ", per CPU" : "");
}

struct element {
	struct bpffs_layout *key;
	struct bpffs_layout *value;
	struct json_plan *key_plan;
	struct json_plan *value_plan;
	struct bpffs_shape shape;
};

static bool same_json(const struct element *e, const u8 *key, const u8 *value)
{
	static struct json_out of_line, of_bytes;
	struct bpffs_text_pos pos = {};
	static char line[4096];
	int len;

	of_line.len = 0;
	of_bytes.len = 0;
	len = bpffs_name_encode(e->key, key, line);
	line[len++] = ' ';
	len += bpffs_text_read(&e->shape, value, 0, &pos, line + len, sizeof(line) - len);
	/* The last blank is a newline there. */
	if (json_line(&of_line, e->key, e->value, !!e->shape.cpus, line, len - 1))
		return false;
	if (json_element(&of_bytes, e->key_plan, e->value_plan, &e->shape, key, value))
		return false;
	if (of_line.len == of_bytes.len && !memcmp(of_line.buf, of_bytes.buf, of_line.len))
		return true;
	printf("# %.*s\n# %.*s\n", (int)of_line.len, of_line.buf, (int)of_bytes.len, of_bytes.buf);
	return false;
}

static void check(const char *key, u32 key_size, const char *value, bool percpu)
{
	static const u32 cpus[CPUS] = { 0, 1, 12 };
	struct element e = {
		.key = bpffs_layout_parse(key, key_size, BPFFS_LAYOUT_KEY),
		.value = bpffs_layout_parse(value, 16, 0),
		.shape = { .copies = percpu ? CPUS : 1, .stride = 16, .separator = ' ' },
	};
	bool ok = e.key && e.value;
	u32 i;

	if (percpu)
		e.shape.cpus = cpus;
	if (ok) {
		e.shape.layout = e.value;
		e.key_plan = json_plan_new(e.key);
		e.value_plan = json_plan_new(e.value);
		ok = e.key_plan && e.value_plan;
	} else {
		printf("# %s\n", bpf_mount_error());
	}
	for (i = 0; i < CASES && ok; i++) {
		/* Their own memory, so that the sanitizer knows the bounds. */
		u8 *key_bytes = malloc(key_size), *bytes = malloc(16 * e.shape.copies);

		fill(key_bytes, key_size, i % 5);
		fill(bytes, 16 * e.shape.copies, i / 5 % 5);
		if (e.key->has_plen) {
			memset(key_bytes, 0, 4);
			key_bytes[0] = i % (8 * (key_size - 4) + 1);
		}
		ok = same_json(&e, key_bytes, bytes);
		free(key_bytes);
		free(bytes);
	}
	result(ok, key, value, percpu);
	json_plan_free(e.key_plan);
	json_plan_free(e.value_plan);
	bpffs_layout_free(e.key);
	bpffs_layout_free(e.value);
}

/* Strings as those of C; what is behind the NUL is not lost, and not in the way. */
static void check_string(const char *layout, u32 size, const char *bytes, const char *wanted)
{
	static struct json_out out;
	struct element e = {
		.key = bpffs_layout_parse("u8", 1, BPFFS_LAYOUT_KEY),
		.value = bpffs_layout_parse(layout, size, 0),
		.shape = { .copies = 1, .separator = ' ' },
	};
	bool ok;

	e.shape.layout = e.value;
	e.key_plan = json_plan_new(e.key);
	e.value_plan = json_plan_new(e.value);
	out.len = 0;
	ok = !json_element(&out, e.key_plan, e.value_plan, &e.shape, "\1", bytes) &&
	     same_json(&e, (const u8 *)"\1", (const u8 *)bytes);
	ok &= out.len == strlen(wanted) && !memcmp(out.buf, wanted, out.len);
	if (!ok)
		printf("# %.*s\n", (int)out.len, out.buf);
	result(ok, "u8", layout, 0);
	json_end(&out);
	json_plan_free(e.key_plan);
	json_plan_free(e.value_plan);
	bpffs_layout_free(e.key);
	bpffs_layout_free(e.value);
}

#define LINE(value)	"{\"name\":\"1\",\"key\":1,\"value\":" value

static void test_strings(void)
{
	check_string("comm=str16", 16, "swapper/0\0\6Q!\0\0\0",
		     LINE("{\"comm\":\"swapper/0\"},\"value~\":{\"10\":\"065121\"}"));
	check_string("comm=str4", 4, "abc\0", LINE("{\"comm\":\"abc\"}"));
	check_string("comm=str4", 4, "abcd", LINE("{\"comm\":\"abcd\"}"));
	check_string("comm=str4", 4, "\0\0\0", LINE("{\"comm\":\"\"}"));
	check_string("str4", 4, "\0\0\0", LINE("\"\""));
	check_string("str4", 4, "\0a\0", LINE("\"\",\"value~\":{\"1\":\"61\"}"));
	check_string("n=u8:s=str4[2]", 9, "\1a\0b\377c\0\0d",
		     LINE("{\"n\":1,\"s\":[\"a\",\"c\"]},\"value~\":{\"3\":\"62ff\",\"7\":\"0064\"}"));
	check_string("s=str4", 4, "\377\0b", LINE("{\"s\":{\"hex\":\"ff\"}},\"value~\":{\"2\":\"62\"}"));
	check_string("s=str4", 4, "%0\0%", LINE("{\"s\":\"%0\"},\"value~\":{\"3\":\"25\"}"));
}

int main(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct bpffs_layout *value = bpffs_layout_parse(layouts[i], 16, 0);

		check(layouts[i], 16, layouts[i], false);
		/* Of these, at most one field may have no name. */
		if (value && bpffs_layout_bare(value) <= 1)
			check(layouts[i], 16, layouts[i], true);
		bpffs_layout_free(value);
	}
	test_strings();
	check("plen:ip4", 8, "a=u64:b=u64", false);
	check("prefixlen=plen:addr=ip6", 20, "a=u64:b=u64", false);
	check("plen:a=u8:pad3", 8, "a=u64:b=u64", true);
	printf("1..%d\n", tests);
	return !!failures;
}
