// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* --resolve: what numbers of elements stand for, such as the name of an interface. */
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cgroups.h"
#include "internal.h"
#include "resolve.h"
#include "stacks.h"
#include "symbols.h"

static const struct {
	const char *name;
	clockid_t clock;
} meanings[] = {
	[IFNAME]	= { .name = "ifname" },
	[KTIME]		= { .name = "ktime", .clock = CLOCK_MONOTONIC },
	[BOOTTIME]	= { .name = "boottime", .clock = CLOCK_BOOTTIME },
	[TAI]		= { .name = "tai", .clock = CLOCK_TAI },
	[CGROUP]	= { .name = "cgroup" },
	[KSYM]		= { .name = "ksym" },
	[STACK]		= { .name = "stack" },
};

/* --- The option --- */

/* "stack:DIR", or one of the other words. */
static bool read_meaning(struct resolve *resolve, const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++) {
		size_t len = strlen(meanings[i].name);
		bool has_dir = text[len] == ':' && text[len + 1];

		if (strncmp(text, meanings[i].name, len) || (i == STACK ? !has_dir : text[len]))
			continue;
		resolve->meaning = i;
		resolve->dir = i == STACK ? text + len + 1 : NULL;
		return true;
	}
	return false;
}

/* "key", "value", and a field of these behind a dot. */
static bool read_field(struct resolve *resolve)
{
	const char *dot = strchrnul(resolve->name, '.');

	resolve->is_key = !strncmp(resolve->name, "key", dot - resolve->name);
	resolve->field = *dot ? dot + 1 : dot;
	return (resolve->is_key ? dot - resolve->name == 3 :
				  !strncmp(resolve->name, "value", 5) && dot - resolve->name == 5) &&
	       (!*dot || dot[1]);
}

enum status add_resolve(struct resolves *resolves, const char *command, const char *text)
{
	const char *equals = strchrnul(text, '=');
	struct resolve *more, *resolve;
	size_t i;

	more = reallocarray(resolves->one, resolves->count + 1, sizeof(*more));
	if (!more)
		return fail("%s", strerror(ENOMEM));
	resolves->one = more;
	resolve = &more[resolves->count];
	memset(resolve, 0, sizeof(*resolve));
	resolve->name = strndup(text, equals - text);
	if (!resolve->name)
		return fail("%s", strerror(ENOMEM));
	resolves->count++;
	if (!*equals || !read_field(resolve) || !read_meaning(resolve, equals + 1))
		return fail("%s: \"%s\" is not FIELD=MEANING, as key.ifindex=ifname or value.last=ktime (see bpffs(8))",
			    command, text);
	for (i = 0; i + 1 < resolves->count; i++)
		if (!strcmp(more[i].name, resolve->name))
			return fail("%s: two meanings of %s", command, resolve->name);
	return DONE;
}

void free_resolves(struct resolves *resolves)
{
	unbind_resolves(resolves);
	while (resolves->count)
		free(resolves->one[--resolves->count].name);
	free(resolves->one);
	resolves->one = NULL;
	free_cgroups();
	free_symbols();
}

/* --- Fields --- */

static const struct column *find_field(const struct resolve *resolve)
{
	size_t i;

	for (i = 0; i < resolve->columns.count; i++)
		if (!strcmp(resolve->columns.column[i].name, resolve->field))
			return &resolve->columns.column[i];
	return NULL;
}

static enum status open_meaning(struct resolve *resolve)
{
	switch (resolve->meaning) {
	case CGROUP:
		return load_cgroups();
	case KSYM:
		return load_symbols();
	case STACK:
		return load_symbols() ?: open_stacks(&resolve->stacks, resolve->dir);
	default:
		return DONE;
	}
}

static enum status bind_resolve(struct resolve *resolve, const char *dir,
				const struct bpffs_layout *layout)
{
	if (!layout)
		return fail("%s: %s: there is no key", dir, resolve->name);
	if (make_columns(&resolve->columns, layout))
		return fail("%s", strerror(ENOMEM));
	resolve->column = find_field(resolve);
	if (!resolve->column)
		return fail("%s: there is no field %s", dir, resolve->name);
	if (resolve->column->field->type != BPFFS_INT && resolve->column->field->type != BPFFS_BITS)
		return fail("%s: %s is not a number", dir, resolve->name);
	return open_meaning(resolve);
}

enum status bind_resolves(struct resolves *resolves, const char *dir,
			  const struct bpffs_layout *key, const struct bpffs_layout *value)
{
	enum status status = DONE;
	size_t i;

	for (i = 0; i < resolves->count && !status; i++)
		status = bind_resolve(&resolves->one[i], dir,
				      resolves->one[i].is_key ? key : value);
	return status;
}

void unbind_resolves(struct resolves *resolves)
{
	size_t i;

	for (i = 0; i < resolves->count; i++) {
		struct resolve *resolve = &resolves->one[i];

		free_columns(&resolve->columns);
		close_stacks(resolve->stacks);
		resolve->column = NULL;
		resolve->stacks = NULL;
	}
}

/* --- Meanings --- */

static bool put_interface(struct line *text, u64 number)
{
	char name[IF_NAMESIZE];

	if (number > U32_MAX || !if_indextoname(number, name))
		return false;
	line_put(text, name, strlen(name));
	return true;
}

static s64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/*
 * Whoever has called unshare(2) is still in the namespace that it was in before, but for
 * newer kernels, and the offsets below are those of its children.
 */
static bool is_in_other_namespace(void)
{
	struct stat own, childrens;

	return !stat("/proc/self/ns/time", &own) &&
	       !stat("/proc/self/ns/time_for_children", &childrens) &&
	       own.st_ino != childrens.st_ino;
}

/* A time namespace has it ahead of the kernel's, which BPF programs know. */
static s64 ahead_of_kernel(clockid_t clock)
{
	const char *wanted = clock == CLOCK_MONOTONIC ? "monotonic" :
			     clock == CLOCK_BOOTTIME ? "boottime" : "";
	FILE *file = is_in_other_namespace() ? NULL : fopen("/proc/self/timens_offsets", "re");
	long long seconds, ns;
	s64 ahead = 0;
	char name[16];

	while (file && fscanf(file, "%15s %lld %lld", name, &seconds, &ns) == 3)
		if (!strcmp(name, wanted))
			ahead = seconds * 1000000000 + ns;
	if (file)
		fclose(file);
	return ahead;
}

/* Asked for once, lest the same number be another time in each line. */
static s64 behind_time_of_day(enum meaning meaning)
{
	static s64 behind[ARRAY_SIZE(meanings)];
	clockid_t clock = meanings[meaning].clock;

	if (!behind[meaning])
		behind[meaning] = clock_ns(CLOCK_REALTIME) - clock_ns(clock) +
				  ahead_of_kernel(clock);
	return behind[meaning];
}

/* As ISO 8601 has it, in UTC; 0 is what nobody has set. */
static bool put_time(struct line *text, u64 number, enum meaning meaning)
{
	s64 ns, behind = behind_time_of_day(meaning);
	time_t seconds;
	char day[32];
	struct tm tm;

	/* Not before 1970 either, which is behind 0 of CLOCK_TAI. */
	if (!number || number > INT64_MAX || __builtin_add_overflow((s64)number, behind, &ns) ||
	    ns < 0)
		return false;
	seconds = ns / 1000000000;
	if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof(day), "%FT%T", &tm))
		return false;
	line_print(text, "%s.%09lldZ", day, (long long)(ns % 1000000000));
	return true;
}

static bool put_cgroup(struct line *text, u64 number)
{
	const char *path = cgroup_path(number);

	if (path)
		line_put(text, path, strlen(path));
	return path;
}

bool resolve_leaf(const struct resolve *resolve, const void *bytes, u64 n, struct line *text)
{
	const struct column *column = resolve->column;
	u64 number = bpffs_load(column->field,
				(const u8 *)bytes + column_offset(column, n, NULL));

	switch (resolve->meaning) {
	case IFNAME:
		return put_interface(text, number);
	case CGROUP:
		return put_cgroup(text, number);
	case KSYM:
		return put_symbol(text, number);
	case STACK:
		return put_stack(text, resolve->stacks, number);
	default:
		return put_time(text, number, resolve->meaning);
	}
}

/* --- As text --- */

void put_resolve_name(struct line *line, const struct resolve *resolve,
		      const struct bpffs_shape *shape, u32 copy)
{
	if (resolve->is_key || !shape->cpus)
		line_put(line, resolve->name, strlen(resolve->name));
	else
		line_print(line, "value.cpu%u%s%s", shape->cpus[copy], *resolve->field ? "." : "",
			   resolve->field);
}

static void put_escaped(struct line *line, const struct line *text)
{
	char part[8];
	size_t i;

	for (i = 0; i < text->len; i++)
		if (text->text[i])
			line_put(line, part, bpffs_put_byte(part, text->text[i],
							    BPFFS_IN_NAMED_VALUE));
		else
			line_put(line, ",", 1);
}

void put_resolved(struct line *line, const struct resolve *resolve, const void *bytes)
{
	u64 n;

	for (n = 0; n < resolve->column->count; n++) {
		struct line text = {};

		if (n)
			line_put(line, ",", 1);
		if (resolve_leaf(resolve, bytes, n, &text))
			put_escaped(line, &text);
		else
			line_put(line, "-", 1);
		free(text.text);
	}
}

void print_resolves(const struct resolves *resolves, const struct bpffs_shape *shape,
		    const void *key, const void *value)
{
	struct line line = {};
	size_t i;
	u32 copy;

	for (i = 0; i < resolves->count; i++) {
		const struct resolve *resolve = &resolves->one[i];
		const u8 *bytes = resolve->is_key ? key : value;

		for (copy = 0; bytes && copy < resolve_copies(resolve, shape); copy++) {
			line_print(&line, "%s ", line.len ? "" : " #");
			put_resolve_name(&line, resolve, shape, copy);
			line_put(&line, "=", 1);
			put_resolved(&line, resolve, bytes + (size_t)copy * shape->stride);
		}
	}
	fputs(line.text ?: "", stdout);
	free(line.text);
}
