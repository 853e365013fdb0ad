// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The last refusals of a mount, as sentences: .bpf/error. */
#include "info.h"

/* A name, a field's name, a cut text and a reason fit; so it is bounded. */
#define SENTENCE_MAX	768

void bpffs_errors_init(struct bpffs_errors *errors)
{
	mutex_init(&errors->lock);
}

void bpffs_errors_free(struct bpffs_errors *errors)
{
	unsigned int i;

	for (i = 0; i < BPFFS_ERRORS; i++)
		bpffs_free(errors->sentence[i]);
	mutex_destroy(&errors->lock);
}

/**
 * bpffs_refuse_within - remember why something was refused
 * @info: of the mount
 * @before: the begin of the sentence
 * @fmt: what follows
 * @args: of @fmt
 * @after: the end of the sentence, which has no newline
 *
 * The errno reaches the caller in any case; without memory the sentence is
 * lost. Context: may sleep.
 */
void bpffs_refuse_within(struct bpffs_info *info, const char *before, const char *fmt,
			 va_list args, const char *after)
{
	struct bpffs_errors *errors = &info->errors;
	char *sentence, *oldest;
	int len;

	sentence = bpffs_zalloc(SENTENCE_MAX);
	if (!sentence)
		return;
	len = scnprintf(sentence, SENTENCE_MAX, "%s", before);
	len += vscnprintf(sentence + len, SENTENCE_MAX - len, fmt, args);
	scnprintf(sentence + len, SENTENCE_MAX - len, "%s", after);

	mutex_lock(&errors->lock);
	oldest = errors->sentence[errors->next];
	errors->sentence[errors->next] = sentence;
	errors->next = (errors->next + 1) % BPFFS_ERRORS;
	mutex_unlock(&errors->lock);
	bpffs_free(oldest);
}

/* The same, of a whole sentence. */
void bpffs_refuse(struct bpffs_info *info, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bpffs_refuse_within(info, "", fmt, args, "");
	va_end(args);
}

/* "NAME: REASON", where the reason says what became of the element. */
void bpffs_refuse_element(struct bpffs_info *info, const void *key, const char *fmt, ...)
{
	char name[BPFFS_NAME_MAX + sizeof(": ")];
	va_list args;
	int len;

	len = bpffs_name_encode(info->key, key, name);
	memcpy(name + len, ": ", sizeof(": "));
	va_start(args, fmt);
	bpffs_refuse_within(info, name, fmt, args, "");
	va_end(args);
}

void bpffs_refuse_text(struct bpffs_info *info, const void *key,
		       const struct bpffs_reason *why)
{
	if (why->column)
		bpffs_refuse_element(info, key, "%s (column %u)" UNCHANGED, why->text, why->column);
	else
		bpffs_refuse_element(info, key, "%s" UNCHANGED, why->text);
}

/* The begin of a name that somebody gave, its odd bytes escaped; returns @to. */
const char *bpffs_quote_name(char to[4 * BPFFS_QUOTED_MAX + 1], const char *name, size_t len)
{
	static const char special[] = "\a\033\t\n\v\f\r", letter[] = "aetnvfr";
	const char *found;
	char *at = to;

	for (len = min_t(size_t, len, BPFFS_QUOTED_MAX); len; len--, name++) {
		unsigned char ch = *name;

		found = ch ? strchr(special, ch) : NULL;
		if ((ch >= ' ' && ch <= '~') || ch >= 0xa0) {
			*at++ = ch;
			continue;
		}
		*at++ = '\\';
		if (found)
			*at++ = letter[found - special];
		else if (!ch)
			*at++ = '0';
		else
			at += sprintf(at, "%03o", ch);
	}
	*at = '\0';
	return to;
}

void bpffs_errors_show(struct bpffs_errors *errors, struct seq_file *seq)
{
	unsigned int i;

	mutex_lock(&errors->lock);
	for (i = 0; i < BPFFS_ERRORS; i++) {
		const char *sentence;

		sentence = errors->sentence[(errors->next + i) % BPFFS_ERRORS];
		if (sentence)
			seq_printf(seq, "%s\n", sentence);
	}
	mutex_unlock(&errors->lock);
}
