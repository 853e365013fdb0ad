// SPDX-License-Identifier: GPL-2.0-only
/*
 * What bpffs costs, against what does the same without it: each row is a ratio
 * within one run, of the medians of some rounds that take turns.
 *
 * With BACKEND=fuse in the environment, of bpffs-fuse, and beside SMALLEST, a program that
 * answers FUSE by rote.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

bool by_fuse, by_icount, with_profile;

static const char usage[] =
	"usage: bench [OPTION]... [ELEMENTS...]\n"
	"Each ELEMENTS, 100000 if none are given, is measured by itself.\n"
	"  -p, --parts LIST  of mounts, elements, shapes, which are measured if none is given:\n"
	"                    minutes; tools, sizes (1000 to 1000000 elements), hold; all of\n"
	"                    these: all; largest (10000000 elements, 6 GiB of memory)\n"
	"  -a, --about NAME=VALUE\n"
	"                    said in the header; accelerator=icount: the clock counts\n"
	"                    instructions, of 2 ns each\n"
	"  -P, --profile     the functions of the kernel that each row is spent in\n"
	"  -j, --json        all rows as JSON too, in the last line\n"
	"  -h, --help        this\n";

long check_at(long result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *parts = "mounts elements shapes";

/* Is @name one of the words of @parts? */
static bool wanted(const char *name)
{
	size_t len = strlen(name);
	const char *at;

	for (at = parts; (at = strstr(at, name)); at += len)
		if ((at == parts || strchr(" ,", at[-1])) && (!at[len] || strchr(" ,", at[len])))
			return true;
	return false;
}

static void prepare(void)
{
	check(unshare(CLONE_NEWNS));
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	check(mount("tmpfs", "/mnt", "tmpfs", 0, "nr_inodes=100000"));
	mkdir("/mnt/bench", 0755);
	mkdir(DIR_OURS, 0755);
	mkdir(DIR_TMPFS, 0755);
	mkdir(DIR_SMALLEST, 0755);
	mkdir(DIR_MOUNTS, 0755);
}

static void bench(__u32 elements)
{
	if (wanted("elements"))
		bench_elements(elements);
	if (wanted("tools"))
		bench_tools(elements);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "parts", required_argument, NULL, 'p' },
		{ "about", required_argument, NULL, 'a' },
		{ "profile", no_argument, NULL, 'P' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	const char *backend = getenv("BACKEND");
	bool as_json = false;
	char *about[8];
	int abouts = 0, c;

	while ((c = getopt_long(argc, argv, "p:a:Pjh", options, NULL)) != -1)
		switch (c) {
		case 'p':
			parts = optarg;
			break;
		case 'a':
			if (abouts == 8 || !strchr(optarg, '=')) {
				fputs("bench: -a takes NAME=VALUE, eight times at most\n", stderr);
				return 2;
			}
			by_icount |= !strcmp(optarg, "accelerator=icount");
			about[abouts++] = optarg;
			break;
		case 'P':
			with_profile = true;
			break;
		case 'j':
			as_json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (!strcmp(parts, "all"))
		parts = "mounts elements shapes tools sizes hold";

	by_fuse = backend && !strcmp(backend, "fuse");
	prepare();
	/* What the system has left to do since it began. Such a clock jumps over it. */
	if (by_icount)
		sleep(30);
	puts("# what | against | bpffs | the other | times as fast (or less) | goal, at least");
	if (wanted("mounts"))
		bench_mounts();
	if (optind == argc)
		bench(100000);
	for (; optind < argc; optind++)
		bench(atoi(argv[optind]));
	if (wanted("shapes"))
		bench_shapes();
	if (wanted("sizes") || wanted("largest"))
		bench_sizes(wanted("largest"));
	if (wanted("hold"))
		bench_hold(1000000, 16000000);
	if (as_json)
		report_json(about, abouts);
	return 0;
}
