// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The records of a ring buffer, as they come. */
#include <fcntl.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "internal.h"
#include "json.h"
#include "ring.h"

/**
 * struct form - how records of one size are shown
 * @layout: of them; NULL: none has come
 * @plan: for JSON
 */
struct form {
	struct bpffs_layout *layout;
	struct json_plan *plan;
};

/**
 * struct ring - the reader of a ring buffer
 * @dir: where it is mounted
 * @text: of the layout that was given, or NULL
 * @resolves: of these, bound if there are any
 * @given: records that have it
 * @hex: others, of the size of the last
 * @out: of JSON; else NULL
 * @left: how many records will come; 0: no end
 * @status: of all this
 */
struct ring {
	const char *dir;
	const char *text;
	struct resolves *resolves;
	struct form given;
	struct form hex;
	struct json_out *out;
	unsigned long left;
	enum status status;
};

/* --- A record --- */

static void free_form(struct form *form)
{
	json_plan_free(form->plan);
	bpffs_layout_free(form->layout);
	memset(form, 0, sizeof(*form));
}

/* -EINVAL: the layout is of another size. */
static int make_form(struct form *form, const char *text, size_t size)
{
	struct bpffs_reason why;
	int err = bpffs_layout_compile(&form->layout, text, strlen(text), size, BPFFS_VALUE, &why);

	if (err)
		return err;
	form->plan = json_plan_new(form->layout);
	return form->plan ? 0 : -ENOMEM;
}

static bool is_of(const struct form *form, size_t size)
{
	return form->layout && bpffs_layout_size(form->layout) == size;
}

/*
 * A text covers one size, so that it is only looked for until it is found; only then it is
 * known whether it has the fields to resolve. NULL: no memory.
 */
static const struct form *form_of(struct ring *ring, size_t size)
{
	int err = ring->text && !ring->given.layout ? make_form(&ring->given, ring->text, size) :
						      -EINVAL;

	if (err == -ENOMEM)
		return NULL;
	if (!err)
		ring->status = bind_resolves(ring->resolves, ring->dir, NULL, ring->given.layout);
	if (is_of(&ring->given, size))
		return &ring->given;
	if (is_of(&ring->hex, size))
		return &ring->hex;
	free_form(&ring->hex);
	return make_form(&ring->hex, "hex", size) ? NULL : &ring->hex;
}

/* As a line of a table has it, without a name. */
static void put_fields(const struct bpffs_shape *shape, const void *bytes)
{
	u64 size = bpffs_text_size(shape, bytes), at = 0;
	struct bpffs_text_pos pos = {};
	char part[4096];
	size_t len;

	/* But for the last blank. */
	while (at + 1 < size) {
		len = bpffs_text_read(shape, bytes, at, &pos, part,
				      min_t(u64, sizeof(part), size - 1 - at));
		if (!len)
			break;
		fwrite(part, 1, len, stdout);
		at += len;
	}
}

static void put_record(struct ring *ring, const struct form *form, const void *bytes)
{
	struct bpffs_shape shape = {
		.layout = form->layout,
		.copies = 1,
		.stride = bpffs_layout_size(form->layout),
		.separator = ' ',
	};
	bool resolves = form == &ring->given && !ring->status;

	if (ring->out) {
		json_value(ring->out, form->plan, bytes);
		if (resolves)
			json_resolves(ring->out, ring->resolves, &shape, NULL, bytes);
		json_close(ring->out);
		return;
	}
	put_fields(&shape, bytes);
	if (resolves)
		print_resolves(ring->resolves, &shape, NULL, bytes);
	putchar('\n');
}

static enum status put_output(struct ring *ring)
{
	if (!ring->out)
		return end_output();
	json_flush(ring->out);
	return ring->out->err ? fail("standard output: %s", strerror(ring->out->err)) : DONE;
}

/* What is not 0 ends it; the record is taken nevertheless. */
static int take_record(void *context, void *bytes, size_t size)
{
	struct ring *ring = context;
	const struct form *form = size ? form_of(ring, size) : NULL;

	if (size && !form)
		ring->status = fail("%s: %s", ring->dir, strerror(ENOMEM));
	else if (size)
		put_record(ring, form, bytes);
	else if (ring->out)
		json_text(ring->out, "{\"value\":\"\"}\n");
	else
		putchar('\n');
	if (ring->status || (ring->out && ring->out->err) || ferror(stdout))
		return -EIO;
	return ring->left && !--ring->left ? -ECANCELED : 0;
}

static enum status take_records(struct ring *ring, struct ring_buffer *reader)
{
	enum status status;
	int n;

	do {
		n = ring_buffer__poll(reader, -1);
		status = ring->status ?: put_output(ring);
	} while (!status && (n >= 0 || n == -EINTR));
	if (!status && n != -ECANCELED)
		status = fail("%s: %s", ring->dir, strerror(-n));
	return status;
}

/* --- All of it --- */

/* Of which size it is, only the records tell; of what it is made, it must. */
static enum status check_text(const char *text)
{
	struct bpffs_layout *layout;
	struct bpffs_reason why = {};

	if (!bpffs_layout_compile(&layout, text, strlen(text), 1, BPFFS_VALUE, &why))
		bpffs_layout_free(layout);
	else if (why.column)
		return fail("watch: --value: %s (column %u)", why.text, why.column);
	return DONE;
}

bool is_ring(int root)
{
	char *type = read_file(root, ".bpf/type");
	bool is = type && !strcmp(type, "ringbuf");

	free(type);
	return is;
}

enum status watch_ring(const char *dir, int root, const char *text, struct resolves *resolves,
		       unsigned long count, struct json_out *out)
{
	struct ring ring = {
		.dir = dir,
		.text = text,
		.resolves = resolves,
		.left = count,
		.out = out,
	};
	enum status status = text ? check_text(text) : DONE;
	struct ring_buffer *reader;
	int fd;

	if (status)
		return status;
	fd = bpf_mount_openat(root, O_RDWR);
	if (fd < 0)
		return fail("%s: %s", dir, bpf_mount_error());
	reader = ring_buffer__new(fd, take_record, &ring, NULL);
	if (!reader)
		status = fail("%s: %s", dir, strerror(errno));
	else
		status = take_records(&ring, reader);
	ring_buffer__free(reader);
	close(fd);
	unbind_resolves(resolves);
	free_form(&ring.given);
	free_form(&ring.hex);
	return status;
}
