// SPDX-License-Identifier: GPL-2.0-only
/* Counts packets and bytes per source address, port and protocol (XDP). */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "conns.h"

#define IP_OFFSET	0x1fff

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct conn);
	__type(value, struct traffic);
} conns SEC(".maps");

/* The source port comes first in the header of TCP and of UDP. */
static __be16 source_port(struct iphdr *ip, void *end)
{
	struct udphdr *ports = (void *)ip + ip->ihl * 4;

	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return 0;
	if (ip->frag_off & bpf_htons(IP_OFFSET))
		return 0;
	if ((void *)(ports + 1) > end)
		return 0;
	return ports->source;
}

static struct traffic *traffic_of(const struct conn *conn)
{
	struct traffic *traffic = bpf_map_lookup_elem(&conns, conn);
	struct traffic none = {};

	if (traffic)
		return traffic;
	/* Another CPU may insert it first: then use that one. */
	bpf_map_update_elem(&conns, conn, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&conns, conn);
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct traffic *traffic;
	struct conn conn = {};

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;

	conn.saddr = ip->saddr;
	conn.proto = ip->protocol;
	conn.sport = source_port(ip, end);
	traffic = traffic_of(&conn);
	if (!traffic)		/* the map is full: this one is not counted */
		return XDP_PASS;

	__sync_fetch_and_add(&traffic->packets, 1);
	__sync_fetch_and_add(&traffic->bytes, end - (void *)eth);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
