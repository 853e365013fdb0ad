// SPDX-License-Identifier: GPL-2.0-only
/*
 * BTF to layouts: each kind of BTF and the layout that it must give. Every
 * result is compiled for the size of the type as well, as the kernel will.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "btf-layout.h"
#include "text.h"

static struct btf *btf;
static int tests, failures;

/* Of bit-fields, whose order a layout cannot say on a big-endian machine. */
static const u16 one = 1;
#define BITS(little, big)	(*(const u8 *)&one ? (little) : (big))

/* Types that many tests need. */
static int u8_id, u16_id, u32_id, u64_id, s8_id, s16_id, s32_id, s64_id, u128_id;
static int char_id, bool_id, float_id, double_id, be16_id, be32_id, be64_id;

static int add(int id)
{
	if (id > 0)
		return id;
	printf("Bail out! BTF cannot be built: %d\n", id);
	exit(1);
}

static int add_alias(const char *name, int id)
{
	return add(btf__add_typedef(btf, name, id));
}

static int add_array(int id, unsigned int count)
{
	return add(btf__add_array(btf, u32_id, id, count));
}

static int add_struct(const char *name, unsigned int size)
{
	return add(btf__add_struct(btf, name, size));
}

/* To the struct, union or enum added last. */
static void member(const char *name, int id, unsigned int bit)
{
	if (btf__add_field(btf, name, id, bit, 0))
		add(-1);
}

static void bits(const char *name, int id, unsigned int bit, unsigned int width)
{
	if (btf__add_field(btf, name, id, bit, width))
		add(-1);
}

static void add_basics(void)
{
	btf = btf__new_empty();
	/* Of the kernel, wherever this runs. */
	if (!btf || btf__set_pointer_size(btf, 8))
		add(-1);
	u8_id = add(btf__add_int(btf, "unsigned char", 1, 0));
	u16_id = add(btf__add_int(btf, "unsigned short", 2, 0));
	u32_id = add(btf__add_int(btf, "unsigned int", 4, 0));
	u64_id = add(btf__add_int(btf, "unsigned long", 8, 0));
	s8_id = add(btf__add_int(btf, "signed char", 1, BTF_INT_SIGNED));
	s16_id = add(btf__add_int(btf, "short", 2, BTF_INT_SIGNED));
	s32_id = add(btf__add_int(btf, "int", 4, BTF_INT_SIGNED));
	s64_id = add(btf__add_int(btf, "long", 8, BTF_INT_SIGNED));
	u128_id = add(btf__add_int(btf, "unsigned __int128", 16, 0));
	char_id = add(btf__add_int(btf, "char", 1, BTF_INT_SIGNED));
	bool_id = add(btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL));
	float_id = add(btf__add_float(btf, "float", 4));
	double_id = add(btf__add_float(btf, "double", 8));
	be16_id = add_alias("__be16", add_alias("__u16", u16_id));
	be32_id = add_alias("__be32", add_alias("__u32", u32_id));
	be64_id = add_alias("__be64", add_alias("__u64", u64_id));
}

static void result(bool ok, const char *name)
{
	tests++;
	failures += !ok;
	printf("%sok %d - btf: %s\n", ok ? "" : "not ", tests, name);
}

static bool compiles(const char *text, unsigned int size, enum libbpffs_btf_use use)
{
	struct bpffs_layout *layout;

	if (bpffs_layout_compile(&layout, text, strlen(text), size,
				 use == LIBBPFFS_BTF_VALUE ? BPFFS_VALUE : BPFFS_KEY, NULL))
		return false;
	bpffs_layout_release(layout);
	return true;
}

/* With all memory that it needs. */
static char *layout_of(int id, unsigned int size, enum libbpffs_btf_use use,
		       struct libbpffs_as *as, size_t as_count)
{
	char *text;

	if (libbpffs_btf_layout(btf, id, size, use, as, as_count, &text))
		add(-1);
	return text;
}

/* @wanted: NULL if there must be no layout. */
static void check_use(const char *name, int id, unsigned int size,
		      enum libbpffs_btf_use use, const char *wanted)
{
	char *text = layout_of(id, size, use, NULL, 0);
	bool ok = !text == !wanted && (!text || !strcmp(text, wanted));

	if (!ok)
		printf("# %s, not %s\n", text ?: "(none)", wanted ?: "(none)");
	result(ok && (!text || compiles(text, size, use)), name);
	free(text);
}

static void check(const char *name, int id, unsigned int size, const char *wanted)
{
	check_use(name, id, size, LIBBPFFS_BTF_VALUE, wanted);
}

/* As a member of this name. */
static void check_member(const char *what, const char *name, int id, unsigned int size,
			 const char *wanted)
{
	int outer = add_struct("outer", size);
	char text[256];

	member(name, id, 0);
	snprintf(text, sizeof(text), "%s=%s", name, wanted);
	check(what, outer, size, text);
}

static void test_numbers(void)
{
	check("u8", u8_id, 1, "u8");
	check("u16", u16_id, 2, "u16");
	check("u32", u32_id, 4, "u32");
	check("u64", u64_id, 8, "u64");
	check("s8", s8_id, 1, "s8");
	check("s16", s16_id, 2, "s16");
	check("s32", s32_id, 4, "s32");
	check("s64", s64_id, 8, "s64");
	check("__int128", u128_id, 16, "hex16");
	check("bool", bool_id, 1, "bool");
	check("float", float_id, 4, NULL);
	check("double", double_id, 8, NULL);
	check("pointer", add(btf__add_ptr(btf, s32_id)), 8, "x64");
	check("char", char_id, 1, "s8");
	check("size of the map differs", u32_id, 8, NULL);
	check("void", 0, 4, NULL);
	check("no such type", 1000000, 4, NULL);
}

static void test_qualifiers(void)
{
	int id = add(btf__add_const(btf, u32_id));

	id = add(btf__add_volatile(btf, id));
	check("const volatile", id, 4, "u32");
	check("typedef", add_alias("counter_t", id), 4, "u32");
	id = add(btf__add_restrict(btf, add(btf__add_ptr(btf, u8_id))));
	check("restrict", id, 8, "x64");
	id = add(btf__add_ptr(btf, add(btf__add_type_tag(btf, "user", u8_id))));
	check("type tag", id, 8, "x64");
}

static void test_arrays(void)
{
	check("char[16]", add_array(char_id, 16), 16, "str16");
	check("char[4][8]", add_array(add_array(char_id, 8), 4), 32, "str8[4]");
	check("unsigned char[5]", add_array(u8_id, 5), 5, "hex5");
	check("signed char[5]", add_array(s8_id, 5), 5, "s8[5]");
	check("int[3]", add_array(s32_id, 3), 12, "s32[3]");
	check("int[2][3]", add_array(add_array(s32_id, 3), 2), 24, "s32[2][3]");
	check("int[0]", add_array(s32_id, 0), 4, NULL);
	check("4 GiB", add_array(add_array(u64_id, 1 << 20), 1 << 20), 8, NULL);
}

static void test_addresses(void)
{
	int mac = add_array(u8_id, 6), four = add_array(u8_id, 4);
	int sixteen = add_array(u8_id, 16), in_addr, in6_addr;

	in_addr = add_struct("in_addr", 4);
	member("s_addr", be32_id, 0);
	in6_addr = add_struct("in6_addr", 16);
	member("in6_u", sixteen, 0);

	check("__be16", be16_id, 2, "be16");
	check("__be32", be32_id, 4, "be32");
	check("__be64", be64_id, 8, "be64");
	check_member("__be32 by a typedef", "seq", add_alias("seq_t", be32_id), 4, "be32");
	check_member("__be32 saddr", "saddr", be32_id, 4, "ip4");
	check_member("__be32 src_ip", "src_ip", be32_id, 4, "ip4");
	check_member("__be32 dst", "dst", be32_id, 4, "ip4");
	check_member("__be32 ip4", "ip4", be32_id, 4, "ip4");
	check_member("__be32 dst_port", "dst_port", be32_id, 4, "be32");
	check_member("__be32 spi", "spi", be32_id, 4, "be32");
	check_member("__be16 addr", "addr", be16_id, 2, "be16");
	check_member("__u32 addr", "addr", u32_id, 4, "u32");
	check_member("__u32 saddr", "saddr", u32_id, 4, "ip4");
	check_member("__u32 targ_daddr_v4", "targ_daddr_v4", u32_id, 4, "ip4");
	check_member("__u32 local_ip4", "local_ip4", u32_id, 4, "ip4");
	check_member("__u32 remote_ip6[4]", "remote_ip6", add_array(u32_id, 4), 16, "ip6");
	check_member("__u32 saddr[3]", "saddr", add_array(u32_id, 3), 12, "ip4[3]");
	check_member("int saddr", "saddr", s32_id, 4, "s32");
	check_member("__u32 ip", "ip", u32_id, 4, "u32");
	check_member("__u32 remote_ipv4", "remote_ipv4", u32_id, 4, "u32");
	check_member("__u32 v4", "v4", u32_id, 4, "u32");
	check_member("__be32 src_vni", "src_vni", be32_id, 4, "be32");
	check_member("__be32 dst_spi", "dst_spi", be32_id, 4, "be32");
	check_member("__be32 addr_2", "addr_2", be32_id, 4, "ip4");
	check_member("__be32 multiaddr", "multiaddr", be32_id, 4, "ip4");
	check_member("__be32 block_address", "block_address", be32_id, 4, "be32");
	check_member("__be32 v32", "v32", be32_id, 4, "be32");
	check_member("u8 ip_proto[4]", "ip_proto", four, 4, "hex4");
	check_member("u8 src_comm[16]", "src_comm", sixteen, 16, "hex16");
	check_member("u8 dst_uuid[16]", "dst_uuid", sixteen, 16, "hex16");
	check_member("u8 hw_addr[16]", "hw_addr", sixteen, 16, "hex16");
	check_member("u8 daddr_v6[16]", "daddr_v6", sixteen, 16, "ip6");
	check_member("u8 dst_id[6]", "dst_id", mac, 6, "hex6");
	check_member("u8 mac_src[6]", "mac_src", mac, 6, "mac");
	check_member("u8 grpmac[6]", "grpmac", mac, 6, "mac");
	check_member("in_addr_t", "server", add_alias("in_addr_t", u32_id), 4, "ip4");
	check_member("__be32 saddr[4]", "saddr", add_array(be32_id, 4), 16, "ip6");
	check_member("__be32 data[4]", "data", add_array(be32_id, 4), 16, "be32[4]");
	check_member("u8 daddr[4]", "daddr", four, 4, "ip4");
	check_member("u8 key[4]", "key", four, 4, "hex4");
	check_member("u8 addr[16]", "addr", sixteen, 16, "ip6");
	check_member("u8 h_dest[6]", "h_dest", mac, 6, "mac");
	check_member("u8 mac[2][6]", "mac", add_array(mac, 2), 12, "mac[2]");
	check_member("mac_t", "of", add_alias("mac_t", mac), 6, "mac");
	check_member("u8 data[6]", "data", mac, 6, "hex6");
	check("struct in_addr", in_addr, 4, "ip4");
	check("struct in6_addr", in6_addr, 16, "ip6");
	check_member("struct in_addr as a member", "server", in_addr, 4, "ip4");
	check("struct in_addr[2]", add_array(in_addr, 2), 8, "ip4[2]");
}

static void enum_value(const char *name, long long value)
{
	if (btf__add_enum_value(btf, name, value))
		add(-1);
}

static void enum64_value(const char *name, unsigned long long value)
{
	if (btf__add_enum64_value(btf, name, value))
		add(-1);
}

static void test_enums(void)
{
	int id;

	id = add(btf__add_enum(btf, "state", 4));
	enum_value("NEW", 0);
	enum_value("OLD", 5);
	check("enum", id, 4, "u32{NEW=0/OLD=5}");
	check("enum[2]", add_array(id, 2), 8, "u32{NEW=0/OLD=5}[2]");
	id = add(btf__add_enum(btf, "negative", 4));
	enum_value("BAD", -1);
	enum_value("GOOD", 0);
	check("enum with a negative value", id, 4, "s32{BAD=-1/GOOD=0}");
	id = add(btf__add_enum(btf, "small", 1));
	enum_value("A", 255);
	enum_value("B", 256);
	check("enum of a byte", id, 1, "u8{A=255}");
	id = add(btf__add_enum(btf, "twice", 4));
	enum_value("A", 1);
	enum_value("A", 2);
	enum_value("C", 1);
	check("enum with a name twice", id, 4, "u32{A=1/C=1}");
	check("enum without values", add(btf__add_enum(btf, "opaque", 4)), 4, "u32");
	id = add(btf__add_enum64(btf, "big", 8, false));
	enum64_value("HIGH", 1ULL << 63);
	check("enum64", id, 8, "u64{HIGH=9223372036854775808}");
	id = add(btf__add_enum64(btf, "low", 8, true));
	enum64_value("LOW", -1ULL << 63);
	check("signed enum64", id, 8, "s64{LOW=-9223372036854775808}");
}

static void test_structs(void)
{
	int chars = add_array(char_id, 8), none = add_array(u8_id, 0);
	int inner, many, id;

	inner = add_struct("inner", 16);
	member("sec", u64_id, 0);
	member("nsec", u32_id, 64);
	many = add_array(inner, 1);

	id = add_struct("outer", 40);
	member("flag", u8_id, 0);
	member("count", u32_id, 32);
	member("last", inner, 64);
	member("many", many, 192);
	check("nested, with holes", id, 40,
	      "flag=u8:pad3:count=u32:last={sec=u64:nsec=u32:pad4}:many={sec=u64:nsec=u32:pad4}[1]");

	id = add_struct("packed", 5);
	member("a", u8_id, 0);
	member("b", u32_id, 8);
	check("packed", id, 5, "a=u8:b=u32");

	inner = add_struct(NULL, 8);
	member("x", u32_id, 0);
	member("y", u32_id, 32);
	id = add_struct("outer", 12);
	member(NULL, inner, 0);
	member("z", u32_id, 64);
	check("anonymous", id, 12, "x=u32:y=u32:z=u32");
	id = add_struct("outer", 12);
	member(NULL, inner, 0);
	member("x", u32_id, 64);
	check("a name twice", id, 12, "x=u32:y=u32:x_8=u32");

	id = add_struct("outer", 8);
	member("len", u32_id, 0);
	member("_pad1", u32_id, 32);
	check("a member called padding", id, 8, "len=u32:pad4");
	id = add_struct("outer", 4);
	member("len", u32_id, 0);
	member("data", none, 32);
	check("flexible array", id, 4, "len=u32");
	check("empty", add_struct("empty", 0), 0, NULL);

	inner = add(btf__add_union(btf, "either", 8));
	member("number", u64_id, 0);
	member("text", chars, 0);
	check("union", inner, 8, "number=u64");
	check_member("union as a member", "either", inner, 8, "{number=u64}");
	check_member("union[2]", "either", add_array(inner, 2), 16, "{number=u64}[2]");
	id = add_struct("outer", 16);
	member(NULL, inner, 0);
	member(NULL, inner, 64);
	check("anonymous unions", id, 16, "number=u64:number_8=u64");
	id = add_struct("outer", 24);
	member(NULL, inner, 0);
	member(NULL, inner, 64);
	member(NULL, inner, 128);
	check("three anonymous unions", id, 24, "number=u64:number_8=u64:number_16=u64");
}

/* A union is the first of its members that has no hole in it. */
static void test_unions(void)
{
	int four = add_array(u8_id, 4), words = add_array(be32_id, 4);
	int holes, pads, whole, bit, part, id;

	holes = add_struct("holes", 8);
	member("a", u8_id, 0);
	member("b", u32_id, 32);
	pads = add_struct("pads", 8);
	member("a", u32_id, 0);
	member("pad", four, 32);
	member("pad", u32_id, 32);
	whole = add_struct("whole", 8);
	member("a", u32_id, 0);
	bits("b", u32_id, 32, 7);
	bits("c", u32_id, 39, 25);
	bit = add_struct("bit", 8);
	bits("x", u64_id, 0, 63);

	id = add(btf__add_union(btf, "choice", 8));
	member("small", u32_id, 0);
	member("broken", double_id, 0);
	member("holes", holes, 0);
	member("pads", pads, 0);
	member("bit", bit, 0);
	check_member("union of no whole member", "u", id, 8, "hex8");
	id = add(btf__add_union(btf, "choice", 8));
	member("small", u32_id, 0);
	member("broken", double_id, 0);
	member("holes", holes, 0);
	member("pads", pads, 0);
	member("bit", bit, 0);
	member("whole", whole, 0);
	member("last", u64_id, 0);
	check_member("union of a whole struct", "u", id, 8,
		     BITS("{whole={a=u32:u32{b.7/c.25}}}", "{whole={a=u32:bits=hex4}}"));
	part = add_struct("outer", 16);
	member("n", u32_id, 0);
	member(NULL, id, 64);
	check("union without a name, of a whole struct", part, 16,
	      BITS("n=u32:pad4:whole={a=u32:u32{b.7/c.25}}",
				"n=u32:pad4:whole={a=u32:bits=hex4}"));

	id = add(btf__add_union(btf, "addresses", 16));
	member("v4", be32_id, 0);
	member("v6", words, 0);
	check("union of an address and a larger one", id, 16, "v6=ip6");
	part = add(btf__add_union(btf, NULL, 16));
	member(NULL, id, 0);
	id = add_struct("outer", 16);
	member(NULL, part, 0);
	check("unions in one another", id, 16, "v6=ip6");
	id = add(btf__add_union(btf, "none", 8));
	check_member("union of nothing", "u", id, 8, "hex8");

	/* Each holds two of those that follow: too many to look at all. */
	id = btf__type_cnt(btf);
	for (part = 0; part < 40; part++) {
		add(btf__add_union(btf, "many", 8));
		member("a", part < 39 ? id + part + 1 : (int)double_id, 0);
		member("b", part < 39 ? id + part + 1 : (int)double_id, 0);
	}
	check("unions in unions in unions", id, 8, NULL);
}

static void test_kernels_own(void)
{
	int lock = add_struct("bpf_spin_lock", 4), kptr, id;

	member("val", u32_id, 0);
	kptr = add(btf__add_ptr(btf, add(btf__add_type_tag(btf, "kptr", lock))));
	id = add_struct("outer", 16);
	member("lock", lock, 0);
	member("count", u32_id, 32);
	member("task", kptr, 64);
	check("spin lock and kptr", id, 16, "pad4:count=u32:pad8");
}

static void test_enum_bits(void)
{
	int dir, level, old, id;

	dir = add(btf__add_enum(btf, "dir", 4));
	enum_value("IN", 0);
	enum_value("OUT", 1);
	enum_value("WIDE", 9);
	level = add(btf__add_enum(btf, "level", 4));
	enum_value("BELOW", -1);
	enum_value("SAME", 0);
	id = add_struct("packet", 4);
	bits("n", s32_id, 0, 5);
	bits("dir", dir, 5, 2);
	bits("level", level, 7, 3);
	check("enums in bit-fields", id, 4,
	      BITS("u32{n.s5/dir.2{IN=0/OUT=1}/level.s3{BELOW=-1/SAME=0}/.22}",
		   "bits=hex2:pad2"));
	id = add_struct("levels", 4);
	bits("a", level, 0, 3);
	bits("b", s32_id, 3, 29);
	check("all of them signed", id, 4,
	      BITS("s32{a.3{BELOW=-1/SAME=0}/b.29}", "bits=hex4"));
	id = add_struct("levels", 4);
	bits("a", level, 0, 32);
	check("an enum as all bits", id, 4, "a=s32{BELOW=-1/SAME=0}");

	/* As compilers before ENUM64 wrote it: without the flag. */
	old = add(btf__add_enum(btf, "old", 4));
	enum_value("BELOW", -1);
	enum_value("SAME", 0);
	((struct btf_type *)btf__type_by_id(btf, old))->info &= ~(1U << 31);
	check("a negative enum without the flag", old, 4, "s32{BELOW=-1/SAME=0}");
	old = add(btf__add_enum(btf, "mask", 4));
	enum_value("LOW", 1);
	enum_value("HIGH", INT_MIN);
	((struct btf_type *)btf__type_by_id(btf, old))->info &= ~(1U << 31);
	check("a mask is not negative", old, 4, "u32{LOW=1/HIGH=2147483648}");
}

static void test_bits(void)
{
	int id;

	id = add_struct("flags", 4);
	bits("rx", u32_id, 0, 1);
	bits("tx", u32_id, 1, 1);
	bits("queue", u32_id, 8, 12);
	check("bit-fields", id, 4,
	      BITS("u32{rx.1/tx.1/.6/queue.12/.12}", "bits=hex1:bits_1=hex2:pad1"));
	id = add_struct("flags", 4);
	bits("a", s32_id, 0, 4);
	bits("b", s32_id, 4, 28);
	check("signed bit-fields", id, 4, BITS("s32{a.4/b.28}", "bits=hex4"));
	id = add_struct("flags", 4);
	bits("a", u32_id, 0, 4);
	bits("b", s32_id, 4, 4);
	check("of both signs", id, 4, BITS("u32{a.4/b.s4/.24}", "bits=hex1:pad3"));
	test_enum_bits();
	id = add_struct("flags", 4);
	bits("a", u32_id, 0, 3);
	bits(NULL, u8_id, 16, 0);
	check("a byte follows in the unit", id, 4, BITS("u8{a.3/.5}:pad1:field=u8:pad1",
						    "bits=hex1:pad1:field=u8:pad1"));
	id = add_struct("packed", 4);
	bits("a", u32_id, 0, 12);
	bits("b", u32_id, 12, 12);
	bits("c", u8_id, 24, 0);
	check("packed in three bytes", id, 4, "bits=hex3:c=u8");
	id = add_struct("packed", 12);
	bits("a", u64_id, 0, 60);
	bits("b", u64_id, 60, 20);
	check("longer than any integer", id, 12, "bits=hex10:pad2");
	id = add_struct("whole", 4);
	bits("all", u32_id, 0, 32);
	check("all bits", id, 4, "all=u32");
	id = add_struct("padded", 4);
	bits("a", u32_id, 0, 8);
	bits("pad", u32_id, 8, 24);
	check("bits called padding", id, 4, BITS("u32{a.8/.24}", "bits=hex1:bits_1=hex3"));
	id = add_struct("overlap", 4);
	bits("a", u32_id, 0, 8);
	bits("b", u32_id, 4, 8);
	check("overlapping bits", id, 4, "bits=hex2:pad2");
}

static void test_hostile(void)
{
	int id, ring;
	int i;

	id = add_struct("overlap", 8);
	member("a", u64_id, 0);
	member("b", u32_id, 32);
	check("overlapping members", id, 8, NULL);
	check_member("overlapping members inside", "x", id, 8, "hex8");
	id = add_struct("beyond", 4);
	member("a", u64_id, 0);
	check("a member beyond the end", id, 4, NULL);

	/* Each holds the one that follows, and itself by turns. */
	ring = btf__type_cnt(btf);
	for (i = 0; i < 40; i++) {
		add_struct("ring", 8);
		member("a", ring + (i + 1) % 40, 0);
	}
	check("structs in a ring", ring, 8,
	      "a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a=hex8}}}}}}}}}}}}}}}");
	id = btf__type_cnt(btf);
	add_alias("self", id + 1);
	add_alias("other", id);
	check("typedefs in a ring", id, 4, NULL);

	id = u32_id;
	for (i = 0; i < 20; i++) {
		id = add_struct("deep", 4);
		member("m", i ? id - 1 : u32_id, 0);
	}
	check("nested too deep", id, 4,
	      "m={m={m={m={m={m={m={m={m={m={m={m={m={m={m={m=hex4}}}}}}}}}}}}}}}");
}

static void test_sections(void)
{
	int hits = add(btf__add_var(btf, "hits", BTF_VAR_GLOBAL_ALLOCATED, u64_id));
	int one = add(btf__add_var(btf, "count.n", BTF_VAR_STATIC, u32_id));
	int two = add(btf__add_var(btf, "count.n", BTF_VAR_STATIC, u32_id));
	int name = add(btf__add_var(btf, "name", BTF_VAR_STATIC, add_array(char_id, 8)));
	int id;

	id = add(btf__add_datasec(btf, ".bss", 32));
	btf__add_datasec_var_info(btf, hits, 0, 8);
	btf__add_datasec_var_info(btf, one, 8, 4);
	btf__add_datasec_var_info(btf, two, 16, 4);
	btf__add_datasec_var_info(btf, name, 20, 8);
	check("data section", id, 32,
	      "hits=u64:count_n=u32:pad4:count_n_16=u32:name=str8:pad4");
	id = add(btf__add_datasec(btf, ".data", 4));
	btf__add_datasec_var_info(btf, hits, 0, 4);
	check("variable of another size", id, 4, "hits=hex4");
}

static void test_tags(void)
{
	int two = add_array(u32_id, 2), id, var, alias;

	id = add_struct("tagged", 12);
	member("server", u32_id, 0);
	member("servers", two, 32);
	add(btf__add_decl_tag(btf, "bpffs:ip4", id, 0));
	add(btf__add_decl_tag(btf, "bpffs:x32", id, 1));
	check("decl tags", id, 12, "server=ip4:servers=x32[2]");
	id = add_struct("tagged", 8);
	member("data", u64_id, 0);
	add(btf__add_decl_tag(btf, "bpffs:a=u32:b=be16:pad2", id, 0));
	check("decl tag of several fields", id, 8, "data={a=u32:b=be16:pad2}");
	id = add_struct("tagged", 4);
	member("n", u32_id, 0);
	add(btf__add_decl_tag(btf, "bpffs:u64", id, 0));
	check("decl tag of another size", id, 4, "n=u32");
	id = add_struct("tagged", 4);
	member("n", u32_id, 0);
	add(btf__add_decl_tag(btf, "bpffs:u16}:x={u16", id, 0));
	check("decl tag that is no layout", id, 4, "n=u32");
	alias = add_alias("address", u32_id);
	add(btf__add_decl_tag(btf, "bpffs:ip4", alias, -1));
	check("decl tag of a typedef", alias, 4, "ip4");
	var = add(btf__add_var(btf, "peer", BTF_VAR_GLOBAL_ALLOCATED, u32_id));
	add(btf__add_decl_tag(btf, "bpffs:ip4", var, -1));
	id = add(btf__add_datasec(btf, ".data", 4));
	btf__add_datasec_var_info(btf, var, 0, 4);
	check("decl tag of a variable", id, 4, "peer=ip4");
}

static void test_keys(void)
{
	int four = add_array(u8_id, 4), sixteen = add_array(u8_id, 16);
	int none = add_array(u8_id, 0), chars = add_array(char_id, 100);
	int header, id;

	id = add_struct("lpm", 8);
	member("prefixlen", u32_id, 0);
	member("addr", four, 32);
	check_use("LPM key", id, 8, LIBBPFFS_BTF_LPM_KEY, "prefixlen=plen:addr=ip4");
	check_use("LPM key in another map", id, 8, LIBBPFFS_BTF_KEY,
		  "prefixlen=u32:addr=ip4");
	header = add_struct("bpf_lpm_trie_key", 4);
	member("prefixlen", u32_id, 0);
	member("data", none, 32);
	id = add_struct("lpm", 20);
	member("key", header, 0);
	member("addr", sixteen, 32);
	check_use("LPM key with the kernel's struct", id, 20, LIBBPFFS_BTF_LPM_KEY,
		  "key=plen:addr=ip6");
	id = add_struct("long", 100);
	member("text", chars, 0);
	check_use("names that can be long", id, 100, LIBBPFFS_BTF_KEY, "text=str100");
	check_use("names too long", add_array(id, 41), 4100, LIBBPFFS_BTF_KEY, NULL);
	id = add_struct("padding", 4);
	member("pad", u32_id, 0);
	check_use("only padding", id, 4, LIBBPFFS_BTF_KEY, NULL);
	id = add(btf__add_enum(btf, "labels", 4));
	enum_value("A_NAME_THAT_IS_LONG_ENOUGH_TO_COUNT_AS_LONG_IN_A_KEY_OF_FOUR_OF_THEM", 1);
	check_use("names too long by an enum", add_array(id, 1000), 4000, LIBBPFFS_BTF_KEY,
		  "u32[1000]");
}

/* Types by the user: as=value.last.peer:ip4 */
static void test_as(void)
{
	struct libbpffs_as as[] = {
		{ .path = "last.peer", .path_len = 9, .type = "ip4" },
		{ .path = "mask", .path_len = 4, .type = "x64" },
		{ .path = "mask", .path_len = 4, .type = "u8", .for_key = true },
		{ .path = "last.no", .path_len = 7, .type = "u8" },
	};
	int last, id;
	char *text;

	last = add_struct("last", 4);
	member("peer", u32_id, 0);
	id = add_struct("outer", 16);
	member("last", last, 0);
	member("mask", u32_id, 64);
	text = layout_of(id, 16, LIBBPFFS_BTF_VALUE, as, 4);
	result(text && !strcmp(text, "last={peer=ip4}:pad4:mask=u32:pad4"), "as");
	free(text);
	result(as[0].seen && !as[0].bad_size, "as: seen");
	result(as[1].seen && as[1].bad_size == 4, "as: of another size");
	result(!as[2].seen, "as: of the key");
	result(!as[3].seen, "as: of no member");
}

/* @wanted: NULL if there is no such member. */
static void check_as(const char *path, const char *type, int id, unsigned int size,
		     const char *wanted)
{
	struct libbpffs_as as = { .path = path, .path_len = strlen(path), .type = type };
	char *text = layout_of(id, size, LIBBPFFS_BTF_VALUE, &as, 1);
	bool ok = wanted ? as.seen && !as.bad_size && text && !strcmp(text, wanted) : !as.seen;
	char name[128];

	if (!ok)
		printf("# %s, not %s\n", text ?: "(none)", wanted ?: "(none)");
	snprintf(name, sizeof(name), "as: %s:%s", path, type);
	result(ok && (!text || compiles(text, size, LIBBPFFS_BTF_VALUE)), name);
	free(text);
}

/* By each name that a text shows. */
static void test_as_names(void)
{
	struct libbpffs_as as = { .path = "b", .path_len = 1, .type = "u8" };
	int words = add_array(be32_id, 4), var, var2, unnamed, either, id;
	char *text;

	either = add(btf__add_union(btf, NULL, 4));
	member("backend", u32_id, 0);
	member("affinity", s32_id, 0);
	id = add_struct("outer", 12);
	member(NULL, either, 0);
	member(NULL, either, 32);
	member("u", either, 64);
	check_as("backend", "x32", id, 12, "backend=x32:backend_4=u32:u={backend=u32}");
	check_as("backend_4", "x32", id, 12, "backend=u32:backend_4=x32:u={backend=u32}");
	check_as("affinity", "x32", id, 12, "affinity=x32:affinity_4=s32:u={backend=u32}");
	check_as("union", "x32", id, 12, "union=x32:backend=u32:u={backend=u32}");
	check_as("u", "x32", id, 12, "backend=u32:backend_4=u32:u=x32");
	check_as("u.affinity", "x32", id, 12,
		 "backend=u32:backend_4=u32:u={affinity=x32}");
	check_as("u.none", "x32", id, 12, NULL);

	either = add(btf__add_union(btf, NULL, 16));
	member("vip4", be32_id, 0);
	member("vip6", words, 0);
	id = add_struct("outer", 16);
	member(NULL, either, 0);
	check_as("vip4", "ip4", id, 16, "vip4=ip4:pad12");
	check_as("vip6", "be32", id, 16, "vip6=be32[4]");
	check_as("union", "ip4:pad12", id, 16, "union={ip4:pad12}");

	unnamed = add_struct(NULL, 8);
	member("a", u64_id, 0);
	member("b", u32_id, 32);
	id = add_struct("outer", 8);
	member(NULL, unnamed, 0);
	check("a struct without a name that overlaps", id, 8, "field=hex8");
	check_as("field", "x64", id, 8, "field=x64");

	id = add_struct("bits", 8);
	bits("a", u32_id, 0, 8);
	bits(NULL, u8_id, 8, 0);
	bits("b", u32_id, 16, 4);
	bits("c", u64_id, 32, 32);
	check("bit-fields of whole bytes", id, 8,
	      BITS("a=u8:field=u8:u8{b.4/.4}:pad1:c=u32",
		   "bits=hex1:field=u8:bits_2=hex1:pad1:bits_4=hex4"));
	if (BITS(true, false)) {
		check_as("a", "x8", id, 8, "a=x8:field=u8:u8{b.4/.4}:pad1:c=u32");
		check_as("c", "ip4", id, 8, "a=u8:field=u8:u8{b.4/.4}:pad1:c=ip4");
		text = layout_of(id, 8, LIBBPFFS_BTF_VALUE, &as, 1);
		result(as.seen && as.of_bits, "as: of some bits");
		free(text);
	}

	var = add(btf__add_var(btf, "prog.calls", BTF_VAR_STATIC, u32_id));
	var2 = add(btf__add_var(btf, "prog.calls", BTF_VAR_STATIC, u32_id));
	id = add(btf__add_datasec(btf, ".data", 8));
	btf__add_datasec_var_info(btf, var, 0, 4);
	btf__add_datasec_var_info(btf, var2, 4, 4);
	check_as("prog_calls", "x32", id, 8, "prog_calls=x32:prog_calls_4=u32");
	check_as("prog_calls_4", "x32", id, 8, "prog_calls=u32:prog_calls_4=x32");
	check_as("prog.calls", "x32", id, 8, "prog_calls=x32:prog_calls_4=x32");
}

/* --- While malloc(3) fails, as it does once --- */

/* By the linker's --wrap: what the library calls, also where the C library is static. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t many, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t many, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

/* So many are left until then; 0: it does not. */
static unsigned int allocations;

static bool fails(void)
{
	return allocations && !--allocations;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t many, size_t size)
{
	return fails() ? NULL : __real_calloc(many, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
	return fails() ? NULL : __real_strndup(text, size);
}

/* At each chance: the layout that there is with memory, or -ENOMEM. */
static void check_memory(const char *name, int id, unsigned int size,
			 struct libbpffs_as *as, size_t as_count)
{
	char *wanted = layout_of(id, size, LIBBPFFS_BTF_VALUE, as, as_count), *text;
	unsigned int nth, wrong = 0;
	bool failed = true;
	int err;

	for (nth = 1; failed; nth++) {
		allocations = nth;
		err = libbpffs_btf_layout(btf, id, size, LIBBPFFS_BTF_VALUE, as, as_count, &text);
		failed = !allocations;
		allocations = 0;
		if (failed ? err != -ENOMEM || text : err || strcmp(text, wanted))
			printf("# allocation %u: %d, %s\n", nth, err, text ?: "(none)"), wrong++;
		free(text);
	}
	result(!wrong && nth > 3, name);
	free(wanted);
}

static void test_memory(void)
{
	struct libbpffs_as as[] = {
		{ .path = "mask", .path_len = 4, .type = "x32" },
		{ .path = "word", .path_len = 4, .type = "x32" },
	};
	int pair = add_array(u32_id, 2), labels, inner, id;

	labels = add(btf__add_enum(btf, "labels", 4));
	enum_value("NEW", 0);
	enum_value("OLD", 5);
	inner = add_struct("inner", 8);
	member("label", labels, 0);
	member("peer", u32_id, 32);
	id = add_struct("outer", 24);
	member("inner", inner, 0);
	member("tagged", pair, 64);
	member("mask", u32_id, 128);
	bits("word", u32_id, 160, 32);
	add(btf__add_decl_tag(btf, "bpffs:ip4", id, 1));
	check_memory("no memory", id, 24, NULL, 0);
	check_memory("no memory, types by the user", id, 24, as, 2);
}

int main(void)
{
	add_basics();
	test_numbers();
	test_qualifiers();
	test_arrays();
	test_addresses();
	test_enums();
	test_structs();
	test_unions();
	test_kernels_own();
	test_bits();
	test_hostile();
	test_sections();
	test_tags();
	test_keys();
	test_as();
	test_as_names();
	test_memory();
	btf__free(btf);
	printf("1..%d\n", tests);
	return !!failures;
}
