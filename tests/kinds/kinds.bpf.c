// SPDX-License-Identifier: GPL-2.0-only
/*
 * A map for each kind of type that BTF has; there are no programs. Maps have a
 * key or a value of the kind, or both; kinds.c fills them.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#define ELEMENTS	18

#define MAP(map_type, name, key_type, value_type, count)	\
	struct {						\
		__uint(type, BPF_MAP_TYPE_##map_type);		\
		__uint(max_entries, count);			\
		__type(key, key_type);				\
		__type(value, value_type);			\
	} name SEC(".maps")

/* Those types that may not be preallocated. */
#define TRIE(name, key_type, value_type)			\
	struct {						\
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);		\
		__uint(max_entries, ELEMENTS);			\
		__uint(map_flags, BPF_F_NO_PREALLOC);		\
		__type(key, key_type);				\
		__type(value, value_type);			\
	} name SEC(".maps")

/* --- Integers --- */

struct ints {
	__u8 u8;
	__s8 s8;
	__u16 u16;
	__s16 s16;
	__u32 u32;
	__s32 s32;
	__u64 u64;
	__s64 s64;
	bool flag;
	char ch;
	signed char sch;
	unsigned char uch;
	long l;
	unsigned long ul;
};

struct big {
	__int128 s128;
	unsigned __int128 u128;
};

MAP(HASH, ints, struct ints, struct ints, ELEMENTS);
MAP(HASH, int_u8, __u8, __s8, ELEMENTS);
MAP(HASH, int_s16, __s16, __u16, ELEMENTS);
MAP(HASH, int_s32, __s32, __u32, ELEMENTS);
MAP(HASH, int_s64, __s64, __u64, ELEMENTS);
MAP(HASH, int_bool, bool, bool, 2);
MAP(HASH, int_char, char, char, ELEMENTS);
MAP(HASH, int_128, __int128, struct big, ELEMENTS);

/* --- Characters --- */

struct strings {
	char name[16];
	char odd[5];
	signed char numbers[3];
	unsigned char bytes[7];
	char lines[2][4];
};

MAP(HASH, strings, char[16], struct strings, ELEMENTS);

/* --- Enums --- */

enum state { NEW, OPEN = 1, ESTABLISHED = 1, CLOSED = 255, };
enum sign { LOW = -2, MINUS = -1, ZERO, PLUS, };
enum tiny { TINY_A, TINY_B, TINY_Z = 255, } __attribute__((packed));
/* Where the compiler is too old for ENUM64, an ENUM of 8 bytes, names cut. */
enum wide { WIDE_SMALL = 1, WIDE_BIG = 0x100000000, WIDE_MAX = ~0ULL, };

struct enums {
	enum state state;
	enum sign sign;
	enum tiny tiny;
	enum wide wide;
	enum tiny list[3];
};

MAP(HASH, enums, struct enums, struct enums, ELEMENTS);
MAP(HASH, enum_sole, enum sign, enum state, ELEMENTS);

/* --- Names for types, qualifiers, pointers --- */

typedef __u32 number_t;
typedef number_t counter_t;
typedef struct { __u16 a; counter_t b; } pair_t;
typedef const volatile pair_t fixed_pair_t;

struct names {
	counter_t counter;
	const __u16 constant;
	volatile __s64 changing;
	const volatile counter_t both;
	fixed_pair_t pair;
	const pair_t pairs[2];
	void *pointer;
	const char *text;
	struct names *next;
	int (*call)(int);
	char *__restrict restricted;
};

MAP(HASH, names, counter_t, struct names, ELEMENTS);
MAP(HASH, pointers, void *, void *, ELEMENTS);

/* --- Structs and unions --- */

struct hole {
	__u8 a;
	__u32 b;
	__u8 c;
	__u64 d;
	__u8 e;
};

struct packed {
	__u8 a;
	__u32 b;
	__u16 c;
	__u64 d;
} __attribute__((packed));

struct nested {
	struct hole hole;
	struct packed packed;
	struct {
		__u8 first;
		__u16 second;
	};
	struct {
		__u8 x;
		struct {
			__u32 y;
			struct hole deep;
		} inner;
	} named;
	struct { } empty;
	struct hole holes[2];
	__u8 pad[3];
	__u32 reserved;
	__u32 padding;
};

struct unions {
	union {
		__u32 word;
		__u8 bytes[4];
	} named;
	union {
		__u64 number;
		struct hole hole;
	};
	union { __u8 a; __u16 b; } list[2];
	__u8 last;
};

MAP(HASH, structs, struct hole, struct nested, ELEMENTS);
MAP(HASH, packed, struct packed, struct packed, ELEMENTS);
MAP(HASH, unions, struct unions, struct unions, ELEMENTS);

/* --- Bit-fields --- */

struct bits {
	__u32 a : 1;
	__u32 b : 3;
	__u32 : 4;
	__u32 c : 13;
	__s32 d : 5;
	__u8 e : 4;
	__u8 f : 4;
	__u16 g;
	__u64 h : 33;
	__s64 i : 30;
	bool j : 1;
	__u8 k : 1;
	__u32 l : 31;
	enum state m : 2;
	enum sign n : 3;
};

struct packed_bits {
	__u8 a : 3;
	__u16 b : 9;
	__u32 c : 12;
	__u64 d : 60;
	__s64 e : 12;
} __attribute__((packed));

MAP(HASH, bits, struct bits, struct bits, ELEMENTS);
MAP(HASH, packed_bits, struct packed_bits, struct packed_bits, ELEMENTS);

/* --- Arrays --- */

struct arrays {
	__u8 bytes[3];
	__u16 plane[2][3];
	__s32 space[2][2][2];
	struct hole holes[2][1];
	char words[2][3][4];
	enum state states[2];
	bool flags[4];
	__u64 one[1];
	const volatile __u16 fixed[2];
	void *pointers[2];
};

MAP(HASH, arrays, __u16[3], struct arrays, ELEMENTS);
MAP(ARRAY, array_plane, __u32, __u16[2][3], ELEMENTS);

/* --- Floats --- */

struct floats {
	float f;
	double d;
	float list[2];
	__u32 n;
};

MAP(HASH, floats, __u32, struct floats, ELEMENTS);

/* --- Network --- */

struct flow {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
};

struct net {
	__be16 be16;
	__be32 be32;
	__be64 be64;
	struct in_addr addr;
	struct in6_addr addr6;
	unsigned char mac[6];
	unsigned char h_source[6];
	__u8 src_ip[4];
	__u8 dst_ip6[16];
	__be32 ip6[4];
	__be16 ports[2];
	struct flow flow;
};

MAP(HASH, net, struct flow, struct net, ELEMENTS);
MAP(HASH, net_addr, struct in_addr, struct in6_addr, ELEMENTS);
MAP(HASH, net_addr6, struct in6_addr, struct in_addr, ELEMENTS);

/* --- Prefixes --- */

struct prefix4 {
	__u32 prefixlen;
	__be32 addr;
};

struct prefix6 {
	struct bpf_lpm_trie_key head;
	struct in6_addr addr;
};

TRIE(prefix4, struct prefix4, struct hole);
TRIE(prefix6, struct prefix6, __u64);

/* --- Tags --- */

#define SHOWN_AS(layout)	__attribute__((btf_decl_tag("bpffs:" layout)))

typedef __u32 server_t SHOWN_AS("ip4");

struct tags {
	__u32 peer SHOWN_AS("ip4");
	server_t server;
	__u64 mask SHOWN_AS("x64");
	__u8 name[8] SHOWN_AS("str8");
	__u32 list[2] SHOWN_AS("x32");
	__u64 parts SHOWN_AS("low=u32:high=u32");
};

MAP(HASH, tags, struct tags, struct tags, ELEMENTS);

/* --- Types of maps --- */

MAP(ARRAY, array, __u32, struct ints, ELEMENTS);
/* Larger, as they drop elements before they are full. */
MAP(LRU_HASH, lru, struct hole, struct hole, 1024);
MAP(PERCPU_HASH, percpu, struct flow, struct hole, ELEMENTS);
MAP(PERCPU_HASH, percpu_sole, __u16, __u32, ELEMENTS);
MAP(PERCPU_ARRAY, percpu_array, __u32, struct bits, ELEMENTS);
MAP(LRU_PERCPU_HASH, percpu_lru, __u32, struct ints, 1024);

struct timed {
	__u64 count;
	struct bpf_timer timer;
	__u32 last;
};

MAP(HASH, timed, __u32, struct timed, ELEMENTS);

/* --- Data sections --- */

__u64 bss_number;
char bss_text[12];
struct nested bss_nested;

struct hole data_hole = { .a = 1 };
volatile __u16 data_volatile = 2;
enum state data_state = OPEN;

const struct net rodata_net = { .be16 = 1 };
const volatile bool rodata_flag = true;

/* --- Speed: see the last part of kinds.py --- */

struct counts {
	__u64 packets;
	__u64 bytes;
	__u32 errors;
	__u16 port;
	__u8 proto;
	bool up;
};

MAP(HASH, many, struct flow, struct counts, 20000);

char LICENSE[] SEC("license") = "GPL";
