// SPDX-License-Identifier: GPL-2.0-only
/* The last refusals of a mount, as sentences: .bpf/error. */
#include "bpffs.h"

/* A name, a field's name, a cut text and a reason fit; so it is bounded. */
#define BPFFS_SENTENCE_MAX	768

void bpffs_errors_init(struct bpffs_errors *errors)
{
	mutex_init(&errors->lock);
}

void bpffs_errors_free(struct bpffs_errors *errors)
{
	unsigned int i;

	for (i = 0; i < BPFFS_ERRORS; i++)
		kfree(errors->sentence[i]);
	mutex_destroy(&errors->lock);
}

/**
 * bpffs_refuse - remember why something was refused
 * @info: of the mount
 * @fmt: a sentence without a newline
 *
 * The errno reaches the caller in any case; without memory the sentence is
 * lost. Context: may sleep.
 */
void bpffs_refuse(struct bpffs_info *info, const char *fmt, ...)
{
	struct bpffs_errors *errors = &info->errors;
	char *sentence, *oldest;
	va_list args;

	sentence = kmalloc(BPFFS_SENTENCE_MAX, GFP_KERNEL_ACCOUNT);
	if (!sentence)
		return;
	va_start(args, fmt);
	vscnprintf(sentence, BPFFS_SENTENCE_MAX, fmt, args);
	va_end(args);

	mutex_lock(&errors->lock);
	oldest = errors->sentence[errors->next];
	errors->sentence[errors->next] = sentence;
	errors->next = (errors->next + 1) % BPFFS_ERRORS;
	mutex_unlock(&errors->lock);
	kfree(oldest);
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
