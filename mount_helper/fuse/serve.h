/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/*
 * bpffs-fuse, the file system bpffs without a module: a process for each mount.
 *
 *	serve.c		starts, takes the object and its options, runs the session
 *	keeper.c	the process beside it, which unmounts on SIGTERM
 *	confine.c	what is left to do for who has broken in
 *	front.c		what the kernel asks, of items.h: files and directories
 *	nodes.c		what the kernel knows, and which open files have it to themselves
 *	ahead.c		the next elements, fetched while who reads has the ones before
 *	object.h	what it is answered: the object, its files and directories
 *	bpf-map.c	maps by bpf(2), and place.c fields where they lie
 */
#ifndef BPFFS_FUSE_SERVE_H
#define BPFFS_FUSE_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FUSE_USE_VERSION	FUSE_MAKE_VERSION(3, 12)
#include <fuse_lowlevel.h>

/* --- What a request is answered by --- */

struct front;

/* Of the file system, each "name=value" or "name". */
struct front_options {
	const char *source;
	const char **option;
	size_t count;
};

/**
 * front_open() - take the object of DAEMON_OBJECT
 * @front: what the session's requests get as their userdata
 * @options: those of the mount
 * @refusal: a sentence; without an error, what the mounter is to be told, or ""
 * @size: of @refusal
 *
 * It is called before the mount stands, with all privileges. What it opens or loads
 * is kept; nothing can be opened or loaded later.
 *
 * Return: 0, or a negative errno with a sentence.
 */
int front_open(struct front **front, const struct front_options *options, char *refusal,
	       size_t size);
void front_close(struct front *front);

/* CAP_TO_MASK() of those that the object's type needs while it is served. */
uint64_t front_capabilities(const struct front *front);

extern const struct fuse_lowlevel_ops front_ops;

/* A thread's work beside those that answer requests, until front_over(). */
void front_forget_names(struct front *front, struct fuse_session *session);
void front_over(struct front *front);

/* --- keeper.c --- */

/**
 * keep() - the process that unmounts
 * @device: number of the file system, or ""
 * @directory: where fusermount3(1) has mounted it, or ""
 *
 * Return: in a new process, which has to serve, the identifier of the one that keeps;
 * -1 and errno: there is no such process. The other one does not return.
 */
pid_t keep(const char *device, const char *directory);

/* --- confine.c --- */

/*
 * Descriptors, working directory, OOM score, core dumps: before the mount, for both
 * processes. Return: 0, or a negative errno.
 */
int settle(void);

/* After the mount, before there are threads. @kept: capabilities */
int give_up_privileges(uint64_t kept);

/*
 * All threads', for good. @keeper: the one process that may get a signal, and only
 * SIGTERM.
 */
int filter_calls(pid_t keeper);

/* The descriptor of which the kernel is asked what it is. */
#define DESCRIBED	64

/* The system calls that are left, and why: a line each. */
void print_calls(void);

#endif
