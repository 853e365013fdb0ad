// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's layouts and options, and the tool's JSON of a line of the table.
 * Links with libbpffs.a and the tool's json.o.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libbpffs.h>

#include "internal.h"
#include "json.h"

static int tests, failures;

static void result(bool ok, const char *name)
{
	tests++;
	failures += !ok;
	printf("%sok %d - layouts: %s\n", ok ? "" : "not ", tests, name);
}

static bool error_is(int ret, int err, const char *sentence)
{
	if (ret == -err && errno == err && !strcmp(bpf_mount_error(), sentence))
		return true;
	printf("# %d: %s\n", ret, bpf_mount_error());
	return false;
}

static void test_keys(void)
{
	const unsigned char key[8] = { 10, 0, 0, 1, 0x01, 0xbb, 6, 0 };
	struct bpffs_layout *layout;
	unsigned char back[8] = {};
	char name[256];

	layout = bpffs_layout_parse("ip4:be16:u8:pad1", 8, BPFFS_LAYOUT_KEY);
	result(layout, "a key's layout");
	result(bpffs_key_encode(layout, key, name, sizeof(name)) == 14 &&
	       !strcmp(name, "10.0.0.1,443,6"), "encode a key");
	result(!bpffs_key_decode(layout, name, back) && !memcmp(key, back, sizeof(key)),
	       "decode a key");
	result(error_is(bpffs_key_encode(layout, key, name, 14), ENOBUFS,
			"name: needs room for 15 bytes"), "no room for the name");
	result(error_is(bpffs_key_decode(layout, "10.0.0.1,443,06", back), EINVAL,
			"name: the name of this key is spelled \"10.0.0.1,443,6\""),
	       "another spelling");
	result(!memcmp(key, back, sizeof(key)), "a refused name leaves the key alone");
	result(bpffs_value_encode(layout, key, name, sizeof(name), NULL) == -EINVAL,
	       "a key's layout is none of a value");
	bpffs_layout_free(layout);
}

/* The hash is that of "b2sum -l 160" for the 300 bytes. */
static void test_short_names(void)
{
	char key[300] = "/", name[256], want[256];
	struct bpffs_layout *layout;

	layout = bpffs_layout_parse("str300", 300, BPFFS_LAYOUT_KEY);
	memset(key + 1, 'a', 252);
	snprintf(want, sizeof(want), "%%2F%.252s", key + 1);
	result(bpffs_key_encode(layout, key, name, sizeof(name)) == 255 && !strcmp(name, want),
	       "the longest name that is whole");
	memset(key + 253, 'a', 3);
	snprintf(want, sizeof(want), "%%2F%.210s~~a7f7c73a5554733269e89828ff80e28ce2040a36", key + 1);
	result(bpffs_key_encode(layout, key, name, sizeof(name)) == 255 && !strcmp(name, want),
	       "a short name");
	result(error_is(bpffs_key_decode(layout, name, key), EINVAL,
			"name: a short name does not say all of the key"), "whose key is not in it");
	memset(key, 0xff, sizeof(key));
	key[0] = 'a';
	result(bpffs_key_encode(layout, key, name, sizeof(name)) == 253 &&
	       !strncmp(name + 208, "%FF~~", 5),
	       "no escape is cut");
	bpffs_layout_free(layout);
}

static void test_additions(void)
{
	unsigned char value[12] = { 250, [1] = 0x9f, [2] = 0x01, [3] = 0x02, [4] = 7 };
	struct bpffs_layout *layout;
	char text[64];

	layout = bpffs_layout_parse("a=u8:u8{b.s5/c.3}:d=be16:e=u32:f=str2:g=x8:pad1", 12, 0);
	result(!bpffs_value_decode(layout, "a+=10 b-=15 c+=5 d-=259 e+=1 e+=2", value, NULL) &&
	       bpffs_value_encode(layout, value, text, sizeof(text), NULL) > 0 &&
	       !strcmp(text, "a=4\nb=-16\nc=1\nd=65535\ne=10\nf=\ng=0x0\n"), "additions wrap");
	result(!bpffs_value_decode(layout, "a=1 a+=2 e+=1 e=5 b+=-1", value, NULL) &&
	       value[0] == 3 && value[4] == 5 && value[1] == 0x2f, "the order counts");
	result(error_is(bpffs_value_decode(layout, "a+=1 f+=1", value, NULL), EINVAL,
			"value: f: only to a decimal number can be added (column 8)") &&
	       error_is(bpffs_value_decode(layout, "g-=1", value, NULL), EINVAL,
			"value: g: only to a decimal number can be added (column 3)") &&
	       error_is(bpffs_value_decode(layout, "a+=256", value, NULL), EINVAL,
			"value: a: \"256\" is not a u8 (column 4)") &&
	       error_is(bpffs_value_decode(layout, "h+=1", value, NULL), EINVAL,
			"value: there is no field \"h+\" (column 1)") &&
	       error_is(bpffs_value_decode(layout, "a+=1 +=1", value, NULL), EINVAL,
			"value: there is no field \"+\" (column 6)") && value[0] == 3,
	       "refused additions change nothing");
	bpffs_layout_free(layout);
	layout = bpffs_layout_parse("u8", 1, 0);
	value[0] = 7;
	result(!bpffs_value_decode(layout, "+=4", value, NULL) && value[0] == 11 &&
	       !bpffs_value_decode(layout, "-=12", value, NULL) && value[0] == 255,
	       "to a field without a name");
	bpffs_layout_free(layout);
}

static bool refused(const char *text, size_t size, const char *sentence)
{
	errno = 0;
	if (!bpffs_layout_parse(text, size, 0) && errno == EINVAL &&
	    !strcmp(bpf_mount_error(), sentence))
		return true;
	printf("# %s\n", bpf_mount_error());
	return false;
}

/* Bits each of their own sign, and with labels of their own. */
static void test_signs(void)
{
	static const char text[] = "n.s5/flags.3/level.s3{BELOW=-1/SAME=0}/mask.x21";
	unsigned char value[4] = { 0x7f, 0x57, 0x55, 0x05 };
	struct bpffs_layout *layout;
	char out[64];

	snprintf(out, sizeof(out), "u32{%s}", text);
	layout = bpffs_layout_parse(out, 4, 0);
	result(layout && bpffs_layout_text(layout, out, sizeof(out)) == strlen(out) &&
	       !strcmp(out, "u32{n.s5/flags.3/level.s3{SAME=0/BELOW=-1}/mask.x21}"),
	       "a layout of bits of several signs");
	result(bpffs_value_encode(layout, value, out, sizeof(out), NULL) == (ssize_t)strlen(out) &&
	       !strcmp(out, "n=-1\nflags=3\nlevel=BELOW\nmask=0xaaaa\n"), "their text");
	result(!bpffs_value_decode(layout, "n=-16 level=-4", value, NULL) &&
	       value[0] == 0x70 && value[1] == 0x54, "negative ones");
	result(error_is(bpffs_value_decode(layout, "n=-17", value, NULL), EINVAL,
			"value: n: \"-17\" is not a signed number of 5 bits (column 3)") &&
	       error_is(bpffs_value_decode(layout, "n=16", value, NULL), EINVAL,
			"value: n: \"16\" is not a signed number of 5 bits (column 3)") &&
	       error_is(bpffs_value_decode(layout, "flags=-1", value, NULL), EINVAL,
			"value: flags: \"-1\" is not a number of 3 bits (column 7)") &&
	       error_is(bpffs_value_decode(layout, "level=UP", value, NULL), EINVAL,
			"value: level: \"UP\" is not a name of the enum, or a signed number of 3 bits (column 7)"),
	       "beyond their bits");
	bpffs_layout_free(layout);
	layout = bpffs_layout_parse("s8{a.s3/b.u5}", 1, 0);
	result(layout && bpffs_layout_text(layout, out, sizeof(out)) == strlen(out) &&
	       !strcmp(out, "s8{a.3/b.u5}"), "the sign of the integer is not repeated");
	bpffs_layout_free(layout);
	result(refused("u8{a.2{X=4}/b.6}", 1, "layout: \"4\" is not a number of 2 bits (column 10)") &&
	       refused("u8{a.2/.s6}", 1, "layout: padding has neither sign nor labels (column 9)") &&
	       refused("u8{a.2/.6{X=1}}", 1, "layout: padding has neither sign nor labels (column 9)") &&
	       refused("u8{a.2{X=1/Y=2/b.6}", 1, "layout: \"=\" and a value expected, not \".\" (column 17)") &&
	       refused("u8{a.9/b.s1}", 1, "layout: more bits than the 8 of a u8 (column 6)"),
	       "what bits are refused");
}

static void test_values(void)
{
	unsigned char value[16] = { 1, [8] = 0xff, [9] = 0xaa };
	static const char whole[] = "a=1\nf.x=7\nf.y=31\n~8.8=aa\n";
	struct bpffs_layout *layout;
	char text[64];

	layout = bpffs_layout_parse("a=u64:f=u16{x.3/y.5/.8}:pad6", 16, 0);
	result(bpffs_value_encode(layout, value, text, sizeof(text), NULL) ==
	       sizeof(whole) - 1 && !strcmp(text, whole), "encode a value");
	result(bpffs_value_encode(layout, value, NULL, 0, NULL) == sizeof(whole) - 1,
	       "its length");
	result(bpffs_value_encode(layout, value, text, 4, NULL) == sizeof(whole) - 1 &&
	       !strcmp(text, "a=1"), "a text that is cut");
	result(!bpffs_value_decode(layout, "f.x=2", value, NULL) && value[0] == 1 &&
	       value[8] == 0xfa && value[9] == 0xaa, "a part of a value");
	result(!bpffs_value_decode(layout, "a=3 f.x=0 f.y=1\n", value, NULL) &&
	       value[0] == 3 && value[8] == 8 && !value[9], "all of it: padding is zeroed");
	result(error_is(bpffs_value_decode(layout, "a=4 f.x=9", value, NULL), EINVAL,
			"value: f.x: \"9\" is not a number of 3 bits (column 9)") &&
	       value[0] == 3, "a refused text changes nothing");
	bpffs_layout_free(layout);

	test_signs();
	test_additions();
	test_short_names();
	errno = 0;
	result(!bpffs_layout_parse("u8", 4, 0) && errno == EINVAL &&
	       strstr(bpf_mount_error(), "covers 1 of 4 bytes"), "too short a layout");
	result(!bpffs_layout_parse("str4097", 4097, BPFFS_LAYOUT_KEY) &&
	       errno == ENAMETOOLONG, "a key too long for names");
	result(!bpffs_layout_parse("plen:hex257", 261, BPFFS_LAYOUT_KEY) &&
	       errno == ENAMETOOLONG, "a prefix too long");
}

/* An initializer need not clear padding, which would be taken for new options. */
_Static_assert(sizeof(struct bpffs_value_opts) ==
	       offsetof(struct bpffs_value_opts, separator) +
	       sizeof(((struct bpffs_value_opts *)0)->separator),
	       "padding at the end");

static void test_separator(void)
{
	struct bpffs_value_opts opts = { .sz = sizeof(opts), .separator = ' ' };
	struct bpffs_layout *layout = bpffs_layout_parse("u8", 1, 0);
	unsigned char value = 1;
	char text[16];

	result(bpffs_value_encode(layout, &value, text, sizeof(text), &opts) == 2 &&
	       !strcmp(text, "1 "), "a blank as separator");
	opts.separator |= 0x100;
	result(error_is(bpffs_value_encode(layout, &value, text, sizeof(text), &opts),
			EINVAL, "opts: separator is a newline or a blank"),
	       "another separator");
	bpffs_layout_free(layout);
}

static void test_percpu(void)
{
	static const unsigned int cpus[] = { 0, 2 };
	struct bpffs_value_opts opts = {
		.sz = sizeof(opts),
		.cpus = cpus,
		.cpu_count = 2,
		.separator = ' ',
	};
	struct bpffs_layout *layout = bpffs_layout_parse("u32", 4, 0);
	unsigned char value[16] = { 1, [8] = 2 };
	char text[32];

	result(bpffs_value_encode(layout, value, text, sizeof(text), &opts) == 14 &&
	       !strcmp(text, "cpu0=1 cpu2=2 "), "encode a per-CPU value");
	result(!bpffs_value_decode(layout, "cpu2=5", value, &opts) && value[0] == 1 &&
	       value[8] == 5, "decode a part of it");
	opts.cpu_count = 0;
	result(bpffs_value_encode(layout, value, text, sizeof(text), &opts) == -EINVAL,
	       "CPUs, but how many?");
	bpffs_layout_free(layout);
}

/* --- Options --- */

/* What they come to, besides the source. */
static void check_options(const char *name, const char *key, const char *options,
			  const char *wanted)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .options = options, .key = key };
	struct libbpffs_plan plan = {};
	char text[256] = "";
	size_t i;
	int err;

	err = libbpffs_plan_mount(&plan, &opts);
	if (err)
		snprintf(text, sizeof(text), "%s", bpf_mount_error());
	for (i = 1; !err && i < plan.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s=%s ",
			 plan.params[i].name, plan.params[i].value ?: "");
	if (strcmp(text, wanted))
		printf("# %s\n", text);
	result(!strcmp(text, wanted), name);
	libbpffs_plan_free(&plan);
}

static void test_options(void)
{
	check_options("options: the last one wins", NULL, "mode=0600,uid=7,mode=0640",
		      "mode=0640 uid=7 ");
	check_options("options: a layout twice", NULL, "key=hex,key=u32,ro", "key=u32 ro= ");
	check_options("options: auto after a layout", NULL, "key=hex,gid=1,key=auto", "gid=1 ");
	check_options("options: as=, after a layout and auto", NULL,
		      "key=hex,key=auto,as=key.a:u8", "");
	check_options("options: they win over the struct", "hex", "key=u32", "key=u32 ");
	check_options("options: auto wins over the struct", "hex", "key=auto", "");
	check_options("options: a quote is not closed", NULL, "uid=7,key=\"a,ro",
		      "options: a quote is not closed: key=\"a,ro");
	check_options("options: a quote is closed", NULL, "uid=7,key=\"a,b\",,",
		      "uid=7 key=a,b ");
}

/* --- JSON --- */

/* A line of the table of a map with these layouts becomes @wanted. */
static void check_json(const char *name, const char *key, size_t key_size,
		       const char *value, size_t value_size, int percpu,
		       const char *line, const char *wanted)
{
	struct bpffs_layout *k = bpffs_layout_parse(key, key_size, BPFFS_LAYOUT_KEY);
	struct bpffs_layout *v = bpffs_layout_parse(value, value_size, 0);
	static struct json_out out;
	bool ok = false;

	out.len = 0;
	if (k && v && !json_line(&out, k, v, percpu, line, strlen(line)))
		ok = wanted && out.len == strlen(wanted) - 1 &&
		     !memcmp(out.buf, wanted, out.len) && wanted[out.len] == '}';
	else if (k && v)
		ok = !wanted;
	if (!ok)
		printf("# %.*s", (int)out.len, out.buf);
	result(ok, name);
	bpffs_layout_free(k);
	bpffs_layout_free(v);
}

static void test_json(void)
{
	check_json("json: names", "saddr=ip4:sport=be16:proto=u8:pad1", 8,
		   "packets=u64:last={sec=s64:ns=u32:pad4}", 24, 0,
		   "10.0.0.1,443,6 packets=3 last.sec=-7 last.ns=5",
		   "{\"name\":\"10.0.0.1,443,6\",\"key\":{\"saddr\":\"10.0.0.1\",\"sport\":443,\"proto\":6},"
		   "\"value\":{\"packets\":3,\"last\":{\"sec\":-7,\"ns\":5}}}");
	check_json("json: no names, padding", "ip4:u8:pad1", 6, "u32", 4, 0,
		   "1.2.3.4,5~ff 7",
		   "{\"name\":\"1.2.3.4,5~ff\",\"key\":[\"1.2.3.4\",5,{\"~5\":\"ff\"}],\"value\":7}");
	check_json("json: below 2^53", "u8", 1, "u64", 8, 0, "0 9007199254740991",
		   "{\"name\":\"0\",\"key\":0,\"value\":9007199254740991}");
	check_json("json: 2^53", "u8", 1, "u64", 8, 0, "0 9007199254740992",
		   "{\"name\":\"0\",\"key\":0,\"value\":\"9007199254740992\"}");
	check_json("json: -2^63, escaped in the name", "s64", 8, "s64", 8, 0,
		   "%2D9223372036854775808 -9223372036854775808",
		   "{\"name\":\"%2D9223372036854775808\",\"key\":\"-9223372036854775808\","
		   "\"value\":\"-9223372036854775808\"}");
	check_json("json: hex, bool, enum", "u8{TCP=6}", 1, "p=x32:b=bool:c=bool", 6, 0,
		   "TCP p=0x1f b=true c=2",
		   "{\"name\":\"TCP\",\"key\":\"TCP\",\"value\":{\"p\":\"0x1f\",\"b\":true,\"c\":2}}");
	check_json("json: arrays", "u8", 1, "m=u8[2][2]:g={x=u8}[2]", 6, 0,
		   "0 m.0.0=1 m.0.1=2 m.1.0=3 m.1.1=4 g.0.x=5 g.1.x=6",
		   "{\"name\":\"0\",\"key\":0,\"value\":{\"m\":[[1,2],[3,4]],\"g\":[{\"x\":5},{\"x\":6}]}}");
	check_json("json: strings", "str4", 4, "s=str8:t=str4", 12, 0,
		   "%00 s=a%22%5C%0A%C3%A9 t=%FF%00a",
		   "{\"name\":\"%00\",\"key\":\"\",\"value\":{\"s\":\"a\\\"\\\\\\u000a\xc3\xa9\","
		   "\"t\":{\"hex\":\"ff\"}},\"value~\":{\"10\":\"61\"}}");
	check_json("json: padding in values", "u8", 1, "a=u8:f=u8{x.4/.4}:pad1", 3, 0,
		   "0 a=1 f.x=2 ~1.4=3 ~2=ff",
		   "{\"name\":\"0\",\"key\":0,\"value\":{\"a\":1,\"f\":{\"x\":2,\"~1.4\":\"3\"},\"~2\":\"ff\"}}");
	check_json("json: per CPU", "u8", 1, "n=u8", 1, 1, "0 cpu0.n=1 cpu12.n=2",
		   "{\"name\":\"0\",\"key\":0,\"value\":{\"cpu0\":{\"n\":1},\"cpu12\":{\"n\":2}}}");
	check_json("json: per CPU, no name", "u8", 1, "u8", 1, 1, "0 cpu0=1 cpu1=2",
		   "{\"name\":\"0\",\"key\":0,\"value\":{\"cpu0\":1,\"cpu1\":2}}");
	check_json("json: prefix length", "prefixlen=plen:addr=ip4", 8, "u8", 1, 0,
		   "10.0.0.0-8 1",
		   "{\"name\":\"10.0.0.0-8\",\"key\":{\"prefixlen\":8,\"addr\":\"10.0.0.0\"},\"value\":1}");
	check_json("json: fields are missing", "u8", 1, "a=u8:b=u8", 2, 0, "0 a=1", NULL);
	check_json("json: too many fields", "u8", 1, "a=u8", 1, 0, "0 a=1 b=2", NULL);
	check_json("json: other fields", "u8", 1, "a=u8", 1, 0, "0 b=1", NULL);
}

int main(void)
{
	test_keys();
	test_values();
	test_percpu();
	test_separator();
	test_options();
	test_json();
	printf("1..%d\n", tests);
	return !!failures;
}
