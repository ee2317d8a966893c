// workers.h: one client thread for each processor, and with split a server thread beside it, all for the same time.
#ifndef WORKERS_H
#define WORKERS_H

#include <stdatomic.h>

#include "limit.h"

// worker is what one client thread and its server thread know. Each sits on cache lines of its own.
struct worker {
	_Alignas(128) int index;
	int listener;
	long connections;    // the client's count, read when it has ended
	const uint64_t *end; // by now_ns
	pthread_barrier_t *ready;
	const atomic_int *stop; // the servers'
};

// wait_for_start is the client's: it returns when every client is ready and the time runs.
static inline void wait_for_start(const struct worker *w)
{
	pthread_barrier_wait(w->ready); // all are ready
	pthread_barrier_wait(w->ready); // the time runs
}

// run_workers runs n clients, each beside a server unless that is NULL, and prints what they opened and closed.
static inline void run_workers(int n, double seconds, struct worker *w, void *(*client)(void *), void *(*server)(void *))
{
	pthread_barrier_t ready;
	pthread_t clients[MAX_WORKERS], servers[MAX_WORKERS];
	atomic_int stop = 0;
	uint64_t start, end;
	long connections = 0;

	if (n < 1 || n > MAX_WORKERS || seconds <= 0) {
		fprintf(stderr, "%d workers, %g seconds: want 1 to %d, and more than 0\n", n, seconds, MAX_WORKERS);
		exit(2);
	}
	pthread_barrier_init(&ready, NULL, (unsigned)n + 1);
	for (int i = 0; i < n; i++) {
		w[i].index = i;
		w[i].end = &end;
		w[i].ready = &ready;
		w[i].stop = &stop;
		if (server) servers[i] = start_thread(server, &w[i]);
		clients[i] = start_thread(client, &w[i]);
	}
	pthread_barrier_wait(&ready);
	usleep(50000); // a namespace that was just made, and the one before, leave the kernel work for a while
	start = now_ns();
	end = start + (uint64_t)(seconds * 1e9);
	pthread_barrier_wait(&ready);
	for (int i = 0; i < n; i++) {
		pthread_join(clients[i], NULL);
		connections += w[i].connections;
	}
	report(connections, start);
	atomic_store(&stop, 1);
	for (int i = 0; server && i < n; i++) pthread_join(servers[i], NULL);
}

#endif
