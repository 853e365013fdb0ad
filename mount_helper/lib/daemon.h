/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What the library gives to bpffs-fuse, and hears from it. */
#ifndef LIBBPFFS_DAEMON_H
#define LIBBPFFS_DAEMON_H

/* The descriptors with which it is started, beside the standard ones. */
enum {
	DAEMON_OBJECT = 3,
	DAEMON_REPORT,		/* a pipe, for one struct daemon_report */
	DAEMON_OPTIONS,		/* a file of strings, each with its NUL: */
	DAEMON_FUSE,		/* /dev/fuse of a mount; not there with a DIRECTORY */
};

/*
 * The strings: first these, then options of the file system, as name=value or name.
 * DEVICE is "0:52", the number of the file system, if the library has made the
 * mount, and "" else. DIRECTORY is where the daemon is to mount by fusermount3(1).
 */
enum {
	DAEMON_SOURCE,
	DAEMON_DEVICE,
	DAEMON_DIRECTORY,
	DAEMON_STRINGS,
};

/**
 * struct daemon_report - whether the mount stands; an end without one is a failure
 * @err: 0, or a positive errno
 * @sentence: why not; of a mount that stands, what the mounter is to be told, or ""
 */
struct daemon_report {
	int err;
	char sentence[1024];
};

#endif
