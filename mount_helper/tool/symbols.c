// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Functions of the running kernel by address. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols.h"

/* What is not of the kernel's image ends somewhere; no function is so long. */
#define FUNCTION_MAX	(64 << 10)

/**
 * struct symbol - a function
 * @address: where it begins
 * @order: in the file
 * @name: to be freed
 * @module: in @name, what is behind its NUL; "" in the kernel's image
 */
struct symbol {
	u64 address;
	size_t order;
	char *name;
	const char *module;
};

static struct symbol *symbols;
static size_t count, room;
static u64 text_end;

/* Of several names, the first in the file. */
static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool add_symbol(u64 address, const char *name, const char *module)
{
	struct symbol *symbol;

	if (count == room) {
		struct symbol *more = reallocarray(symbols, 2 * room + 4096, sizeof(*more));

		if (!more)
			return false;
		symbols = more;
		room = 2 * room + 4096;
	}
	symbol = &symbols[count];
	symbol->address = address;
	symbol->order = count;
	if (asprintf(&symbol->name, "%s%c%s", name, '\0', module) < 0)
		return false;
	symbol->module = symbol->name + strlen(name) + 1;
	count++;
	return true;
}

/* "ffffffff81000000 T _text", and "[module]" behind it; only functions are kept. */
static bool take_line(char *line)
{
	char type, *at, *name, *module;
	u64 address = strtoull(line, &at, 16);

	if (*at != ' ' || !at[1] || at[2] != ' ')
		return true;
	type = at[1];
	name = at + 3;
	at = name + strcspn(name, " \t\n");
	module = *at ? at + 1 + strspn(at + 1, "\t [") : at;
	*at = '\0';
	module[strcspn(module, "]\n")] = '\0';
	if (!address || !strchr("tTwW", type))
		return true;
	if (!*module && !strcmp(name, "_etext"))
		text_end = address;
	return add_symbol(address, name, module);
}

enum status load_symbols(void)
{
	char *line = NULL;
	bool taken = true;
	size_t size = 0;
	FILE *file;

	if (count)
		return DONE;
	file = fopen("/proc/kallsyms", "re");
	if (!file)
		return fail("/proc/kallsyms: %s", strerror(errno));
	while (taken && getline(&line, &size, file) > 0)
		taken = take_line(line);
	free(line);
	fclose(file);
	if (!taken)
		return fail("%s", strerror(ENOMEM));
	if (!count)
		return fail("/proc/kallsyms: has no addresses for you (kernel.kptr_restrict; CAP_SYSLOG)");
	qsort(symbols, count, sizeof(*symbols), compare);
	return DONE;
}

void free_symbols(void)
{
	while (count)
		free(symbols[--count].name);
	free(symbols);
	symbols = NULL;
	room = 0;
	text_end = 0;
}

/* The last one that begins at or before it, under its first name. */
static const struct symbol *find_symbol(u64 address)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	for (low--; low && symbols[low - 1].address == symbols[low].address; low--)
		;
	return &symbols[low];
}

bool put_symbol(struct line *text, u64 address)
{
	const struct symbol *symbol = find_symbol(address);

	if (!symbol)
		return false;
	if (*symbol->module || !text_end || symbol->address >= text_end ?
	    address - symbol->address >= FUNCTION_MAX : address >= text_end)
		return false;
	line_print(text, "%s%s%s+0x%llx", symbol->module, *symbol->module ? ":" : "",
		   symbol->name, (unsigned long long)(address - symbol->address));
	return true;
}
