// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the recipes of docs/recipes.rst are about: an XDP program that drops what
 * a block list names and counts the rest, per connection, interface and length.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct prefix {
	__u32 length;
	__be32 saddr;
};

/*
 * No __u64: behind data of 4 bytes, as addresses are, a trie has its value at a
 * multiple of 4, and adding to that atomically is a fault on arm64 and s390x.
 */
struct dropped {
	__u32 dropped;
};

struct conn {
	__be32 saddr;
	__be16 sport;
	__u8 proto;
	__u8 pad;
};

struct traffic {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, struct dropped);
} blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct conn);
	__type(value, struct traffic);
} conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct traffic);
} ifaces SEC(".maps");

/* How many frames were of 2^n bytes and more, and less than twice that? */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} lengths SEC(".maps");

/* What was dropped, for who wants to know of each. */
struct drop {
	__be32 saddr;
	__u32 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} drops SEC(".maps");

/* The globals: of the block list, only while this is true. */
bool filter;
__u64 seen;

static void count(void *map, const void *key, __u64 bytes)
{
	struct traffic *traffic = bpf_map_lookup_elem(map, key);
	struct traffic none = {};

	if (!traffic) {
		bpf_map_update_elem(map, key, &none, BPF_NOEXIST);
		traffic = bpf_map_lookup_elem(map, key);
	}
	if (!traffic)
		return;
	__sync_fetch_and_add(&traffic->packets, 1);
	__sync_fetch_and_add(&traffic->bytes, bytes);
}

static __u32 log2_of(__u32 n)
{
	__u32 log = 0, i;

	for (i = 0; i < 15; i++)
		if (n >> (i + 1))
			log = i + 1;
	return log;
}

SEC("xdp")
int guard(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	__u64 bytes = end - (void *)eth, *length;
	struct prefix prefix = { .length = 32 };
	__u32 iface = ctx->ingress_ifindex, log;
	struct dropped *dropped;
	struct conn conn = {};
	__be16 *ports = (void *)(ip + 1);

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	__sync_fetch_and_add(&seen, 1);

	prefix.saddr = ip->saddr;
	dropped = filter ? bpf_map_lookup_elem(&blocked, &prefix) : 0;
	if (dropped) {
		struct drop drop = { .saddr = ip->saddr, .bytes = bytes };

		__sync_fetch_and_add(&dropped->dropped, 1);
		/* If nobody takes them, it is full, and that is all. */
		bpf_ringbuf_output(&drops, &drop, sizeof(drop), 0);
		return XDP_DROP;
	}

	conn.saddr = ip->saddr;
	conn.proto = ip->protocol;
	if (ip->protocol == IPPROTO_UDP && (void *)(ports + 1) <= end)
		conn.sport = *ports;
	count(&conns, &conn, bytes);
	count(&ifaces, &iface, bytes);

	log = log2_of(bytes);
	length = bpf_map_lookup_elem(&lengths, &log);
	if (length)
		__sync_fetch_and_add(length, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
