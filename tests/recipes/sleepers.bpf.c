// SPDX-License-Identifier: GPL-2.0-only
/* Where in the kernel tasks give up the CPU, how often, when last, and of which cgroup. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define DEPTH	32

struct place {
	__s32 stack;
};

struct sleeps {
	__u64 count;
	__u64 last;
	__u64 cgroup;
};

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 4096);
	__uint(key_size, 4);
	__uint(value_size, DEPTH * sizeof(__u64));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct place);
	__type(value, struct sleeps);
} sleeps SEC(".maps");

SEC("raw_tp/sched_switch")
int sleepers(void *ctx)
{
	struct place place = { .stack = bpf_get_stackid(ctx, &stacks, 0) };
	struct sleeps first = {}, *sleep;

	bpf_map_update_elem(&sleeps, &place, &first, BPF_NOEXIST);
	sleep = bpf_map_lookup_elem(&sleeps, &place);
	if (!sleep)
		return 0;
	__sync_fetch_and_add(&sleep->count, 1);
	sleep->last = bpf_ktime_get_ns();
	sleep->cgroup = bpf_get_current_cgroup_id();
	return 0;
}

char _license[] SEC("license") = "GPL";
