// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * /sbin/mount.bpffs, which mount(8) calls for "mount -t bpffs": libmount takes
 * the command line and keeps the books, libbpffs mounts, so that what the
 * kernel refuses comes to the terminal in its own words. As /sbin/mount.fuse.bpffs,
 * it is for "mount -t fuse.bpffs", which takes no module.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <libmount.h>

#include "internal.h"
#include "object.h"
#include "progress.h"

static const char usage[] =
	"usage: mount.bpffs SOURCE DIRECTORY [-fnrsvwh] [-o OPTIONS]\n"
	"Mount a BPF map, program or link; mount -t bpffs calls this.\n"
	"\n"
	"SOURCE: PATH of a pinned object, map:NAME, map:id:7, prog:NAME, prog:id:7,\n"
	"prog:tag:TAG, link:id:7; or anything (none) with -o fd=N.\n"
	"\n"
	"  -o fd=N            the object: an open descriptor\n"
	"  -o key=LAYOUT      how keys become names; auto (by BTF), hex, none, ...\n"
	"  -o value=LAYOUT    how values become text; auto, hex, ...\n"
	"  -o as=MEMBER:TYPE  with auto: of one member, as=key.server:ip4\n"
	"  -o uid=,gid=,mode= owner and permissions of the files\n"
	"  -o ro              read-only\n"
	"  -o snapshot        a frozen copy of the map\n"
	"  -o pin             with a real pin of the object, .bpf/pin\n"
	"  -o backend=        kernel (the module), fuse (without it), auto\n"
	"  -o pinonly         without bpffs: a pin of the object, in a mount of type bpf\n"
	"  -f                 only say what would be done, with -v\n"
	"  -n                 write nothing to /run/mount\n"
	"  -r, -w             as -o ro, -o rw\n"
	"  -s                 ignore unknown options\n"
	"  -v                 say what is done\n"
	"  -V                 print the version\n"
	"See mount.bpffs(8); for the kernel's file system of pinned objects: mount -t bpf.\n";

/* Of the file system; the others that are known are libmount's. */
static const char * const known[] = {
	"key", "value", "as", "uid", "gid", "mode", "id", "name", "percpu",
	"inner_key", "inner_value", "pin", "snapshot", "pinonly", "backend", NULL
};

struct helper {
	struct libmnt_context *cxt;
	const char *source;
	const char *target;
	char *options;
	const char *type;
	bool nofail;
	bool remount;
	bool given;	/* options */
};

__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
	va_list args;

	progress_end();
	fprintf(stderr, "mount.bpffs: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static int say_error(int status)
{
	say("%s", bpf_mount_error());
	return status;
}

/* --- Options --- */

static bool take_flag(char **options, const char *name)
{
	return !mnt_optstr_remove_option(options, name);
}

/* fd=N, once. Return: an exit status; *fd stays -1 if there is none. */
static int take_fd(char **options, int *fd)
{
	char *value, *end, *text;
	size_t size;
	long number;

	if (mnt_optstr_get_option(*options, "fd", &value, &size))
		return 0;
	text = value ? strndup(value, size) : strdup("");
	if (!text) {
		say("%s", strerror(ENOMEM));
		return MNT_EX_SYSERR;
	}
	number = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || number > INT_MAX) {
		say("fd: \"%s\" is not a descriptor's number", text);
		free(text);
		return MNT_EX_USAGE;
	}
	free(text);
	mnt_optstr_remove_option(options, "fd");
	if (!mnt_optstr_get_option(*options, "fd", &value, &size)) {
		say("fd: given twice");
		return MNT_EX_USAGE;
	}
	if (fcntl(number, F_GETFD) < 0) {
		say("fd: descriptor %ld is not open here (sudo closes descriptors)", number);
		return MNT_EX_FAIL;
	}
	*fd = number;
	return 0;
}

static bool is_known(const char *name, size_t size)
{
	const char * const *word;

	for (word = known; *word; word++)
		if (strlen(*word) == size && !strncmp(*word, name, size))
			return true;
	return false;
}

/* -s: drop options that neither libmount nor the file system knows. */
static int drop_unknown(char **options)
{
	char *fs = NULL, *rest, *name, *value;
	size_t size, value_size;
	int err = 0;

	if (mnt_split_optstr(*options, NULL, NULL, &fs, 0, 0))
		return -ENOMEM;
	rest = fs;
	while (rest && !err &&
	       !mnt_optstr_next_option(&rest, &name, &size, &value, &value_size)) {
		char *text = strndup(name, size);

		if (!text)
			err = -ENOMEM;
		else if (!is_known(name, size))
			mnt_optstr_remove_option(options, text);
		free(text);
	}
	free(fs);
	return err;
}

static int take_options(struct helper *helper, int *fd)
{
	const char *all = mnt_context_get_options(helper->cxt);
	int status;

	/* libmount has put them together, or there was no memory for it. */
	if (!all && helper->given)
		goto no_memory;
	helper->options = strdup(all ?: "");
	if (!helper->options)
		goto no_memory;
	status = take_fd(&helper->options, fd);
	if (status)
		return status;
	helper->remount = take_flag(&helper->options, "remount");
	helper->nofail = take_flag(&helper->options, "nofail");
	if (!mnt_context_is_sloppy(helper->cxt) || !drop_unknown(&helper->options))
		return 0;
no_memory:
	say("%s", strerror(ENOMEM));
	return MNT_EX_SYSERR;
}

/* --- Mounting --- */

static struct bpf_mount_opts mount_opts(const struct helper *helper)
{
	struct bpf_mount_opts opts = {
		.sz = sizeof(opts),
		.source = helper->source,
		.options = helper->options,
	};

	if (!strcmp(helper->type, FUSE_TYPE))
		opts.backend = "fuse";
	return opts;
}

/* -f -v */
static int say_plan(const struct helper *helper, int fd)
{
	struct bpf_mount_opts opts = mount_opts(helper);
	struct libbpffs_plan plan = {};
	char object[128];
	size_t i;
	int err;

	if (libbpffs_describe(fd, object, sizeof(object))) {
		say("fd: not a BPF map, program or link");
		return MNT_EX_FAIL;
	}
	err = libbpffs_plan_mount(&plan, &opts);
	if (!err && !plan.pinonly)
		err = libbpffs_plan_auto(&plan, fd);
	if (!err && mnt_context_is_verbose(helper->cxt)) {
		say("would mount %s%s%s on %s:", plan.pinonly ? "a pin of " : "",
		    plan.snapshot ? "a copy of " : "", object, helper->target);
		for (i = 0; i < plan.count; i++)
			say("%s%s%s", plan.params[i].name, plan.params[i].value ? "=" : "",
			    plan.params[i].value ?: "");
	}
	libbpffs_plan_free(&plan);
	return err ? say_error(MNT_EX_FAIL) : 0;
}

/* -v: "auto" may have found less than was hoped for. */
static void say_layout(const struct helper *helper, const char *name)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/.bpf/%s", helper->target, name);
	file = fopen(path, "re");
	if (!file)
		return;
	if (getline(&line, &size, file) > 0)
		say("%s=%.*s", name, (int)strcspn(line, "\n"), line);
	free(line);
	fclose(file);
}

/* -N. NULL, after a message: that failed. */
static struct libmnt_ns *enter_target_ns(struct helper *helper)
{
	struct libmnt_ns *old = mnt_context_switch_target_ns(helper->cxt);

	if (!old)
		say("-N: cannot enter the name space: %s", strerror(errno));
	return old;
}

/*
 * An empty directory may be a surprise to whoever sits there, but is none to a script,
 * nor to what mounts at boot.
 */
static void say_hidden(const struct helper *helper, int fd)
{
	const char *type = libbpffs_hidden_type(fd);

	if (type && !helper->nofail && isatty(STDERR_FILENO) &&
	    mnt_optstr_get_option(helper->options, "pinonly", NULL, NULL))
		say("%s: a map of type %s shows no elements, but for what is in .bpf: see bpffs(5)",
		    helper->target, type);
}

static void say_backend(const struct libbpffs_outcome *outcome)
{
	const char *by = outcome->backend == LIBBPFFS_FUSE ? "FUSE, without the module" :
							     "the kernel's bpffs";

	say("by %s (%s)", by, outcome->why ?: "as asked for");
}

static int attach(struct helper *helper, const struct libbpffs_outcome *outcome)
{
	struct libmnt_ns *old = enter_target_ns(helper);
	int err = 0;

	if (!old)
		return MNT_EX_SYSERR;
	if (outcome->mnt >= 0)
		err = libbpffs_attach(outcome->mnt, helper->target);
	if (!err && mnt_context_is_verbose(helper->cxt)) {
		say("%s mounted on %s", helper->source, helper->target);
		if (outcome->backend != LIBBPFFS_AUTO)
			say_backend(outcome);
		say_layout(helper, "key");
		say_layout(helper, "value");
	}
	if (!err && *outcome->note)
		say("%s: %s", helper->target, outcome->note);
	mnt_context_switch_ns(helper->cxt, old);
	return err ? say_error(MNT_EX_FAIL) : 0;
}

static void show_copy(unsigned long long count, unsigned long long total)
{
	if (count)
		progress_add(count);
	else
		progress_begin("mount.bpffs: snapshot", "elements", total);
}

static int mount_object(struct helper *helper, int fd)
{
	struct bpf_mount_opts opts = mount_opts(helper);
	struct libbpffs_outcome outcome;
	int err, status;

	if (mnt_context_is_fake(helper->cxt))
		return say_plan(helper, fd);
	/* Here, as the /proc of another name space need not have our descriptors. */
	libbpffs_on_copy = show_copy;
	err = libbpffs_mount(fd, helper->target, &opts, &outcome);
	progress_end();
	if (err)
		return say_error(err == -ENOMEM ? MNT_EX_SYSERR : MNT_EX_FAIL);
	status = attach(helper, &outcome);
	if (outcome.mnt >= 0)
		close(outcome.mnt);
	if (!status)
		say_hidden(helper, fd);
	return status;
}

/* Options that are refused will be when the mount is made. */
static bool only_reads(const struct helper *helper)
{
	struct bpf_mount_opts opts = mount_opts(helper);
	struct libbpffs_plan plan = {};
	bool only;

	only = !libbpffs_plan_mount(&plan, &opts) && libbpffs_plan_only_reads(&plan);
	libbpffs_plan_free(&plan);
	return only;
}

static int mount_source(struct helper *helper)
{
	int fd = libbpffs_source_open(helper->source, only_reads(helper));
	int status;

	/* Or there is no such directory on the way to it. */
	if ((fd == -ENOENT || fd == -ENOTDIR) && helper->nofail) {
		if (mnt_context_is_verbose(helper->cxt))
			say("%s (nofail)", bpf_mount_error());
		/* There is nothing to keep books of. */
		exit(MNT_EX_SUCCESS);
	}
	if (fd < 0)
		return say_error(fd == -ENOMEM ? MNT_EX_SYSERR : MNT_EX_FAIL);
	status = mount_object(helper, fd);
	close(fd);
	return status;
}

static int remount(struct helper *helper, int fd)
{
	struct libmnt_ns *old;
	int err;

	if (fd >= 0) {
		say("fd: a mount keeps its object; only ro and rw can change");
		return MNT_EX_USAGE;
	}
	if (mnt_context_is_fake(helper->cxt))
		return 0;
	old = enter_target_ns(helper);
	if (!old)
		return MNT_EX_SYSERR;
	err = libbpffs_remount(helper->target, helper->options);
	mnt_context_switch_ns(helper->cxt, old);
	return err ? say_error(MNT_EX_FAIL) : 0;
}

static int do_mount(struct helper *helper)
{
	int fd = -1;
	int status;

	status = take_options(helper, &fd);
	if (status)
		return status;
	if (helper->remount)
		return remount(helper, fd);
	return fd >= 0 ? mount_object(helper, fd) : mount_source(helper);
}

/* --- The command line --- */

/* What was asked for instead of a mount. */
static int end_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return MNT_EX_SUCCESS;
	say("standard output: %s", strerror(errno));
	return MNT_EX_SYSERR;
}

static int say_usage(void)
{
	fputs(usage, stderr);
	return MNT_EX_USAGE;
}

static int argument_failed(int ret, const char *what)
{
	say("%s: %s", what, strerror(-ret));
	return ret == -ENOMEM ? MNT_EX_SYSERR : MNT_EX_USAGE;
}

/* It has errors of its own beyond errno, and words and an exit status for them. */
static int libmount_failed(struct helper *helper, int ret)
{
	char words[1024] = "";
	int status = mnt_context_get_excode(helper->cxt, ret, words, sizeof(words));

	say("%s: %s", helper->target, *words ? words : strerror(ret < 0 ? -ret : EINVAL));
	return status;
}

/* What libmount does around a mount: the directory, the books. */
static int run(struct helper *helper)
{
	struct libmnt_context *cxt = helper->cxt;
	int ret, status;

	ret = mnt_context_set_fstype(cxt, helper->type);
	if (!ret)
		ret = mnt_context_set_source(cxt, helper->source);
	if (!ret)
		ret = mnt_context_set_target(cxt, helper->target);
	/* The kernel judges who may mount; a set-uid program we are not. */
	if (!ret && getuid() == geteuid())
		ret = mnt_context_force_unrestricted(cxt);
	if (!ret)
		ret = mnt_context_prepare_mount(cxt);
	if (ret)
		return libmount_failed(helper, ret);
	status = do_mount(helper);
	mnt_context_set_syscall_status(cxt, status ? -1 : 0);
	ret = mnt_context_finalize_mount(cxt);
	if (!status && ret && mnt_context_is_fake(cxt))
		return argument_failed(ret, helper->target);
	if (!status && ret) {
		say("%s is mounted, but /run/mount cannot be updated: %s", helper->target,
		    ret == -MNT_ERR_LOCK ? "it cannot be locked" :
		    strerror(ret < 0 ? -ret : errno));
		return MNT_EX_FILEIO;
	}
	return status;
}

/* Before libmount has them: it would be quiet. */
static int check_quotes(char *rest)
{
	size_t size, value_size;
	char *name, *value;
	int ret;

	do {
		ret = mnt_optstr_next_option(&rest, &name, &size, &value, &value_size);
	} while (!ret);
	return ret == 1 && libbpffs_check_end(rest) ? say_error(MNT_EX_FAIL) : 0;
}

static int parse_arguments(struct helper *helper, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "fake", no_argument, NULL, 'f' },
		{ "no-mtab", no_argument, NULL, 'n' },
		{ "options", required_argument, NULL, 'o' },
		{ "read-only", no_argument, NULL, 'r' },
		{ "read-write", no_argument, NULL, 'w' },
		{ "sloppy", no_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "namespace", required_argument, NULL, 'N' },
		{ "types", required_argument, NULL, 't' },
		{}
	};
	int c, ret;

	while ((c = getopt_long(argc, argv, "fhnN:o:rst:vVw", longopts, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			exit(end_output());
		case 'V':
			printf("mount.bpffs %s\n", bpffs_version_string());
			exit(end_output());
		case 'o':
			helper->given |= *optarg;
			ret = check_quotes(optarg);
			if (ret)
				return ret;
		}
		ret = c == '?' ? 1 : mnt_context_helper_setopt(helper->cxt, c, optarg);
		if (ret < 0)
			return argument_failed(ret, optarg ?: "options");
		if (ret)
			return say_usage();
	}
	if (argc - optind != 2)
		return say_usage();
	helper->source = argv[optind];
	helper->target = argv[optind + 1];
	return 0;
}

int main(int argc, char **argv)
{
	struct helper helper = { .type = FS_TYPE };
	int status;

	if (!strcmp(program_invocation_short_name, "mount." FUSE_TYPE))
		helper.type = FUSE_TYPE;

	/* mount(8) gives options behind SOURCE and DIRECTORY, where getopt would stop. */
	unsetenv("POSIXLY_CORRECT");
	/* Else libmount 2.39 and later ask the kernel for the file system before we mount. */
	setenv("LIBMOUNT_FORCE_MOUNT2", "always", 1);
	mnt_init_debug(0);
	helper.cxt = mnt_new_context();
	if (!helper.cxt || mnt_context_init_helper(helper.cxt, MNT_ACT_MOUNT, 0)) {
		say("%s", strerror(ENOMEM));
		return MNT_EX_SYSERR;
	}
	libbpf_set_print(NULL);
	status = parse_arguments(&helper, argc, argv);
	if (!status)
		status = run(&helper);
	free(helper.options);
	mnt_free_context(helper.cxt);
	return status;
}
