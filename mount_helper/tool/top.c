// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs top: a mounted map on a terminal, or with -b into a pipe. */
#include <curses.h>
#include <locale.h>
#include <unistd.h>

#include "internal.h"
#include "view.h"

#define NAME_MAX_WIDTH	40

/**
 * struct top - the screen
 * @view: what it shows
 * @interval: of samples, in ns
 * @count: how many there will be; 0: no end
 * @first: row at the top
 * @selected: the row with the cursor
 * @first_column: that stands beside the key
 * @paused: no samples
 * @totals: a line of them
 * @detail: one element instead of the list
 * @detail_key: which one
 * @detail_copy: and of which CPU
 * @detail_first: its first line that is shown
 * @help: the keys instead
 * @typing: of a filter
 * @old_filter: what it was
 */
struct top {
	struct view view;
	u64 interval;
	unsigned long count;
	size_t first;
	size_t selected;
	size_t first_column;
	bool paused;
	bool totals;
	bool detail;
	void *detail_key;
	u32 detail_copy;
	size_t detail_first;
	bool help;
	bool typing;
	char old_filter[256];
};

static const char help_text[] =
	"q            quit\n"
	"space        pause, and go on\n"
	"< >          sort by another column, the one with a v\n"
	"R            turn the order round\n"
	"/            filter: only keys that have a text in them\n"
	"r            count values from now on\n"
	"z            count from zero again\n"
	"c            of a per-CPU map: a line for each CPU, or sums\n"
	"t            totals of all lines that are shown\n"
	"arrows       move; left and right: other columns beside the key\n"
	"PgUp PgDn Home End\n"
	"Enter        the element in full, arrays as bars; and back\n"
	"h ?          this help, and back\n"
	"\n"
	"In front of a key: + it has come since the sample before, - it has gone.\n"
	"NAME/s is per second, since the sample before. Of an array, NAME is the sum.\n";

/* --- Into a pipe --- */

static enum status put_line(char *line)
{
	size_t len = line ? strlen(line) : 0;

	if (!line)
		return fail("%s", strerror(ENOMEM));
	while (len && line[len - 1] == ' ')
		len--;
	printf("%.*s\n", (int)len, line);
	free(line);
	return DONE;
}

static enum status put_view(struct top *top, u32 *width)
{
	struct view *view = &top->view;
	enum status status;
	size_t i;

	measure(view, 0, view->rows, width);
	status = put_line(summary_line(view)) ?: put_line(title_line(view, width, 0));
	for (i = 0; i < view->rows && !status; i++)
		status = put_line(row_line(view, width, 0, i));
	if (!status && top->totals)
		status = put_line(total_line(view, width, 0));
	putchar('\n');
	return status ?: end_output();
}

/* Each after an interval, so that there are rates. */
static enum status run_batch(struct top *top)
{
	u32 *width = calloc(top->view.columns + 1, sizeof(*width));
	enum status status = width ? sample_view(&top->view) : fail("%s", strerror(ENOMEM));

	while (!status) {
		wait_after(&top->view.now, top->interval);
		status = sample_view(&top->view) ?: put_view(top, width);
		if (top->count && !--top->count)
			break;
	}
	free(width);
	return status;
}

/* --- On the screen --- */

/* What fits of it; freed. */
static void draw_line(int y, char *line, attr_t attributes)
{
	attrset(attributes);
	move(y, 0);
	if (line)
		/* A wide line stops at the margin. */
		addstr(line);
	if (attributes)
		hline(' ' | attributes, COLS);
	attrset(A_NORMAL);
	free(line);
}

/* Up to the width of the screen; of UTF-8. */
static char *clipped(char *line, u32 width)
{
	char *at = line;

	for (; at && *at; at++)
		if ((*at & 0xc0) != 0x80 && !width--) {
			*at = '\0';
			break;
		}
	return line;
}

/* Lines that the list has on the screen. */
static size_t list_height(const struct top *top)
{
	int height = LINES - 2 - top->totals;

	return height > 0 ? height : 0;
}

static void draw_list(struct top *top)
{
	struct view *view = &top->view;
	u32 *width = calloc(view->columns + 1, sizeof(*width));
	size_t height = list_height(top), i;

	if (!width)
		return;
	if (top->selected >= view->rows)
		top->selected = view->rows ? view->rows - 1 : 0;
	if (top->selected < top->first)
		top->first = top->selected;
	if (height && top->selected >= top->first + height)
		top->first = top->selected - height + 1;
	measure(view, top->first, height, width);
	width[0] = min(width[0], max(NAME_MAX_WIDTH, (u32)COLS / 2));
	draw_line(1, clipped(title_line(view, width, top->first_column), COLS), A_REVERSE);
	for (i = 0; i < height && top->first + i < view->rows; i++)
		draw_line(2 + i, clipped(row_line(view, width, top->first_column, top->first + i),
					 COLS),
			  top->first + i == top->selected ? A_STANDOUT : A_NORMAL);
	if (top->totals)
		draw_line(LINES - 1, clipped(total_line(view, width, top->first_column), COLS),
			  A_BOLD);
	free(width);
}

/* Lines of a text, from @first on. */
static void draw_text(const char *text, size_t first)
{
	int y = 2;

	for (; *text && y < LINES; text += strcspn(text, "\n"), text += *text == '\n') {
		if (first) {
			first--;
			continue;
		}
		draw_line(y++, clipped(strndup(text, strcspn(text, "\n")), COLS), A_NORMAL);
	}
}

/* The rows move, and the element may go. */
static void draw_detail(struct top *top)
{
	size_t row = find_row(&top->view, top->detail_key, top->detail_copy);
	char *text = row < top->view.rows ? detail_text(&top->view, row, COLS) :
					    strdup("it has gone\n");

	if (text)
		draw_text(text, top->detail_first);
	free(text);
}

static void draw(struct top *top)
{
	char *summary = summary_line(&top->view), *line;

	erase();
	if (top->typing)
		line = asprintf(&line, "filter: %s", top->view.filter) < 0 ? NULL : line;
	else if (asprintf(&line, "%s%s", top->paused ? "[paused] " : "", summary ?: "") < 0)
		line = NULL;
	free(summary);
	draw_line(0, clipped(line, COLS), A_NORMAL);
	if (top->help)
		draw_text(help_text, 0);
	else if (top->detail)
		draw_detail(top);
	else
		draw_list(top);
	if (top->typing)
		move(0, min((int)strlen(top->view.filter) + 8, COLS - 1));
	curs_set(top->typing);
	refresh();
}

static enum status type_filter(struct top *top, int key)
{
	char *filter = top->view.filter;
	size_t len = strlen(filter);

	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		top->typing = false;
	} else if (key == 27) {
		memcpy(filter, top->old_filter, sizeof(top->old_filter));
		top->typing = false;
	} else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && len) {
		filter[len - 1] = '\0';
	} else if (key > ' ' && key < 127 && len + 1 < sizeof(top->view.filter)) {
		filter[len] = key;
		filter[len + 1] = '\0';
	} else {
		return DONE;
	}
	return sort_view(&top->view);
}

/* The next one in that direction that one can sort by. */
static enum status move_sort(struct top *top, int step)
{
	struct view *view = &top->view;

	do {
		view->sort = (view->sort + view->columns + step) % view->columns;
	} while (view->column[view->sort].kind == OF_BARS);
	return sort_view(view);
}

static void move_to(struct top *top, long by)
{
	size_t *at = top->detail ? &top->detail_first : &top->selected;
	size_t last = top->detail ? 100000 : top->view.rows ? top->view.rows - 1 : 0;

	if (by < 0 && (size_t)-by > *at)
		*at = 0;
	else
		*at = min(*at + by, last);
}

/* What a key does; DIFFERS: it quits. */
static enum status take_key(struct top *top, int key)
{
	struct view *view = &top->view;

	if (top->typing)
		return type_filter(top, key);
	switch (key) {
	case 'q':
		return DIFFERS;
	case ' ':
	case 'p':
		top->paused = !top->paused;
		break;
	case '<':
		return move_sort(top, -1);
	case '>':
		return move_sort(top, 1);
	case 'R':
		view->reverse = !view->reverse;
		return sort_view(view);
	case '/':
		top->typing = true;
		memcpy(top->old_filter, view->filter, sizeof(top->old_filter));
		break;
	case 'r':
		return set_base(view, true);
	case 'z':
		return set_base(view, false);
	case 'c':
		top->first_column = 0;
		return set_per_cpu(view, !view->per_cpu);
	case 't':
		top->totals = !top->totals;
		break;
	case 'h':
	case '?':
		top->help = !top->help;
		break;
	case '\r':
	case '\n':
	case KEY_ENTER:
		top->detail = !top->detail && view->rows;
		top->detail_first = 0;
		if (!top->detail)
			break;
		free(top->detail_key);
		top->detail_copy = view->row[top->selected].copy;
		top->detail_key = copy_key(view, top->selected);
		return top->detail_key ? DONE : fail("%s", strerror(ENOMEM));
	case KEY_UP:
		move_to(top, -1);
		break;
	case KEY_DOWN:
		move_to(top, 1);
		break;
	case KEY_PPAGE:
		move_to(top, -(long)list_height(top));
		break;
	case KEY_NPAGE:
		move_to(top, list_height(top));
		break;
	case KEY_HOME:
		move_to(top, -(long)view->rows);
		break;
	case KEY_END:
		move_to(top, view->rows);
		break;
	case KEY_LEFT:
		top->first_column -= top->first_column > 1;
		break;
	case KEY_RIGHT:
		top->first_column = max(top->first_column, (size_t)1);
		top->first_column += top->first_column + 1 < view->columns;
		break;
	}
	return DONE;
}

/* Until the next sample is due, in ms; -1: there is none. */
static int wait_time(const struct top *top)
{
	struct timespec now;
	s64 left;

	if (top->paused)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	left = top->view.now.when + top->interval - (now.tv_sec * 1000000000LL + now.tv_nsec);
	return left > 0 ? left / 1000000 + 1 : 0;
}

static enum status run_screen(struct top *top)
{
	enum status status = sample_view(&top->view);
	int key, time;

	while (!status) {
		draw(top);
		time = wait_time(top);
		/* A key that waits comes before a sample that is late. */
		timeout(time);
		key = getch();
		if (key != ERR) {
			status = take_key(top, key);
		} else if (!top->paused) {
			if (top->count && !--top->count)
				return DONE;
			status = sample_view(&top->view);
		}
	}
	return status == DIFFERS ? DONE : status;
}

static void end_screen(void)
{
	endwin();
}

static enum status show(struct top *top)
{
	enum status status;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return fail("top: no terminal; -b is for a pipe");
	if (!newterm(NULL, stdout, stdin))
		return fail("top: the terminal \"%s\" is not known; -b needs none",
			    getenv("TERM") ?: "");
	before_sentence = end_screen;
	/* As "dumb" has none. */
	if (!tigetstr("cup") || tigetstr("cup") == (char *)-1)
		return fail("top: the terminal \"%s\" cannot move its cursor; -b needs none",
			    getenv("TERM") ?: "");
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	status = run_screen(top);
	if (!isendwin())
		endwin();
	before_sentence = NULL;
	return status;
}

/* --- The command --- */

static enum status open_top(struct top *top, const char *dir, const char *sort)
{
	int root = open_mount(dir);
	enum status status;

	if (root < 0)
		return FAILED;
	status = open_view(&top->view, dir, root);
	if (!status && top->view.per_cpu)
		status = set_per_cpu(&top->view, true);
	if (!status && sort && !set_sort(&top->view, sort))
		status = fail("top: there is no column \"%s\"", sort);
	return status;
}

/* What is said in front of DIR. */
struct asked {
	const char *sort;
	bool batch;
};

static enum status take_option(struct top *top, struct asked *asked, const char *command,
			       int option)
{
	switch (option) {
	case 'b':
		asked->batch = true;
		return DONE;
	case 'c':
		top->view.per_cpu = true;
		return DONE;
	case 'd':
	case 'i':
		top->interval = read_seconds(command, optarg);
		return top->interval ? DONE : FAILED;
	case 'f':
		snprintf(top->view.filter, sizeof(top->view.filter), "%s", optarg);
		return strlen(optarg) < sizeof(top->view.filter) ? DONE :
		       fail("top: the filter has more than 255 bytes");
	case 'n':
		top->count = read_count(command, optarg);
		return top->count ? DONE : FAILED;
	case 'r':
		return add_resolve(&top->view.resolves, command, optarg);
	case 'R':
		top->view.reverse = true;
		return DONE;
	case 's':
		asked->sort = optarg;
		return DONE;
	default:
		return FAILED;
	}
}

static enum status run_top(struct top *top, const struct asked *asked, const char *dir)
{
	return open_top(top, dir, asked->sort) ?: asked->batch ? run_batch(top) : show(top);
}

enum status top_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "batch", no_argument, NULL, 'b' },
		{ "delay", required_argument, NULL, 'd' },
		{ "filter", required_argument, NULL, 'f' },
		{ "interval", required_argument, NULL, 'i' },
		{ "iterations", required_argument, NULL, 'n' },
		{ "per-cpu", no_argument, NULL, 'c' },
		{ "resolve", required_argument, NULL, 'r' },
		{ "reverse", no_argument, NULL, 'R' },
		{ "sort", required_argument, NULL, 's' },
		{}
	};
	struct top top = { .interval = 1000000000, .totals = true, .view.map.root = -1 };
	enum status status = DONE;
	struct asked asked = {};
	const char *dir;
	int option;

	/* What the terminal takes; but a point in numbers, those of options too. */
	setlocale(LC_CTYPE, "");
	while (!status && (option = next_option(argc, argv, ":bcd:f:i:n:r:Rs:", options)) != -1)
		status = take_option(&top, &asked, argv[0], option);
	dir = status ? NULL : only_argument(argc, argv, "DIR");
	status = dir ? run_top(&top, &asked, dir) : FAILED;
	free(top.detail_key);
	free_view(&top.view);
	return status;
}
