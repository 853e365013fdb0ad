// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * bpffs-fuse: serves one mount, from its start by the library to the umount. It is in
 * the background only when the mount stands; what is refused goes to the library.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ahead.h"
#include "daemon.h"
#include "serve.h"

/* Requests that are answered at once. */
#define THREADS		8

/* What is larger goes back to the system when it is freed: a listing, above all. */
#define KEPT_MAX	(256 * 1024)

struct request {
	char *text;
	const char *device;
	const char *directory;
	struct front_options options;
};

static pid_t keeper;
static bool started;

/* --- What the library hears --- */

/*
 * Once. Who is killed in between has said nothing, which is a failure too. By a call
 * that answers requests as well, and so is among those that are left.
 */
static void report(struct daemon_report *report)
{
	const struct iovec vec = { report, sizeof(*report) };

	if (writev(DAEMON_REPORT, &vec, 1) < 0)
		exit(EXIT_FAILURE);
	close(DAEMON_REPORT);
}

__attribute__((noreturn, format(printf, 2, 3)))
static void refuse(int err, const char *format, ...)
{
	struct daemon_report refusal = { .err = err };
	va_list args;

	va_start(args, format);
	vsnprintf(refusal.sentence, sizeof(refusal.sentence), format, args);
	va_end(args);
	report(&refusal);
	exit(EXIT_FAILURE);
}

/* --- What it gave --- */

static size_t count_strings(const char *text, size_t size)
{
	size_t count = 0;

	for (; size--; text++)
		count += !*text;
	return count;
}

static void take_request(struct request *request)
{
	size_t count, i;
	struct stat st;
	char *text;

	if (fstat(DAEMON_OPTIONS, &st))
		refuse(errno, "options: %s", strerror(errno));
	request->text = calloc(1, st.st_size + 1);
	if (!request->text)
		refuse(ENOMEM, "options: %s", strerror(ENOMEM));
	if (pread(DAEMON_OPTIONS, request->text, st.st_size, 0) != st.st_size)
		refuse(EIO, "options: cannot be read");
	close(DAEMON_OPTIONS);
	count = count_strings(request->text, st.st_size);
	if (count < DAEMON_STRINGS)
		refuse(EINVAL, "options: of another version of libbpffs");
	request->options.option = calloc(count, sizeof(char *));
	if (!request->options.option)
		refuse(ENOMEM, "options: %s", strerror(ENOMEM));
	text = request->text;
	for (i = 0; i < count; i++, text += strlen(text) + 1) {
		if (i == DAEMON_SOURCE)
			request->options.source = text;
		else if (i == DAEMON_DEVICE)
			request->device = text;
		else if (i == DAEMON_DIRECTORY)
			request->directory = text;
		else
			request->options.option[request->options.count++] = text;
	}
}

static bool is_read_only(const struct request *request)
{
	size_t i;

	for (i = 0; i < request->options.count; i++)
		if (!strcmp(request->options.option[i], "ro"))
			return true;
	return false;
}

/* --- The session --- */

/*
 * Every name, attribute and byte is asked for each time, as the map changes by itself.
 * The kernel's default of the rest is what the module does: O_TRUNC comes with the open.
 */
static void init(void *front, struct fuse_conn_info *conn)
{
	(void)front;
	conn->want &= ~(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
			FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
			FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_WRITEBACK_CACHE);
	conn->max_readahead = 0;
	conn->time_gran = 1;
	started = true;
}

/* By libfuse, and in the words of fusermount3(1), which it says on standard error. */
static void mount_on(struct fuse_session *session, const char *directory)
{
	char words[512] = "";
	int said = memfd_create("bpffs-said", 0);
	int failed;

	if (said < 0 || dup2(said, STDERR_FILENO) < 0)
		refuse(errno, "fusermount3: %s", strerror(errno));
	close(said);
	failed = fuse_session_mount(session, directory);
	if (pread(STDERR_FILENO, words, sizeof(words) - 1, 0) < 0)
		words[0] = '\0';
	words[strcspn(words, "\n")] = '\0';
	/* From here on there is nobody to hear it. */
	dup2(STDOUT_FILENO, STDERR_FILENO);
	if (failed)
		refuse(EPERM, "%s", *words ? words :
		       "fusermount3 (package fuse3) is needed to mount without CAP_SYS_ADMIN");
}

/*
 * May others see what an ordinary user mounts, as far as the permissions of the files
 * go? Root says so in the file of fusermount3(1).
 */
static bool may_allow_other(void)
{
	FILE *file = fopen("/etc/fuse.conf", "re");
	bool may = false;
	char line[256];

	while (file && !may && fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\n")] = '\0';
		may = !strcmp(line, "user_allow_other");
	}
	if (file)
		fclose(file);
	return may;
}

/* Options of the mount itself, which the library has set where it made it. */
static void add_mount_options(struct fuse_args *args, const struct request *request)
{
	char *options = NULL, *source;

	if (asprintf(&source, "fsname=%s", request->options.source) < 0 ||
	    fuse_opt_add_opt(&options, "subtype=bpffs,default_permissions,noexec") ||
	    fuse_opt_add_opt_escaped(&options, source) ||
	    (is_read_only(request) && fuse_opt_add_opt(&options, "ro")) ||
	    (may_allow_other() && fuse_opt_add_opt(&options, "allow_other")) ||
	    fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, options))
		refuse(ENOMEM, "options: %s", strerror(ENOMEM));
	free(options);
	free(source);
}

static struct fuse_session *open_session(const struct request *request, struct front *front)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_lowlevel_ops ops = front_ops;
	struct fuse_session *session;
	char device[16];

	ops.init = init;
	if (fuse_opt_add_arg(&args, "bpffs-fuse"))
		refuse(ENOMEM, "options: %s", strerror(ENOMEM));
	if (*request->directory)
		add_mount_options(&args, request);
	session = fuse_session_new(&args, &ops, sizeof(ops), front);
	fuse_opt_free_args(&args);
	if (!session)
		refuse(ENOMEM, "libfuse makes no session");
	snprintf(device, sizeof(device), "/dev/fd/%d", DAEMON_FUSE);
	if (*request->directory)
		mount_on(session, request->directory);
	else if (fuse_session_mount(session, device))
		refuse(EBADF, "libfuse does not take descriptor %d", DAEMON_FUSE);
	return session;
}

/* The first request, which begins the session: nobody else's comes before its answer. */
static void begin_session(struct fuse_session *session)
{
	struct fuse_buf buf = {};
	int n;

	do {
		n = fuse_session_receive_buf(session, &buf);
	} while (n == -EINTR);
	if (n > 0)
		fuse_session_process_buf(session, &buf);
	free(buf.mem);
	if (!started || fuse_session_exited(session))
		refuse(EPROTO, "the kernel and libfuse do not understand each other");
}

/*
 * Threads that are all there before the system calls are fewer, and end by themselves
 * when the mount goes: those of fuse_session_loop_mt() come and go by need, and are
 * cancelled, for which the C library loads another one.
 */
struct threads {
	struct fuse_session *session;
	struct front *front;
	pthread_barrier_t barrier;
	pthread_t thread[THREADS];
	pthread_t forgetting;
	pthread_t fetching;
};

static void *answer_requests(void *arg)
{
	struct threads *threads = arg;
	struct fuse_buf buf = {};
	int n;

	/* All have started; and then, calls are filtered. */
	pthread_barrier_wait(&threads->barrier);
	pthread_barrier_wait(&threads->barrier);
	while (!fuse_session_exited(threads->session)) {
		n = fuse_session_receive_buf(threads->session, &buf);
		if (n > 0)
			fuse_session_process_buf(threads->session, &buf);
		/* Without memory for a request, it has not been read. */
		else if (n != -EINTR && n != -ENOMEM)
			fuse_session_exit(threads->session);
	}
	free(buf.mem);
	return NULL;
}

static void *forget_names(void *arg)
{
	struct threads *threads = arg;

	pthread_barrier_wait(&threads->barrier);
	pthread_barrier_wait(&threads->barrier);
	front_forget_names(threads->front, threads->session);
	return NULL;
}

static void *fetch_ahead(void *arg)
{
	struct threads *threads = arg;

	pthread_barrier_wait(&threads->barrier);
	pthread_barrier_wait(&threads->barrier);
	ahead_serve();
	return NULL;
}

static void start_threads(struct threads *threads)
{
	int err, i;

	err = pthread_barrier_init(&threads->barrier, NULL, THREADS + 3);
	if (!err)
		err = pthread_create(&threads->forgetting, NULL, forget_names, threads);
	if (!err)
		err = pthread_create(&threads->fetching, NULL, fetch_ahead, threads);
	for (i = 0; !err && i < THREADS; i++)
		err = pthread_create(&threads->thread[i], NULL, answer_requests, threads);
	if (err)
		refuse(err, "threads: %s", strerror(err));
	pthread_barrier_wait(&threads->barrier);
}

static void join_threads(struct threads *threads)
{
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_join(threads->thread[i], NULL);
	front_over(threads->front);
	ahead_over();
	pthread_join(threads->forgetting, NULL);
	pthread_join(threads->fetching, NULL);
	pthread_barrier_destroy(&threads->barrier);
}

/* --- Both processes --- */

static void ask_keeper(int signal)
{
	kill(keeper, signal);
}

static void set_signals(void)
{
	const struct sigaction ask = { .sa_handler = ask_keeper, .sa_flags = SA_RESTART };

	sigaction(SIGTERM, &ask, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

/*
 * An idle server has little memory, whatever was asked of it before. One arena: a second one
 * looks into /proc before it gives memory back, and no file can be opened any more.
 */
static void limit_memory(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, KEPT_MAX);
	mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
}

static int serve(const struct request *request)
{
	struct daemon_report stands = {};
	struct threads threads;
	struct front *front;
	char why[sizeof(((struct daemon_report *)0)->sentence)] = "";
	int err;

	limit_memory();
	err = front_open(&front, &request->options, why, sizeof(why));
	if (err)
		refuse(-err, "%s", *why ? why : strerror(-err));
	threads.front = front;
	threads.session = open_session(request, front);
	begin_session(threads.session);
	err = give_up_privileges(front_capabilities(front));
	if (err)
		refuse(-err, "giving up privileges: %s", strerror(-err));
	start_threads(&threads);
	err = filter_calls(keeper);
	if (err)
		refuse(-err, "a filter of system calls (seccomp): %s", strerror(-err));
	snprintf(stands.sentence, sizeof(stands.sentence), "%s", why);
	report(&stands);
	pthread_barrier_wait(&threads.barrier);
	join_threads(&threads);
	fuse_session_destroy(threads.session);
	front_close(front);
	return EXIT_SUCCESS;
}

/* Who has started it need not wait for its end, nor get its signals. */
static void leave_caller(void)
{
	pid_t pid = fork();

	if (pid < 0)
		refuse(errno, "fork: %s", strerror(errno));
	if (pid)
		_exit(EXIT_SUCCESS);
	setsid();
}

static int usage(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "-V")) {
		printf("bpffs-fuse %s\n", LIBBPFFS_VERSION);
	} else if (argc == 2 && !strcmp(argv[1], "--calls")) {
		print_calls();
	} else {
		fprintf(stderr, "bpffs-fuse: mount.bpffs(8) and libbpffs start it\n");
		return EXIT_FAILURE;
	}
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_SUCCESS;
	perror("bpffs-fuse: standard output");
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct request request = {};
	struct stat st;
	int err, status;

	if (argc != 2 || argv[1][0] == '-' || fstat(DAEMON_REPORT, &st) ||
	    !S_ISFIFO(st.st_mode))
		return usage(argc, argv);
	leave_caller();
	take_request(&request);
	/* Whatever the caller has there. */
	if (*request.directory)
		close(DAEMON_FUSE);
	err = settle();
	if (err)
		refuse(-err, "leaving what was open: %s", strerror(-err));
	keeper = keep(request.device, request.directory);
	if (keeper < 0)
		refuse(errno, "fork: %s", strerror(errno));
	set_signals();
	status = serve(&request);
	free(request.options.option);
	free(request.text);
	return status;
}
