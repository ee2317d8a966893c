// uring: opens and closes connections by io_uring, as fast as it can: each is one chain of linked calls.
//
//   uring split|one-thread [SECONDS [WORKERS]]
//
// split: each client thread has a server thread on the same processor; the client closes by RST.
// one-thread: the chain accepts and closes the other end too, which resets the connection.
#define _GNU_SOURCE
#include "ring.h"

#ifndef HAVE_RING
#include <stdio.h>

int main(void)
{
	fprintf(stderr, "built without io_uring: the kernel's headers are older than Linux 6.1\n");
	return 1;
}
#else
#include "workers.h"

enum {
	ENTRIES = 4096,
	SPLIT = 64, // connections in flight
	ONE_THREAD = 16,
	NEXT = IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS, // the next call waits for this one, which completes only if it fails
};

static struct worker workers[MAX_WORKERS];

// opening begins the chain of the k-th connection of worker w, in that slot.
static void opening(struct ring *r, const struct worker *w, long k, unsigned slot, struct sockaddr_in *to)
{
	*to = target(w->index, k);
	ring_socket(r, slot, NEXT);
	ring_connect(r, slot, to, NEXT);
}

// complete submits and waits until the last calls of n chains are done.
static void complete(struct ring *r, unsigned n)
{
	for (unsigned done = 0; done < n;) {
		const struct io_uring_cqe *c;
		ring_enter(r, n - done);
		for (; (c = ring_next(r)); ring_taken(r), done++) {
			if (c->res >= 0) continue;
			fprintf(stderr, "io_uring operation %d: ", (int)c->user_data);
			errno = -c->res;
			die("a chain broke");
		}
	}
}

static void *client(void *arg)
{
	struct worker *w = arg;
	struct ring r;
	struct sockaddr_in to[SPLIT]; // the kernel reads them when the chains come to them
	long k = 0;
	pin(w->index);
	ring_make(&r, ENTRIES, SPLIT);
	wait_for_start(w);
	while (now_ns() < *w->end) {
		for (unsigned slot = 0; slot < SPLIT; slot++, k++) {
			opening(&r, w, k, slot, &to[slot]);
			ring_reset(&r, slot, NEXT);
			ring_close(&r, slot, 0);
		}
		complete(&r, SPLIT);
	}
	w->connections = k;
	return NULL;
}

static void *server(void *arg)
{
	struct worker *w = arg;
	struct ring r;
	pin(w->index);
	ring_make(&r, ENTRIES, 16384);
	ring_accept_all(&r, w->listener);
	while (!atomic_load(w->stop)) {
		const struct io_uring_cqe *c;
		ring_enter(&r, 1);
		for (; (c = ring_next(&r)); ring_taken(&r)) {
			errno = c->res < 0 ? -c->res : 0;
			if (errno) die("accept by io_uring");
			ring_close(&r, (unsigned)c->res, IOSQE_CQE_SKIP_SUCCESS);
			if (!(c->flags & IORING_CQE_F_MORE)) ring_accept_all(&r, w->listener);
		}
	}
	return NULL;
}

static void *both_ends(void *arg)
{
	struct worker *w = arg;
	struct ring r;
	struct sockaddr_in to[ONE_THREAD];
	long k = 0;
	pin(w->index);
	ring_make(&r, ENTRIES, 2 * ONE_THREAD);
	wait_for_start(w);
	while (now_ns() < *w->end) {
		for (unsigned slot = 0; slot < ONE_THREAD; slot++, k++) {
			opening(&r, w, k, slot, &to[slot]);
			ring_accept(&r, w->listener, ONE_THREAD + slot, NEXT);
			ring_close(&r, ONE_THREAD + slot, NEXT); // by RST: accepted sockets inherit SO_LINGER
			ring_close(&r, slot, 0);
		}
		complete(&r, ONE_THREAD);
	}
	w->connections = k;
	return NULL;
}

int main(int argc, char **argv)
{
	int split = argc > 1 && !strcmp(argv[1], "split");
	int n = (int)number(argc, argv, 3, processors());
	if (!split && (argc < 2 || strcmp(argv[1], "one-thread"))) {
		fprintf(stderr, "usage: uring split|one-thread [SECONDS [WORKERS]]\n");
		return 2;
	}
	for (int i = 0; i < n && i < MAX_WORKERS; i++) workers[i].listener = listener(i, 0, !split);
	run_workers(n, number(argc, argv, 2, 2), workers, split ? client : both_ends, split ? server : NULL);
	return 0;
}
#endif
