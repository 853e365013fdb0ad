// SPDX-License-Identifier: GPL-2.0-only
/*
 * What changes a map at each system call of the processes named "soak": one program for
 * maps with numbers as keys, one for tries, one for queues and stacks.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "keys.h"

/* The test puts the map that is soaked into its place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SOAK_KEYS);
	__type(key, __u32);
	__type(value, struct soak_value);
} by_key SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, SOAK_KEYS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct soak_prefix);
	__type(value, struct soak_value);
} by_prefix SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, SOAK_KEYS);
	__type(value, struct soak_value);
} in_order SEC(".maps");

struct soak_counts counts;

static int is_ours(void)
{
	char name[16] = {};

	bpf_get_current_comm(name, sizeof(name));
	return name[0] == 's' && name[1] == 'o' && name[2] == 'a' && name[3] == 'k' && !name[4];
}

/* One that comes and goes, or that stays and changes. */
static __u32 choose(__u32 random)
{
	return SOAK_CONST + random % (SOAK_KEYS - SOAK_CONST);
}

static int is_own(__u32 key)
{
	return key >= SOAK_OWN && key < SOAK_STAY;
}

static int change(void *map, const void *key, __u32 number)
{
	struct soak_value value = soak_value(number, bpf_get_prandom_u32());

	if (is_own(number))
		return 0;
	if (number >= SOAK_STAY && bpf_get_prandom_u32() & 1) {
		if (!bpf_map_delete_elem(map, key))
			__sync_fetch_and_add(&counts.deleted, 1);
	} else if (!bpf_map_update_elem(map, key, &value, BPF_ANY)) {
		__sync_fetch_and_add(&counts.made, 1);
	}
	return 0;
}

SEC("raw_tp/sys_enter")
int change_key(void *ctx)
{
	__u32 key = choose(bpf_get_prandom_u32());

	return is_ours() ? change(&by_key, &key, key) : 0;
}

SEC("raw_tp/sys_enter")
int change_prefix(void *ctx)
{
	__u32 key = choose(bpf_get_prandom_u32());
	struct soak_prefix prefix = soak_prefix(key);

	return is_ours() ? change(&by_prefix, &prefix, key) : 0;
}

SEC("raw_tp/sys_enter")
int push_and_pop(void *ctx)
{
	struct soak_value value = soak_value(0, bpf_get_prandom_u32());

	if (!is_ours())
		return 0;
	if (bpf_get_prandom_u32() & 1) {
		if (!bpf_map_push_elem(&in_order, &value, BPF_ANY)) {
			__sync_fetch_and_add(&counts.pushed, 1);
			__sync_fetch_and_add(&counts.sum_pushed, value.a);
		}
	} else if (!bpf_map_pop_elem(&in_order, &value)) {
		__sync_fetch_and_add(&counts.popped, 1);
		__sync_fetch_and_add(&counts.sum_popped, value.a);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
