// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * The process that unmounts. Who serves has no right to do so, and could not have it
 * without others that come along; so a second process, which talks to nobody, waits
 * for a signal that says so, or for the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmount.h>

#include "daemon.h"
#include "serve.h"

struct kept {
	const char *device;
	const char *directory;
	pid_t server;
};

/* "0:52" in the name space of mounts that it was made in; there may be several. */
static bool unmount_device(const char *device)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs;
	bool done = false;
	char number[32];

	while (table && iter && !mnt_table_next_fs(table, iter, &fs)) {
		dev_t dev = mnt_fs_get_devno(fs);

		snprintf(number, sizeof(number), "%u:%u", major(dev), minor(dev));
		if (!strcmp(number, device) &&
		    !umount2(mnt_fs_get_target(fs), MNT_DETACH | UMOUNT_NOFOLLOW))
			done = true;
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return done;
}

static bool unmount_directory(const char *directory)
{
	const char * const argv[] = {
		"fusermount3", "-u", "-q", "-z", "--", directory, NULL
	};
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ) ||
	    waitpid(pid, &status, 0) != pid)
		return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Files that are open go on; the server ends with the last of them. */
static void unmount(const struct kept *kept)
{
	bool done = *kept->device ? unmount_device(kept->device) :
				    unmount_directory(kept->directory);

	if (!done)
		kill(kept->server, SIGKILL);
}

/* All that unmounting needs. fusermount3(1) is set-uid, and needs that to work. */
static void drop(const struct kept *kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {};

	close_range(3, ~0U, 0);
	if (!*kept->device)
		return;
	caps[0].permitted = 1U << CAP_SYS_ADMIN;
	caps[0].effective = caps[0].permitted;
	syscall(SYS_capset, &header, caps);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

__attribute__((noreturn))
static void wait_for_end(const struct kept *kept, const sigset_t *signals)
{
	int status, signal;

	drop(kept);
	for (;;) {
		if (sigwait(signals, &signal))
			continue;
		if (signal == SIGCHLD && waitpid(kept->server, &status, WNOHANG) == kept->server)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
		/* That of fusermount3(1) is none to end for. */
		if (signal != SIGCHLD)
			unmount(kept);
	}
}

pid_t keep(const char *device, const char *directory)
{
	struct kept kept = { device, directory, -1 };
	pid_t keeper = getpid();
	sigset_t signals, old;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &old);
	kept.server = fork();
	if (kept.server > 0)
		wait_for_end(&kept, &signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (kept.server < 0)
		return -1;
	/* Without it nothing could unmount, and its number could be another's. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != keeper)
		raise(SIGKILL);
	return keeper;
}
