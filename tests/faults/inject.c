// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chances to fail, in user space: allocations of memory, and bpf(2). faults.py says which,
 * in a file that all processes map which are started with this as LD_PRELOAD; $FAULTS is
 * its name. It is mapped, as bpffs-fuse can open no file when it serves.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum what { NOTHING, MEMORY, BPF };

/*
 * As faults.py has it, too.
 * @what: may fail
 * @err: with which errno
 * @nth: chance fails; 0: none
 * @on: and so do all after it
 * @count: chances that there were
 * @injected: of which these have failed
 * @program: in this only; empty: in any
 */
struct control {
	atomic_int what;
	atomic_int err;
	atomic_long nth;
	atomic_long on;
	atomic_long count;
	atomic_long injected;
	char program[16];
};

static struct control *control;

__attribute__((constructor))
static void map_control(void)
{
	const char *path = getenv("FAULTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *mem;

	if (fd < 0)
		return;
	mem = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (mem != MAP_FAILED)
		control = mem;
}

static bool fails(enum what what)
{
	long count, nth;

	if (!control || control->what != (int)what ||
	    (*control->program && strncmp(control->program, program_invocation_short_name,
					  sizeof(control->program) - 1)))
		return false;
	count = ++control->count;
	nth = control->nth;
	if (!nth || (control->on ? count < nth : count != nth))
		return false;
	control->injected++;
	errno = control->err;
	return true;
}

/*
 * libseccomp does not survive a failure, so bpffs-fuse makes room for it, by asking for that
 * much at once, see confine.c: what libseccomp takes of that cannot fail.
 */
#define SET_ASIDE	(128 * 1024)

static atomic_long set_aside;

/* More than what malloc(3) adds to a block. */
#define HEADER		32

static bool is_set_aside(const void *caller, size_t size)
{
	Dl_info info;

	return control && control->what == MEMORY && dladdr(caller, &info) &&
	       strstr(info.dli_fname, "/libseccomp.") &&
	       (set_aside -= size + HEADER) >= 0;
}

#define no_memory(size) \
	(!is_set_aside(__builtin_return_address(0), size) && fails(MEMORY))

/* --- The C library's, whose own functions call these too --- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t many, size_t size);
extern void *__libc_realloc(void *mem, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

void *malloc(size_t size)
{
	void *mem = no_memory(size) ? NULL : __libc_malloc(size);

	if (mem && size == SET_ASIDE)
		set_aside = size;
	return mem;
}

void *calloc(size_t many, size_t size)
{
	return no_memory(many * size) ? NULL : __libc_calloc(many, size);
}

void *realloc(void *mem, size_t size)
{
	return no_memory(size) ? NULL : __libc_realloc(mem, size);
}

void *reallocarray(void *mem, size_t many, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(many, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(mem, bytes);
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails(MEMORY) ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **mem, size_t align, size_t size)
{
	*mem = aligned_alloc(align, size);
	return *mem ? 0 : ENOMEM;
}

/* The one way to bpf(2), of libbpf as of ours. */
long syscall(long number, ...)
{
	__typeof__(syscall) *next = dlsym(RTLD_NEXT, "syscall");
	long arg[6];
	va_list args;
	int i;

	if (number == SYS_bpf && fails(BPF))
		return -1;
	va_start(args, number);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
