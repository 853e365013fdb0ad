// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * What is left to do for who has broken into the server: the descriptors it has, and
 * the system calls that it needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <seccomp.h>

#include "array-size.h"
#include "daemon.h"
#include "serve.h"

/* bpffs-fuse(8) has them too. */
static const struct {
	const char *name;
	const char *reason;
} calls[] = {
	{ "read", "a request of the kernel" },
	{ "writev", "its answer, and that the mount stands" },
	{ "pread64", "what the kernel says of the object in /proc/self/fdinfo" },
	{ "bpf", "the object: see below" },
	{ "futex", "locks of the C library" },
	{ "rt_sigprocmask", "the end of a thread" },
	{ "rt_sigreturn", "the end of a signal's handler" },
	{ "kill", "SIGTERM, to the process that unmounts, and to none else" },
	{ "mmap", "memory; none that can be executed" },
	{ "munmap", "memory" },
	{ "mremap", "memory" },
	{ "mprotect", "memory; none that can be executed" },
	{ "madvise", "memory" },
	{ "brk", "memory" },
	{ "sched_getaffinity", "how many heaps are worth it" },
	{ "sched_setaffinity", "to the CPU whose copy of a value is added to; of the thread itself" },
	{ "sched_yield", "the end of a thread" },
	{ "getrandom", "keys of the heap's" },
	{ "clock_gettime", "the time, where it is no function of the vDSO" },
	{ "restart_syscall", "after the process was stopped" },
	{ "dup3", "to ask there what the kernel says of an inner map" },
	{ "close", "the end, and that of an inner map" },
	{ "exit", "of a thread" },
	{ "exit_group", "of the process" },
};

/* Of bpf(2): what is done to the object, and what describes it. */
static const struct {
	int command;
	const char *reason;
} commands[] = {
	{ BPF_MAP_LOOKUP_ELEM, "BPF_MAP_LOOKUP_ELEM" },
	{ BPF_MAP_UPDATE_ELEM, "BPF_MAP_UPDATE_ELEM" },
	{ BPF_MAP_DELETE_ELEM, "BPF_MAP_DELETE_ELEM" },
	{ BPF_MAP_GET_NEXT_KEY, "BPF_MAP_GET_NEXT_KEY" },
	{ BPF_MAP_LOOKUP_AND_DELETE_ELEM, "BPF_MAP_LOOKUP_AND_DELETE_ELEM" },
	{ BPF_MAP_LOOKUP_BATCH, "BPF_MAP_LOOKUP_BATCH" },
	{ BPF_MAP_UPDATE_BATCH, "BPF_MAP_UPDATE_BATCH" },
	{ BPF_MAP_DELETE_BATCH, "BPF_MAP_DELETE_BATCH" },
	{ BPF_OBJ_GET_INFO_BY_FD, "BPF_OBJ_GET_INFO_BY_FD" },
	{ BPF_PROG_TEST_RUN, "BPF_PROG_TEST_RUN, of the programs that store a field" },
	{ BPF_MAP_GET_FD_BY_ID, "BPF_MAP_GET_FD_BY_ID, of the maps in a map of maps" },
	{ BPF_BTF_GET_FD_BY_ID, "BPF_BTF_GET_FD_BY_ID, of their types" },
};

void print_calls(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		printf("%s\t%s\n", calls[i].name, calls[i].reason);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("bpf\t%s\n", commands[i].reason);
}

/* Nothing is open but what the library gave; nothing is heard or said. */
static int set_descriptors(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int i;

	if (null < 0)
		return -errno;
	for (i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -errno;
	close(null);
	for (i = DAEMON_OBJECT; i <= DAEMON_FUSE; i++)
		fcntl(i, F_SETFD, FD_CLOEXEC);
	return close_range(DAEMON_FUSE + 1, ~0U, 0) ? -errno : 0;
}

/*
 * A dead server is a mount that nobody can use. An ordinary user has no say in this,
 * which is no reason to refuse.
 */
static void spare_from_oom(void)
{
	static const char score[] = "-500";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, score, strlen(score)) < 0)
		fcntl(fd, F_GETFD);
	close(fd);
}

/*
 * Who mounts may have bounded its own memory and time; others are served when it is gone. Of
 * inner maps that somebody looks at, each has a descriptor.
 */
static void lift_soft_limits(void)
{
	static const int resources[] = { RLIMIT_NOFILE, RLIMIT_CPU, RLIMIT_AS, RLIMIT_DATA };
	struct rlimit limit;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(resources); i++) {
		if (getrlimit(resources[i], &limit))
			continue;
		limit.rlim_cur = limit.rlim_max;
		setrlimit(resources[i], &limit);
	}
}

int settle(void)
{
	const struct rlimit none = {};
	int err = set_descriptors();

	if (err)
		return err;
	lift_soft_limits();
	spare_from_oom();
	umask(0);
	if (chdir("/") || setrlimit(RLIMIT_CORE, &none))
		return -errno;
	return 0;
}

/* Sanitizers call what they like. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED	true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED	true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED	false
#endif

int give_up_privileges(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {};
	int i;

	/* Not those that an ordinary user has not. */
	if (syscall(SYS_capget, &header, caps))
		return -errno;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		caps[i].permitted &= kept >> 32 * i;
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capset, &header, caps))
		return -errno;
	/* Sanitizers look for leaks by ptrace(2). */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)))
		return -errno;
	return 0;
}

/* Rules with a condition; the others are allowed whatever their arguments. */
static int add_special(scmp_filter_ctx filter, int call, pid_t keeper, bool *special)
{
	size_t i;
	int err = 0;

	*special = true;
	if (call == SCMP_SYS(bpf)) {
		for (i = 0; !err && i < ARRAY_SIZE(commands); i++)
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
					       SCMP_A0(SCMP_CMP_EQ, commands[i].command, 0));
		return err;
	}
	if (call == SCMP_SYS(kill))
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 2,
					SCMP_A0(SCMP_CMP_EQ, keeper, 0),
					SCMP_A1(SCMP_CMP_EQ, SIGTERM, 0));
	if (call == SCMP_SYS(sched_setaffinity))
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
					SCMP_A0(SCMP_CMP_EQ, 0, 0));
	if (call == SCMP_SYS(dup3))
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
					SCMP_A1(SCMP_CMP_EQ, DESCRIBED, 0));
	if (call == SCMP_SYS(mmap) || call == SCMP_SYS(mprotect))
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	*special = false;
	return 0;
}

/*
 * libseccomp does not survive a failure of its memory: it forgets rules, crashes or hangs. So
 * there is room in the heap before, for all of the 97,000 bytes that it asks for, those it has
 * freed among them. The heap keeps that much when it is freed: serve.c does not let it shrink
 * further, and no other thread runs.
 */
#define FILTER_MEMORY	(128 * 1024)

static int set_memory_aside(void)
{
	void *memory = malloc(FILTER_MEMORY);

	if (!memory)
		return -ENOMEM;
	/* Else the compiler leaves both calls out. */
	explicit_bzero(memory, 1);
	free(memory);
	return 0;
}

/* Was it not enough? malloc(3) says so in errno, whatever libseccomp makes of that. */
static int lacked_memory(void)
{
	return errno == ENOMEM ? -ENOMEM : 0;
}

static int add_calls(scmp_filter_ctx filter, pid_t keeper)
{
	bool special;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(calls); i++) {
		int call = seccomp_syscall_resolve_name(calls[i].name);

		/* An older libseccomp, or another machine, has not all of them. */
		if (call == __NR_SCMP_ERROR)
			continue;
		err = add_special(filter, call, keeper, &special);
		if (!err && !special)
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
		if (!err)
			err = lacked_memory();
	}
	return err;
}

/*
 * What is not on the list is a call that this kernel does not have: the C library
 * knows what to do then, and what breaks in gets nothing either way.
 */
int filter_calls(pid_t keeper)
{
	scmp_filter_ctx filter;
	int err;

	if (SANITIZED)
		return 0;
	if (set_memory_aside())
		return -ENOMEM;
	errno = 0;
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!filter)
		return -ENOMEM;
	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = add_calls(filter, keeper);
	if (!err)
		err = seccomp_load(filter) ?: lacked_memory();
	seccomp_release(filter);
	return err;
}
