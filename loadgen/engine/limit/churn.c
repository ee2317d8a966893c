// churn: opens and closes connections by blocking calls, as fast as it can.
//
//   churn split|one-thread [SECONDS [WORKERS]]
//
// split: each client thread has a server thread on the same processor; the client closes by RST.
// one-thread: a client accepts and closes the other end itself, which resets the connection.
#define _GNU_SOURCE
#include "workers.h"

static struct worker workers[MAX_WORKERS];

// open_one connects worker w to its k-th target.
static int open_one(const struct worker *w, long k)
{
	struct sockaddr_in to = target(w->index, k);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) die("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
	return fd;
}

// in_time looks at the clock once in 64 connections.
static int in_time(const struct worker *w, long k)
{
	return k % 64 || now_ns() < *w->end;
}

static void *client(void *arg)
{
	struct worker *w = arg;
	long k = 0;
	pin(w->index);
	wait_for_start(w);
	for (; in_time(w, k); k++) {
		int fd = open_one(w, k);
		if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset)) die("SO_LINGER");
		close(fd);
	}
	w->connections = k;
	return NULL;
}

// server accepts until the queue is empty and then sleeps: wake-ups cost more than anything else a server does.
static void *server(void *arg)
{
	struct worker *w = arg;
	const struct timespec nap = {.tv_nsec = 200000};
	pin(w->index);
	for (;;) {
		int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			close(fd);
			continue;
		}
		if (errno != EAGAIN) die("accept");
		if (atomic_load(w->stop)) return NULL;
		nanosleep(&nap, NULL);
	}
}

// both_ends closes its own end first, because the listener's SO_LINGER saves a call: the end accepted resets both.
static void *both_ends(void *arg)
{
	struct worker *w = arg;
	long k = 0;
	pin(w->index);
	wait_for_start(w);
	for (; in_time(w, k); k++) {
		close(open_one(w, k));
		int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) die("accept");
		close(fd);
	}
	w->connections = k;
	return NULL;
}

int main(int argc, char **argv)
{
	int split = argc > 1 && !strcmp(argv[1], "split");
	int n = (int)number(argc, argv, 3, processors());
	if (!split && (argc < 2 || strcmp(argv[1], "one-thread"))) {
		fprintf(stderr, "usage: churn split|one-thread [SECONDS [WORKERS]]\n");
		return 2;
	}
	for (int i = 0; i < n && i < MAX_WORKERS; i++) workers[i].listener = listener(i, split ? SOCK_NONBLOCK : 0, !split);
	run_workers(n, number(argc, argv, 2, 2), workers, split ? client : both_ends, split ? server : NULL);
	return 0;
}
