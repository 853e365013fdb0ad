// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * The BPF program that stores one field of an element where it lies, as any program
 * that counts there does: so nothing that others store in its neighbours is lost. It is
 * written down as instructions, as it depends on the map's sizes, and the verifier of
 * the running kernel proves that it stays inside of the value.
 *
 * load_program() gives it its type, and that of count.c.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "bpf-map.h"
#include "place.h"

/* Between special fields, of which the kernel takes fewer. */
#define PARTS_MAX	16

/* More than it ever has. */
#define INSNS_MAX	1024

/* A value that is copied out whole. */
#define READ_MAX	65536

struct code {
	struct bpf_insn insn[INSNS_MAX];
	int count;
};

static void add(struct code *code, __u8 op, __u8 dst, __u8 src, __s16 off, __s32 imm)
{
	code->insn[code->count++] = (struct bpf_insn) {
		.code = op, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
}

static void move(struct code *code, __u8 dst, __u8 src)
{
	add(code, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void set(struct code *code, __u8 dst, __s32 imm)
{
	add(code, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void add_number(struct code *code, __u8 dst, __s32 imm)
{
	add(code, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm);
}

static void load(struct code *code, __u8 size, __u8 dst, __u8 src, __s16 off)
{
	add(code, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void call(struct code *code, __s32 helper)
{
	add(code, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void load_map(struct code *code, __u8 dst, int fd)
{
	add(code, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd);
	add(code, 0, 0, 0, 0, 0);
}

static void end(struct code *code, int err)
{
	set(code, BPF_REG_0, err);
	add(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A jump forward, whose end is not known yet. */
static int jump(struct code *code, __u8 op, __u8 reg, __u8 src, __s32 imm)
{
	add(code, BPF_JMP | op, reg, src, 0, imm);
	return code->count - 1;
}

static void land(struct code *code, int from)
{
	code->insn[from].off = code->count - from - 1;
}

/* The job: r7. The value that @key_at has: r0. */
static void look_up(struct code *code, const struct map *map, size_t key_at)
{
	load_map(code, BPF_REG_1, map->fd);
	move(code, BPF_REG_2, BPF_REG_7);
	add_number(code, BPF_REG_2, key_at);
	if (map->cpus)
		load(code, BPF_W, BPF_REG_3, BPF_REG_7, offsetof(struct place_job, cpu));
	call(code, map->cpus ? BPF_FUNC_map_lookup_percpu_elem : BPF_FUNC_map_lookup_elem);
}

/* r7: the job whose number the context begins with. */
static void take_job(struct code *code, int jobs)
{
	int found;

	load(code, BPF_DW, BPF_REG_2, BPF_REG_1, 0);
	add(code, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_2, -4, 0);
	load_map(code, BPF_REG_1, jobs);
	move(code, BPF_REG_2, BPF_REG_10);
	add_number(code, BPF_REG_2, -4);
	call(code, BPF_FUNC_map_lookup_elem);
	found = jump(code, BPF_JNE | BPF_K, BPF_REG_0, 0, 0);
	end(code, EINVAL);
	land(code, found);
	move(code, BPF_REG_7, BPF_REG_0);
}

/*
 * r8: the value. A trie finds the longest prefix that is not longer: it is of this
 * very length if the one of less length is another.
 */
static void find_value(struct code *code, const struct map *map)
{
	size_t key_at = offsetof(struct place_job, key);
	int found, other, is_zero;

	look_up(code, map, key_at);
	found = jump(code, BPF_JNE | BPF_K, BPF_REG_0, 0, 0);
	end(code, ENOENT);
	land(code, found);
	move(code, BPF_REG_8, BPF_REG_0);
	if (map->type != BPF_MAP_TYPE_LPM_TRIE)
		return;
	load(code, BPF_W, BPF_REG_1, BPF_REG_7, offsetof(struct place_job, has_shorter));
	is_zero = jump(code, BPF_JEQ | BPF_K, BPF_REG_1, 0, 0);
	look_up(code, map, place_shorter_at(map));
	other = jump(code, BPF_JNE | BPF_X, BPF_REG_0, BPF_REG_8, 0);
	end(code, ENOENT);
	land(code, other);
	land(code, is_zero);
}

/*
 * r4: the field, of @size bytes, if all of it is between @from and @to. A jump to where the
 * next such part is tried goes to *@next; returns the one for who has found it.
 */
static int find_in_part(struct code *code, __u32 size, __u32 from, __u32 to, int next[2])
{
	next[0] = from ? jump(code, BPF_JLT | BPF_K, BPF_REG_9, 0, from) : -1;
	next[1] = jump(code, BPF_JGT | BPF_K, BPF_REG_9, 0, to - size);
	move(code, BPF_REG_4, BPF_REG_8);
	add(code, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_4, BPF_REG_9, 0, 0);
	return jump(code, BPF_JA, 0, 0, 0);
}

/*
 * The same, in any part of the value that has nothing special, near which the verifier lets
 * nobody store. What is exchanged must be aligned, or it is not taken either.
 */
static void find_field(struct code *code, const struct map *map, __u32 size, bool align)
{
	int found[PARTS_MAX], count = 0, next[2], i;
	__u32 from = 0, to, n;

	load(code, BPF_W, BPF_REG_9, BPF_REG_7, offsetof(struct place_job, offset));
	if (align)
		add(code, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_9, 0, 0, -size);
	for (n = 0; n <= map->specials && n < PARTS_MAX; n++) {
		to = n < map->specials ? map->special[n].offset : map->value_size;
		if (to >= from + size) {
			found[count++] = find_in_part(code, size, from, to, next);
			if (next[0] >= 0)
				land(code, next[0]);
			land(code, next[1]);
		}
		if (n < map->specials)
			from = to + map->special[n].size;
	}
	end(code, EINVAL);
	for (i = 0; i < count; i++)
		land(code, found[i]);
}

static const struct {
	__u32 size;
	__u8 code;
} sizes[] = {
	{ 1, BPF_B }, { 2, BPF_H }, { 4, BPF_W }, { 8, BPF_DW },
};

/* r6: the operation. Each that is done leaves for where @done has its jump. */
static int add_store(struct code *code, const struct map *map, int i)
{
	int other = jump(code, BPF_JNE | BPF_K, BPF_REG_6, 0, PLACE_STORE + sizes[i].size);
	int done;

	find_field(code, map, sizes[i].size, false);
	load(code, BPF_DW, BPF_REG_1, BPF_REG_7, offsetof(struct place_job, value));
	add(code, BPF_STX | BPF_MEM | sizes[i].code, BPF_REG_4, BPF_REG_1, 0, 0);
	done = jump(code, BPF_JA, 0, 0, 0);
	land(code, other);
	return done;
}

static int add_exchange(struct code *code, const struct map *map, int i)
{
	int other = jump(code, BPF_JNE | BPF_K, BPF_REG_6, 0, PLACE_EXCHANGE + sizes[i].size);
	int done;

	find_field(code, map, sizes[i].size, true);
	load(code, BPF_DW, BPF_REG_0, BPF_REG_7, offsetof(struct place_job, expected));
	load(code, BPF_DW, BPF_REG_1, BPF_REG_7, offsetof(struct place_job, value));
	add(code, BPF_STX | BPF_ATOMIC | sizes[i].code, BPF_REG_4, BPF_REG_1, 0, BPF_CMPXCHG);
	add(code, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_0,
	    offsetof(struct place_job, expected), 0);
	done = jump(code, BPF_JA, 0, 0, 0);
	land(code, other);
	return done;
}

static int add_read(struct code *code, const struct map *map)
{
	int other = jump(code, BPF_JNE | BPF_K, BPF_REG_6, 0, PLACE_READ);
	int done;

	move(code, BPF_REG_1, BPF_REG_7);
	add_number(code, BPF_REG_1, place_value_at(map));
	set(code, BPF_REG_2, map->value_size);
	move(code, BPF_REG_3, BPF_REG_8);
	call(code, BPF_FUNC_probe_read_kernel);
	done = jump(code, BPF_JA, 0, 0, 0);
	land(code, other);
	return done;
}

/* A hash gives the memory of an element that goes to another at once: is it still ours? */
static void check_place(struct code *code, const struct map *map)
{
	int same;

	look_up(code, map, offsetof(struct place_job, key));
	same = jump(code, BPF_JEQ | BPF_X, BPF_REG_0, BPF_REG_8, 0);
	end(code, ESTALE);
	land(code, same);
	end(code, 0);
}

static void write_program(struct code *code, const struct map *map, int jobs)
{
	int done[7], count = 0, i;

	take_job(code, jobs);
	find_value(code, map);
	load(code, BPF_W, BPF_REG_6, BPF_REG_7, offsetof(struct place_job, op));
	for (i = 0; i < 4 && sizes[i].size <= map->value_size; i++)
		done[count++] = add_store(code, map, i);
	for (i = 2; i < 4 && sizes[i].size <= map->value_size; i++)
		done[count++] = add_exchange(code, map, i);
	if (place_reads(map))
		done[count++] = add_read(code, map);
	end(code, EINVAL);
	for (i = 0; i < count; i++)
		land(code, done[i]);
	check_place(code, map);
}

/*
 * Of type raw_tracepoint, a test run goes to any CPU, and maps of all types may be used; or,
 * where that has no right to be loaded or no such map, syscall. That can sleep, and so the
 * kernel frees it, and with it the map, some tenths of a second later.
 */
int load_program(const char *name, const struct bpf_insn *insns, size_t count)
{
	static const enum bpf_prog_type types[] = {
		BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_SYSCALL,
	};
	int fd = -EINVAL;
	size_t i;

	for (i = 0; fd < 0 && i < 2; i++) {
		LIBBPF_OPTS(bpf_prog_load_opts, opts,
			    .prog_flags = types[i] == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0);

		fd = bpf_prog_load(types[i], name, "GPL", insns, count, &opts);
	}
	return fd;
}

int place_load(const struct map *map, int jobs)
{
	struct code code = {};

	write_program(&code, map, jobs);
	return load_program("bpffs_place", code.insn, code.count);
}

static size_t round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

size_t place_shorter_at(const struct map *map)
{
	return offsetof(struct place_job, key) + round_up(map->key_size);
}

size_t place_value_at(const struct map *map)
{
	bool trie = map->type == BPF_MAP_TYPE_LPM_TRIE;

	return place_shorter_at(map) + (trie ? round_up(map->key_size) : 0);
}

bool place_reads(const struct map *map)
{
	return map->type == BPF_MAP_TYPE_LPM_TRIE && map->value_size <= READ_MAX;
}

size_t place_job_size(const struct map *map)
{
	return place_value_at(map) + (place_reads(map) ? round_up(map->value_size) : 0);
}
