// SPDX-License-Identifier: GPL-2.0-only
/*
 * What BTF tells the mount helper: names of more than the 15 characters that the
 * kernel keeps, of maps and of programs; unions; maps in maps. With SECOND, other
 * names that begin with the same ones.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COUNTER(name) \
	struct { \
		__uint(type, BPF_MAP_TYPE_HASH); \
		__uint(max_entries, 8); \
		__type(key, __u32); \
		__type(value, __u64); \
	} name SEC(".maps")

#ifdef SECOND
COUNTER(calls_in_total_count);
/* Of key and value, BTF says the same: which is which? */
COUNTER(packets_of_all_in);
COUNTER(packets_of_all_out);

SEC("socket")
int handle_connect_exit(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}
#else
COUNTER(calls_in_total_bytes);
/* The beginning is the same, the key is not. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u64);
	__type(value, __u64);
} calls_in_total_depth SEC(".maps");

struct service {
	union { __be32 vip4; __be32 vip6[4]; };
	__be16 port;
	__u8 proto;
};
struct count {
	union { __u32 packets; __u32 hits; };
	__u32 up : 1;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, struct service);
	__type(value, struct count);
} shared_addresses SEC(".maps");

struct flow {
	__be32 saddr;
	__be16 dport;
	__u8 proto;
	__u8 pad;
};
enum tenant { one = 1, two };
struct flows {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, struct flow);
	__type(value, __u64);
} flows_of_one SEC(".maps"), flows_of_two SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, enum tenant);
	__array(values, struct flows);
} flows_by_tenant SEC(".maps") = {
	.values = { [1] = (void *)&flows_of_one, [2] = (void *)&flows_of_two },
};
/* Nothing is in it: only the program that uses it has its BTF. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct flows);
} flows_by_slot SEC(".maps");

SEC("socket")
int handle_connect_entry(struct __sk_buff *skb)
{
	__u32 slot = 0;
	__u64 depth = 0;

	(void)skb;
	/* Another map comes first among those of the program. */
	if (bpf_map_lookup_elem(&calls_in_total_depth, &depth))
		return 0;
	return !!bpf_map_lookup_elem(&flows_by_slot, &slot);
}
#endif

char LICENSE[] SEC("license") = "GPL";
