/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the pure files (see layout.h) need, in the kernel and in user space. */
#ifndef _BPFFS_PURE_H
#define _BPFFS_PURE_H

#ifdef __KERNEL__
#include <linux/bitmap.h>
#include <linux/bsearch.h>
#include <linux/build_bug.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

/* Of buffers, which compilers may clear: it costs more than what goes there. */
#ifndef __uninitialized
#define __uninitialized
#endif

/* Now and then in long work. False: whoever wants it is being killed. */
static inline bool bpffs_go_on(void)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

/* Is whoever wants it being killed? Then what long work returns is not the whole. */
static inline bool bpffs_killed(void)
{
	return fatal_signal_pending(current);
}

/* The time, in ns, as files have it. */
static inline s64 bpffs_now(void)
{
	struct timespec64 now;

	ktime_get_coarse_real_ts64(&now);
	return timespec64_to_ns(&now);
}

static inline void *bpffs_zalloc(size_t size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

#define bpffs_free kvfree
#else
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

/* The sentence can be left out, as in the kernel. */
#undef static_assert
#define static_assert(expr)	_Static_assert(expr, #expr)

#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define __uninitialized
#define noinline		__attribute__((noinline))
#define __printf(f, v)		__attribute__((format(printf, f, v)))

/* A lock that nobody holds for long. */
struct mutex {
	pthread_mutex_t lock;
};

#define mutex_init(m)		pthread_mutex_init(&(m)->lock, NULL)
#define mutex_destroy(m)	pthread_mutex_destroy(&(m)->lock)
#define mutex_lock(m)		pthread_mutex_lock(&(m)->lock)
#define mutex_unlock(m)		pthread_mutex_unlock(&(m)->lock)

/* What they return is what they have written. */
__printf(3, 0)
static inline int vscnprintf(char *to, size_t size, const char *fmt, va_list args)
{
	int len = size ? vsnprintf(to, size, fmt, args) : 0;

	return len < 0 ? 0 : min((size_t)len, size ? size - 1 : 0);
}

__printf(3, 4)
static inline int scnprintf(char *to, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(to, size, fmt, args);
	va_end(args);
	return len;
}

/* A text that is made as a whole: @count is @size if there was no room for it. */
struct seq_file {
	char *buf;
	size_t size;
	size_t count;
};

__printf(2, 3)
static inline void seq_printf(struct seq_file *seq, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(seq->buf + seq->count, seq->size - seq->count, fmt, args);
	va_end(args);
	seq->count = len < 0 ? seq->size : min(seq->count + len, seq->size);
}

#define seq_puts(seq, text)	seq_printf(seq, "%s", text)
#define seq_has_overflowed(seq)	((seq)->count == (seq)->size)

#define sort(base, num, size, cmp, swap) qsort(base, num, size, cmp)

#define ALIGN(n, a)		(((n) + (a) - 1) / (a) * (a))
#define IS_ALIGNED(n, a)	(!((n) % (a)))

/* An errno as a pointer, as the kernel has it. */
#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= (unsigned long)-4095)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)

/* The number of the highest bit that is set, from 1. */
static inline u32 fls64(u64 n)
{
	return n ? 64 - __builtin_clzll(n) : 0;
}

/* The upper @bits bits of a product with the golden ratio. */
static inline u32 hash_64(u64 n, unsigned int bits)
{
	return n * 0x61C8864680B583EBull >> (64 - bits);
}

typedef struct {
	u64 key[2];
} siphash_key_t;

static inline u64 siphash_rotate(u64 n, int bits)
{
	return n << bits | n >> (64 - bits);
}

static inline void siphash_rounds(u64 v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = siphash_rotate(v[1], 13) ^ v[0];
		v[3] = siphash_rotate(v[3], 16) ^ v[2];
		v[0] = siphash_rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = siphash_rotate(v[1], 17) ^ v[2];
		v[3] = siphash_rotate(v[3], 21) ^ v[0];
		v[2] = siphash_rotate(v[2], 32);
	}
}

/* SipHash-2-4 of bytes. */
static inline u64 siphash(const void *data, size_t len, const siphash_key_t *key)
{
	u64 v[4] = {
		key->key[0] ^ 0x736f6d6570736575ULL, key->key[1] ^ 0x646f72616e646f6dULL,
		key->key[0] ^ 0x6c7967656e657261ULL, key->key[1] ^ 0x7465646279746573ULL,
	};
	const u8 *at = data;
	size_t left = len;
	u64 word;
	u32 i, n;

	do {
		n = min_t(size_t, left, 8);
		word = n < 8 ? (u64)len << 56 : 0;
		for (i = 0; i < n; i++)
			word |= (u64)at[i] << 8 * i;
		v[3] ^= word;
		siphash_rounds(v, 2);
		v[0] ^= word;
		at += n;
		left -= n;
	} while (n == 8);
	v[2] ^= 0xff;
	siphash_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The first byte of @n at @s that is not @c. */
static inline const void *memchr_inv(const void *s, int c, size_t n)
{
	const u8 *at = s;

	for (; n; n--, at++)
		if (*at != (u8)c)
			return at;
	return NULL;
}

/*
 * A program whose work can be interrupted, run out of memory or of its reader's on purpose,
 * has its own. bpffs_copied(): of @len bytes of a reader or writer, how many are copied.
 */
#ifdef BPFFS_OWN
bool bpffs_go_on(void);
bool bpffs_killed(void);
void *bpffs_zalloc(size_t size);
void bpffs_free(void *p);
size_t bpffs_copied(size_t len);
#else
static inline bool bpffs_go_on(void)
{
	return true;
}

static inline bool bpffs_killed(void)
{
	return false;
}

static inline void *bpffs_zalloc(size_t size)
{
	return calloc(1, size);
}

#define bpffs_free free

static inline size_t bpffs_copied(size_t len)
{
	return len;
}
#endif

/* Bytes of whoever reads or writes. */
struct iov_iter {
	char *at;
	size_t left;
};

#define iov_iter_count(iter)	((iter)->left)

static inline size_t copy_from_iter(void *to, size_t len, struct iov_iter *from)
{
	len = bpffs_copied(min(len, from->left));
	memcpy(to, from->at, len);
	from->at += len;
	from->left -= len;
	return len;
}

static inline size_t copy_to_iter(const void *from, size_t len, struct iov_iter *to)
{
	len = bpffs_copied(min(len, to->left));
	memcpy(to->at, from, len);
	to->at += len;
	to->left -= len;
	return len;
}

/* The same as one place, which in the kernel is a process's. Return: bytes not copied. */
#define __user

static inline unsigned long copy_from_user(void *to, const void *from, unsigned long len)
{
	unsigned long n = bpffs_copied(len);

	memcpy(to, from, n);
	return len - n;
}

static inline unsigned long copy_to_user(void *to, const void *from, unsigned long len)
{
	unsigned long n = bpffs_copied(len);

	memcpy(to, from, n);
	return len - n;
}

static inline unsigned long clear_user(void *to, unsigned long len)
{
	unsigned long n = bpffs_copied(len);

	memset(to, 0, n);
	return len - n;
}

#define BITS_PER_LONG		(8 * sizeof(long))
#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(unsigned long n, const unsigned long *map)
{
	return map[n / BITS_PER_LONG] >> n % BITS_PER_LONG & 1;
}

static inline void __set_bit(unsigned long n, unsigned long *map)
{
	map[n / BITS_PER_LONG] |= 1UL << n % BITS_PER_LONG;
}

static inline void __clear_bit(unsigned long n, unsigned long *map)
{
	map[n / BITS_PER_LONG] &= ~(1UL << n % BITS_PER_LONG);
}

static inline unsigned long find_next_bit(const unsigned long *map,
					  unsigned long size, unsigned long n)
{
	unsigned long word;

	for (; n < size; n = (n / BITS_PER_LONG + 1) * BITS_PER_LONG) {
		word = map[n / BITS_PER_LONG] >> n % BITS_PER_LONG;
		if (word)
			return min(n + __builtin_ctzl(word), size);
	}
	return size;
}

static inline void bitmap_zero(unsigned long *map, unsigned long bits)
{
	memset(map, 0, BITS_TO_LONGS(bits) * sizeof(long));
}

static inline u64 div64_u64(u64 a, u64 b)
{
	return a / b;
}

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

static inline u64 div_u64_rem(u64 a, u32 b, u32 *rest)
{
	*rest = a % b;
	return a / b;
}

static inline s64 bpffs_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}
#endif

/* The same, for each turn of a loop of short turns, which *@turns counts. */
static inline bool bpffs_go_on_turn(u32 *turns)
{
	return ++*turns % 1024 || bpffs_go_on();
}

#endif
