// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * bpffs export: a map as metrics, in the text format of OpenMetrics: a family for each
 * number of the values, a sample for each element, with the leaves of its key as labels.
 * Without counters and histograms, it is also the older format of Prometheus.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "columns.h"
#include "internal.h"
#include "json.h"
#include "sample.h"

/* --- What is asked for --- */

enum type {
	GAUGE,
	COUNTER,
	HISTOGRAM,
};

/* A word of the command line about a field, or a label: NAME=TEXT. */
struct setting {
	char kind;
	const char *name;
	size_t name_len;
	const char *text;
};

struct settings {
	struct setting *setting;
	size_t count;
	const char *prefix;
	const char *output;
	bool prometheus;
};

/* --- What there is --- */

/* A map, or one of those in a map of maps. */
struct part {
	char *name;	/* of the slot */
	char *dir;
	struct map map;
	struct sample sample;
};

/**
 * struct family - a metric
 * @column: of the values
 * @name: without what its type adds
 * @label: names, of the indices of arrays
 * @cpu: name of the label of the CPU
 * @type: what it is
 * @seconds: shown so, and counted in nanoseconds
 */
struct family {
	struct column *column;
	char *name;
	char **label;
	char *cpu;
	enum type type;
	bool seconds;
};

/**
 * struct exported - all of it
 * @settings: as asked for
 * @root: of the mount
 * @map_name: of the object
 * @prefix: of the families' names
 * @of_maps: it is a map of maps
 * @parts: the maps, one but for a map of maps
 * @count: of @parts
 * @keys: of the layout of the names
 * @key_label: a name for each leaf of @keys
 * @key_labels: how many
 * @values: of the layout of the values
 * @family: of them
 * @families: how many
 */
struct exported {
	struct settings settings;
	int root;
	char *map_name;
	char *prefix;
	bool of_maps;
	struct part *parts;
	size_t count;
	struct columns keys;
	char **key_label;
	size_t key_labels;
	struct columns values;
	struct family *family;
	size_t families;
};

/* --- Names --- */

/*
 * In snake case, of what a name may have: rxPackets is rx_packets, and "a.b" a_b. Names
 * of labels that begin with two underscores are taken.
 */
static char *metric_name(const char *prefix, const char *text)
{
	size_t len = strlen(prefix);
	char *name = malloc(len + 2 * strlen(text) + 8), *to;
	char before = '_';

	if (!name)
		return NULL;
	memcpy(name, prefix, len);
	to = name + len;
	while (*text == '_' || *text == '.')
		text++;
	if (!*prefix && !isalpha((unsigned char)*text))
		*to++ = '_';
	for (; *text; before = *text++) {
		if (isupper((unsigned char)*text) && islower((unsigned char)before))
			*to++ = '_';
		*to++ = isalnum((unsigned char)*text) ? tolower((unsigned char)*text) : '_';
	}
	*to = '\0';
	return name;
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

/* What other metrics are called by; of the samples of counters and histograms. */
static bool has_taken_end(const char *name)
{
	static const char * const ends[] = {
		"_total", "_count", "_sum", "_bucket", "_info", "_created",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (ends_in(name, ends[i]))
			return true;
	return false;
}

static bool is_name(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return len && !isdigit((unsigned char)*text);
}

/* --- The settings --- */

static const struct setting *find_setting_of(const struct settings *settings, char kind,
					     const char *name, size_t len)
{
	size_t i;

	/* The last one wins. */
	for (i = settings->count; i--;) {
		const struct setting *setting = &settings->setting[i];

		if (setting->kind == kind && setting->name_len == len &&
		    !memcmp(setting->name, name, len))
			return setting;
	}
	return NULL;
}

static const struct setting *find_setting(const struct settings *settings, char kind,
					  const char *name)
{
	return find_setting_of(settings, kind, name, strlen(name));
}

static bool has_kind(const struct settings *settings, char kind)
{
	size_t i;

	for (i = 0; i < settings->count; i++)
		if (settings->setting[i].kind == kind)
			return true;
	return false;
}

static enum status add_setting(struct settings *settings, char kind, const char *word)
{
	struct setting *more = reallocarray(settings->setting, settings->count + 1,
					    sizeof(*more));
	const char *equals = strchr(word, '=');
	struct setting *setting;

	if (!more)
		return fail("%s", strerror(ENOMEM));
	settings->setting = more;
	setting = &more[settings->count++];
	setting->kind = kind;
	setting->name = word;
	setting->name_len = equals ? (size_t)(equals - word) : strlen(word);
	setting->text = equals ? equals + 1 : NULL;
	if (kind == 'l' && (!equals || !is_name(word, setting->name_len)))
		return fail("export: --label=%s is not NAME=TEXT", word);
	if (kind == 'l' && setting->name_len == 2 && !memcmp(word, "le", 2))
		return fail("export: --label=%s: histograms have le for their buckets", word);
	if (kind == 'l' && !json_is_utf8(setting->text, strlen(setting->text)))
		return fail("export: --label=%.*s: the text is not UTF-8", (int)setting->name_len,
			    word);
	if (kind == 'f' && equals && !is_name(setting->text, strlen(setting->text)))
		return fail("export: --field=%s: \"%s\" is not a name of a metric", word,
			    setting->text);
	if (kind == 't' && (!equals || (strcmp(setting->text, "gauge") &&
					strcmp(setting->text, "counter") &&
					strcmp(setting->text, "histogram"))))
		return fail("export: --type=%s is not FIELD=gauge, FIELD=counter or FIELD=histogram",
			    word);
	return DONE;
}

/* Each must be about a field that there is. */
static enum status check_settings(const struct exported *all)
{
	size_t i;

	for (i = 0; i < all->settings.count; i++) {
		const struct setting *setting = &all->settings.setting[i];
		char name[BPFFS_NAME_MAX + 1];
		const struct column *column;

		if (setting->kind == 'l')
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)min(setting->name_len, sizeof(name)),
			 setting->name);
		column = find_column(&all->values, name);
		if (!column)
			return fail("export: the values have no field \"%s\"", name);
		if (!is_number(column))
			return fail("export: the field \"%s\" is not a number", name);
		if (setting->kind == 't' && !strcmp(setting->text, "histogram") &&
		    (!column->dims || column->dim[column->dims - 1].count > 64))
			return fail("export: the field \"%s\" is no array of up to 64 numbers, as a histogram is",
				    name);
	}
	return DONE;
}

/* --- Families --- */

static char *numbered(const char *name, size_t n)
{
	char *text;

	return asprintf(&text, "%s_%zu", name, n) < 0 ? NULL : text;
}

static bool is_label(const struct exported *all, const char *name)
{
	/* By histograms and summaries; by what is not a leaf of the key. */
	static const char * const taken[] = { "le", "quantile", "outer", "padding" };
	size_t i;

	for (i = 0; i < all->key_labels; i++)
		if (!strcmp(all->key_label[i], name))
			return true;
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (!strcmp(taken[i], name))
			return true;
	return find_setting(&all->settings, 'l', name);
}

/* The name itself, or with a number: one that there is not yet. */
static char *new_label(const struct exported *all, const char *text)
{
	char *name = metric_name("", text), *first = name;
	size_t n;

	for (n = 2; name && is_label(all, name); n++) {
		if (name != first)
			free(name);
		name = numbered(first, n);
	}
	if (name != first)
		free(first);
	return name;
}

static u64 key_leaves(const struct exported *all)
{
	u64 count = 0;
	size_t i;

	for (i = 0; i < all->keys.count; i++)
		count += all->keys.column[i].count;
	return count;
}

/* "saddr", or of an array "saddr_0"; without a name "key", or of several "key_0". */
static enum status name_keys(struct exported *all)
{
	u64 leaves = key_leaves(all), n, leaf = 0;
	size_t i;

	all->key_label = calloc(leaves + 1, sizeof(*all->key_label));
	if (!all->key_label)
		return fail("%s", strerror(ENOMEM));
	for (i = 0; i < all->keys.count; i++) {
		const struct column *column = &all->keys.column[i];

		for (n = 0; n < column->count; n++, leaf++) {
			const char *name = *column->name ? column->name : "key";
			char text[BPFFS_NAME_MAX + 32];

			if (column->field->type == BPFFS_PLEN)
				name = "plen";
			if (*column->name ? column->count > 1 : leaves > 1 && name[0] == 'k')
				snprintf(text, sizeof(text), "%s_%llu", name,
					 *column->name ? n : leaf);
			else
				snprintf(text, sizeof(text), "%s", name);
			all->key_label[leaf] = new_label(all, text);
			if (!all->key_label[leaf])
				return fail("%s", strerror(ENOMEM));
			all->key_labels++;
		}
	}
	return DONE;
}

/* "index", or "index_0" of several dimensions. */
static enum status name_indices(const struct exported *all, struct family *family)
{
	u32 dims = family->column->dims, d;
	char text[32];

	family->label = calloc(dims + 1, sizeof(*family->label));
	for (d = 0; family->label && d < dims; d++) {
		snprintf(text, sizeof(text), dims > 1 ? "index_%u" : "index", d);
		family->label[d] = new_label(all, text);
		if (!family->label[d])
			return fail("%s", strerror(ENOMEM));
	}
	family->cpu = new_label(all, "cpu");
	return family->label && family->cpu ? DONE : fail("%s", strerror(ENOMEM));
}

static char *family_name(const struct exported *all, const struct column *column,
			 const struct setting *field, bool seconds)
{
	char *name, *longer = NULL;
	size_t len;

	if (field && field->text)
		return strdup(field->text);
	name = metric_name(all->prefix, field_name(column));
	if (!name)
		return NULL;
	len = strlen(name);
	if (seconds) {
		if (ends_in(name, "_ns"))
			name[len - 3] = '\0';
		if (asprintf(&longer, "%s_seconds", name) < 0)
			longer = NULL;
	} else if (has_taken_end(name)) {
		if (asprintf(&longer, "%s_value", name) < 0)
			longer = NULL;
	} else {
		return name;
	}
	free(name);
	return longer;
}

static enum status add_family(struct exported *all, struct column *column)
{
	const struct settings *settings = &all->settings;
	const char *name = field_name(column);
	const struct setting *field = find_setting(settings, 'f', name);
	const struct setting *type = find_setting(settings, 't', name);
	struct family *more, *family;
	size_t i;

	if (!is_number(column) || (!field && has_kind(settings, 'f')))
		return DONE;
	more = reallocarray(all->family, all->families + 1, sizeof(*more));
	if (!more)
		return fail("%s", strerror(ENOMEM));
	all->family = more;
	family = &more[all->families++];
	memset(family, 0, sizeof(*family));
	family->column = column;
	if (type)
		family->type = *type->text == 'c' ? COUNTER :
			       *type->text == 'h' ? HISTOGRAM : GAUGE;
	family->seconds = find_setting(settings, 's', name);
	family->name = family_name(all, column, field, family->seconds);
	if (!family->name)
		return fail("%s", strerror(ENOMEM));
	/* Its samples have it. */
	if (family->type == COUNTER && ends_in(family->name, "_total"))
		family->name[strlen(family->name) - 6] = '\0';
	for (i = 0; i + 1 < all->families; i++)
		if (!strcmp(all->family[i].name, family->name))
			return fail("export: two metrics would be called %s: give one of the fields another name by --field=%s=NAME",
				    family->name, name);
	return name_indices(all, family);
}

/* --- Output --- */

/* In double quotes. */
static void put_escaped(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			fputs("\\n", stdout);
		else if (text[i] == '"' || text[i] == '\\')
			printf("\\%c", text[i]);
		else
			putchar(text[i]);
	}
}

static void begin_label(const char **separator, const char *name, size_t name_len)
{
	printf("%s%.*s=\"", *separator, (int)name_len, name);
	*separator = ",";
}

static void end_label(void)
{
	putchar('"');
}

static void put_label(const char **separator, const char *name, const char *text, size_t len)
{
	begin_label(separator, name, strlen(name));
	put_escaped(text, len);
	end_label();
}

/*
 * A string is itself, if nobody can take it for the text of another: UTF-8 without an
 * escape, and nothing behind its NUL. Else it is escaped as in the name.
 */
static void put_string_label(const char **separator, const char *name, const u8 *from,
			     u32 size)
{
	u32 end = bpffs_str_end(from, size), i;
	char byte[4];

	if (!memchr(from, '\0', end) && !memchr(from, '%', end) &&
	    json_is_utf8((const char *)from, end)) {
		put_label(separator, name, (const char *)from, end);
		return;
	}
	begin_label(separator, name, strlen(name));
	for (i = 0; i < end; i++)
		printf("%.*s", (int)bpffs_put_byte(byte, from[i], BPFFS_IN_NAME), byte);
	end_label();
}

static void put_hex_label(const char **separator, const char *name, const u8 *from, u32 size)
{
	u32 i;

	begin_label(separator, name, strlen(name));
	for (i = 0; i < size; i++)
		printf("%02x", from[i]);
	end_label();
}

static void put_leaf_label(const char **separator, const char *name,
			   const struct bpffs_field *field, const u8 *from)
{
	char word[BPFFS_WORD_MAX + 1];

	if (field->type == BPFFS_STR)
		put_string_label(separator, name, from, field->size);
	else if (field->type == BPFFS_HEX)
		put_hex_label(separator, name, from, field->size);
	else
		put_label(separator, name, word, bpffs_put_word(field, from, word));
}

/* Of what the leaves do not show, which makes another key of it. */
static void put_padding_label(const char **separator, const struct bpffs_layout *layout,
			      const u8 *key)
{
	u32 leaves = bpffs_layout_leaves(layout), offset, n;
	const struct bpffs_field *field;
	bool zero = true;
	char digits[16];

	for (n = 0; layout->pads && n < leaves && zero; n++) {
		field = bpffs_leaf_field(layout, n, &offset);
		zero = !bpffs_is_pad(field) || bpffs_pad_is_zero(field, key + offset);
	}
	if (zero)
		return;
	begin_label(separator, "padding", strlen("padding"));
	for (n = 0; n < leaves; n++) {
		field = bpffs_leaf_field(layout, n, &offset);
		if (field->type == BPFFS_BITS && bpffs_is_pad(field))
			printf("%.*s", (int)bpffs_put_pad(field, key + offset, digits), digits);
		else if (field->type == BPFFS_PAD)
			for (u32 i = 0; i < field->size; i++)
				printf("%02x", key[offset + i]);
	}
	end_label();
}

static void put_fixed_labels(const char **separator, const struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->setting[i];

		/* Of a name that comes twice, the last one. */
		if (setting->kind != 'l' ||
		    find_setting_of(settings, 'l', setting->name, setting->name_len) != setting)
			continue;
		begin_label(separator, setting->name, setting->name_len);
		put_escaped(setting->text, strlen(setting->text));
		end_label();
	}
}

static void put_key_labels(const struct exported *all, const char **separator, const u8 *key)
{
	size_t label = 0, i;
	u64 n;

	for (i = 0; i < all->keys.count; i++) {
		const struct column *column = &all->keys.column[i];

		for (n = 0; n < column->count; n++, label++)
			put_leaf_label(separator, all->key_label[label], column->field,
				       key + column_offset(column, n, NULL));
	}
	put_padding_label(separator, all->keys.layout, key);
}

/* Exact, as a decimal fraction. */
static void put_number(const struct family *family, u64 number)
{
	bool negative = is_signed(family->column) && number >> 63;

	if (negative)
		number = -number;
	printf(" %s%llu", negative ? "-" : "",
	       family->seconds ? number / 1000000000 : number);
	if (family->seconds)
		printf(".%09llu", number % 1000000000);
	putchar('\n');
}

/* One element, in which the samples of a family are. */
struct place {
	const struct exported *all;
	const struct part *part;
	const struct family *family;
	const u8 *key;
	const u8 *value;
};

/* All but those of a histogram's buckets; @dims of the indices. */
static void put_labels(const struct place *place, u32 copy, const u32 *index, u32 dims,
		       const char **separator)
{
	const struct exported *all = place->all;
	const struct family *family = place->family;
	char text[16];
	u32 d;

	put_fixed_labels(separator, &all->settings);
	if (place->part->name)
		put_label(separator, "outer", place->part->name, strlen(place->part->name));
	put_key_labels(all, separator, place->key);
	for (d = 0; d < dims; d++) {
		snprintf(text, sizeof(text), "%u", index[d]);
		put_label(separator, family->label[d], text, strlen(text));
	}
	if (place->part->map.shape.cpus) {
		snprintf(text, sizeof(text), "%u", place->part->map.shape.cpus[copy]);
		put_label(separator, family->cpu, text, strlen(text));
	}
}

static u64 load(const struct place *place, u32 copy, u64 n, u32 *index)
{
	const struct column *column = place->family->column;

	return bpffs_load(column->field, place->value +
			  (size_t)copy * place->part->map.shape.stride +
			  column_offset(column, n, index));
}

static void put_sample(const struct place *place, u32 copy, u64 n, u32 *index)
{
	const struct family *family = place->family;
	u64 number = load(place, copy, n, index);
	const char *separator = "{";

	printf("%s%s", family->name, family->type == COUNTER ? "_total" : "");
	put_labels(place, copy, index, family->column->dims, &separator);
	if (*separator == ',')
		putchar('}');
	put_number(family, number);
}

static void begin_bucket(const struct place *place, u32 copy, const u32 *index,
			 const char *end)
{
	const char *separator = "{";

	printf("%s_%s", place->family->name, end);
	put_labels(place, copy, index, place->family->column->dims - 1, &separator);
	fputs(*separator == ',' ? "," : "{", stdout);
}

/* Slot N of a log2 histogram counts numbers below 2^(N+1), and from 2^N on. */
static void put_histogram(const struct place *place, u32 copy, u64 first, u32 *index)
{
	const struct family *family = place->family;
	u32 slots = family->column->dim[family->column->dims - 1].count, n;
	const char *separator = "{";
	u64 sum = 0;

	for (n = 0; n < slots; n++) {
		u64 limit = n < 63 ? (2ULL << n) - 1 : U64_MAX;

		sum += load(place, copy, first + n, index);
		begin_bucket(place, copy, index, "bucket");
		if (family->seconds)
			printf("le=\"%llu.%09llu\"} %llu\n", limit / 1000000000,
			       limit % 1000000000, sum);
		else
			printf("le=\"%llu\"} %llu\n", limit, sum);
	}
	begin_bucket(place, copy, index, "bucket");
	printf("le=\"+Inf\"} %llu\n", sum);
	/* OpenMetrics has it only together with a sum, which nobody knows. */
	if (!place->all->settings.prometheus)
		return;
	printf("%s_count", family->name);
	put_labels(place, copy, index, family->column->dims - 1, &separator);
	printf("%s %llu\n", *separator == ',' ? "}" : "", sum);
}

/* @index: room for the indices */
static void put_element(const struct place *place, u32 *index)
{
	const struct column *column = place->family->column;
	bool histogram = place->family->type == HISTOGRAM;
	u64 step = histogram ? column->dim[column->dims - 1].count : 1, n;
	u32 copy;

	for (n = 0; n < column->count; n += step)
		for (copy = 0; copy < place->part->map.shape.copies; copy++) {
			if (histogram)
				put_histogram(place, copy, n, index);
			else
				put_sample(place, copy, n, index);
		}
}

static void put_head(const struct exported *all, const char *name, enum type type,
		     const char *help)
{
	static const char * const types[] = { "gauge", "counter", "histogram" };
	/* The older format calls a counter as its sample is called. */
	const char *end = type == COUNTER && all->settings.prometheus ? "_total" : "";

	printf("# HELP %s%s %s\n# TYPE %s%s %s\n", name, end, help, name, end, types[type]);
}

static enum status put_family(const struct exported *all, const struct family *family)
{
	struct place place = { .all = all, .family = family };
	u32 *index = calloc(family->column->dims + 1, sizeof(*index));
	char *help;
	size_t i, n;

	if (!index)
		return fail("%s", strerror(ENOMEM));
	if (asprintf(&help, "%s of the elements of the BPF map %s",
		     field_name(family->column), all->map_name) < 0) {
		free(index);
		return fail("%s", strerror(ENOMEM));
	}
	put_head(all, family->name, family->type, help);
	free(help);
	for (i = 0; i < all->count; i++) {
		place.part = &all->parts[i];
		for (n = 0; n < place.part->sample.count; n++) {
			place.key = sample_key(&place.part->sample, n);
			place.value = sample_value(&place.part->sample, n);
			put_element(&place, index);
		}
	}
	free(index);
	return ferror(stdout) ? end_output() : DONE;
}

/* --- What is not in its elements --- */

static void put_map_labels(const struct exported *all, const char *id, const char *type)
{
	const char *separator = "{";

	put_fixed_labels(&separator, &all->settings);
	put_label(&separator, "id", id, strlen(id));
	put_label(&separator, "name", all->map_name, strlen(all->map_name));
	if (type)
		put_label(&separator, "type", type, strlen(type));
	putchar('}');
}

static void put_map_number(const struct exported *all, const char *name, const char *help,
			   const char *id, const char *number)
{
	put_head(all, name, GAUGE, help);
	fputs(name, stdout);
	put_map_labels(all, id, NULL);
	printf(" %s\n", number);
}

static void put_info_texts(const struct exported *all, const char *id, const char *type,
			   const char *max_entries, const char *memory)
{
	char count[32];
	u64 entries = 0;
	size_t i;

	for (i = 0; i < all->count; i++)
		entries += all->parts[i].sample.count;
	snprintf(count, sizeof(count), "%llu", entries);
	put_head(all, "bpffs_map_info", GAUGE, "which BPF map is mounted");
	fputs("bpffs_map_info", stdout);
	put_map_labels(all, id, type);
	puts(" 1");
	if (all->count || all->of_maps)
		put_map_number(all, "bpffs_map_entries",
			       "elements, of a map of maps those of the maps inside",
			       id, count);
	put_map_number(all, "bpffs_map_max_entries", "how many elements the map can have", id,
		       max_entries);
	put_map_number(all, "bpffs_map_memory_bytes", "memory that the kernel counts", id, memory);
}

static enum status put_info(const struct exported *all, int root)
{
	static const char * const name[] = {
		".bpf/id", ".bpf/type", ".bpf/max_entries", ".bpf/memlock",
	};
	char *text[ARRAY_SIZE(name)] = {};
	enum status status = DONE;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(name) && !status; i++) {
		text[i] = read_file(root, name[i]);
		if (!text[i])
			status = fail("export: %s: %s", name[i], strerror(errno));
	}
	if (!status)
		put_info_texts(all, text[0], text[1], text[2], text[3]);
	for (i = 0; i < ARRAY_SIZE(name); i++)
		free(text[i]);
	return status;
}

/* --- Reading --- */

/* @root: its, from now on */
static enum status add_part(struct exported *all, const char *name, const char *dir, int root)
{
	struct part *more = reallocarray(all->parts, all->count + 1, sizeof(*more));
	enum status status;
	struct part *part;

	if (!more) {
		close(root);
		return fail("%s", strerror(ENOMEM));
	}
	all->parts = more;
	part = &more[all->count++];
	memset(part, 0, sizeof(*part));
	part->map.root = root;
	part->name = name ? strdup(name) : NULL;
	part->dir = strdup(dir);
	if ((name && !part->name) || !part->dir)
		return fail("%s", strerror(ENOMEM));
	status = open_map(&part->map, part->dir, root);
	return status ?: take_sample(&part->sample, &part->map);
}

static enum status add_slot(void *context, const char *name, const char *dir, int root)
{
	return add_part(context, name, dir, root);
}

/* The columns, of the first map: all others have the same layouts. */
static enum status add_families(struct exported *all)
{
	enum status status = DONE;
	size_t i;

	if (!all->count)
		return DONE;
	if (make_columns(&all->keys, all->parts->map.key) ||
	    make_columns(&all->values, all->parts->map.value))
		return fail("%s", strerror(ENOMEM));
	status = check_settings(all) ?: name_keys(all);
	for (i = 0; i < all->values.count && !status; i++)
		status = add_family(all, &all->values.column[i]);
	return status;
}

/* "bpffs_MAP_" */
static char *make_prefix(const struct exported *all)
{
	char *name = all->settings.prefix ? strdup(all->settings.prefix) :
					    metric_name("bpffs_", all->map_name);
	char *prefix;

	if (!name || asprintf(&prefix, "%s_", name) < 0)
		prefix = NULL;
	free(name);
	return prefix;
}

static enum status name_map(struct exported *all, const char *dir, int root)
{
	u64 id;

	if (take_name(dir, root, &all->map_name))
		return FAILED;
	if (!*all->map_name) {
		free(all->map_name);
		all->map_name = NULL;
		if (take_number(dir, root, ".bpf/id", &id))
			return FAILED;
		all->map_name = numbered("id", id);
	}
	all->prefix = all->map_name ? make_prefix(all) : NULL;
	return all->prefix ? DONE : fail("%s", strerror(ENOMEM));
}

static enum status read_all(struct exported *all, const char *dir, int root)
{
	enum status status = name_map(all, dir, root);
	bool shown = false;
	int again;

	/* A map whose keys are not shown has only what is said of the whole. */
	if (!status)
		status = see_file(dir, root, ".bpf/key", &shown);
	if (status || !shown)
		return status;
	status = see_type(dir, root, "_of_maps", &all->of_maps);
	if (!status && all->of_maps)
		return each_slot(dir, root, add_slot, all);
	if (!status)
		status = see_file(dir, root, ".bpf/table", &shown);
	if (status || !shown)
		return status;
	again = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (again < 0)
		return fail("%s: %s", dir, strerror(errno));
	return add_part(all, NULL, dir, again);
}

static void free_all(struct exported *all)
{
	size_t i;
	u32 d;

	for (i = 0; i < all->families; i++) {
		for (d = 0; all->family[i].label && d < all->family[i].column->dims; d++)
			free(all->family[i].label[d]);
		free(all->family[i].label);
		free(all->family[i].cpu);
		free(all->family[i].name);
	}
	free(all->family);
	for (i = 0; i < all->key_labels; i++)
		free(all->key_label[i]);
	free(all->key_label);
	free_columns(&all->keys);
	free_columns(&all->values);
	for (i = 0; i < all->count; i++) {
		free_sample(&all->parts[i].sample);
		close_map(&all->parts[i].map);
		free(all->parts[i].name);
		free(all->parts[i].dir);
	}
	free(all->parts);
	free(all->map_name);
	free(all->prefix);
	free(all->settings.setting);
}

/* --- The command --- */

static enum status put_all(void *context)
{
	const struct exported *all = context;
	enum status status = put_info(all, all->root);
	size_t i;

	for (i = 0; i < all->families && !status; i++)
		status = put_family(all, &all->family[i]);
	/* It says that all is there. */
	if (!status)
		puts("# EOF");
	return status ?: end_output();
}

static enum status read_options(struct settings *settings, int argc, char **argv)
{
	static const struct option options[] = {
		{ "field", required_argument, NULL, 'f' },
		{ "label", required_argument, NULL, 'l' },
		{ "nanoseconds", required_argument, NULL, 's' },
		{ "output", required_argument, NULL, 'o' },
		{ "prefix", required_argument, NULL, 'p' },
		{ "prometheus", no_argument, NULL, 'P' },
		{ "type", required_argument, NULL, 't' },
		{}
	};
	enum status status = DONE;
	int option;

	while (!status && (option = next_option(argc, argv, ":o:", options)) != -1) {
		switch (option) {
		case '?':
			return FAILED;
		case 'o':
			settings->output = optarg;
			break;
		case 'p':
			settings->prefix = optarg;
			if (!is_name(optarg, strlen(optarg)))
				return fail("export: --prefix=%s is not a name of a metric", optarg);
			break;
		case 'P':
			settings->prometheus = true;
			break;
		default:
			status = add_setting(settings, option, optarg);
		}
	}
	return status;
}

enum status export_command(int argc, char **argv)
{
	struct exported all = {};
	enum status status = read_options(&all.settings, argc, argv);
	const char *dir = status ? NULL : only_argument(argc, argv, "DIR");
	int root = dir ? open_mount(dir) : -1;

	if (root >= 0) {
		all.root = root;
		status = read_all(&all, dir, root) ?: add_families(&all);
		if (!status)
			status = all.settings.output ? write_file(all.settings.output, put_all, &all) :
						       put_all(&all);
		close(root);
	} else {
		status = FAILED;
	}
	free_all(&all);
	return status;
}
