// limit.h: what the bare loops share. Each loop is a program that does with as little code as possible what lastport does
// with all of its own, and so shows what the kernel allows: the clock, threads on processors, listeners, addresses.
//
// Every loop prints one line on standard output, "connections=N seconds=S", or says on standard error why it could not.
// It is to run in a network namespace of its own, where 1024-65535 are the local ports and the listeners are below.
#ifndef LIMIT_H
#define LIMIT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_WORKERS = 64,
	FIRST_PORT = 100, // of the listeners; worker i has FIRST_PORT + i
	TARGETS = 4,      // addresses that a worker connects to in turn: 4 x 64,512 tuples, so that no search is long
};

static const struct linger reset = {.l_onoff = 1, .l_linger = 0}; // close(2) sends RST

static inline _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// report prints what began at start and ends now.
static inline void report(long connections, uint64_t start)
{
	printf("connections=%ld seconds=%.6f\n", connections, (double)(now_ns() - start) / 1e9);
}

// number is argument i, or fallback where there is none.
static inline double number(int argc, char **argv, int i, double fallback)
{
	return argc > i ? atof(argv[i]) : fallback;
}

// processors is how many processors this process may use.
static inline int processors(void)
{
	cpu_set_t allowed;
	if (sched_getaffinity(0, sizeof allowed, &allowed)) die("sched_getaffinity");
	return CPU_COUNT(&allowed);
}

// pin keeps the calling thread on the i-th processor of those that the process may use, counted round.
static inline void pin(int i)
{
	cpu_set_t allowed, one;
	if (sched_getaffinity(getpid(), sizeof allowed, &allowed)) die("sched_getaffinity");
	int left = i % CPU_COUNT(&allowed), cpu = 0;
	while (!CPU_ISSET(cpu, &allowed) || left-- > 0) cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one)) die("sched_setaffinity");
}

// target is the k-th target of worker i: workers share no address, and so no bucket of the kernel's tables.
static inline struct sockaddr_in target(int i, long k)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(FIRST_PORT + i)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(k % TARGETS) + 0x10000u * (uint32_t)(i + 1)),
	};
}

// listener listens on every address and port FIRST_PORT + i. flags are those of socket(2). With resets, accepted
// sockets inherit SO_LINGER and are closed by RST without a call of their own.
static inline int listener(int i, int flags, int resets)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(FIRST_PORT + i))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0) die("socket");
	if (resets && setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset)) die("SO_LINGER");
	if (bind(fd, (struct sockaddr *)&any, sizeof any)) die("bind");
	if (listen(fd, 65535)) die("listen");
	return fd;
}

static inline pthread_t start_thread(void *(*body)(void *), void *arg)
{
	pthread_t t;
	errno = pthread_create(&t, NULL, body, arg);
	if (errno) die("pthread_create");
	return t;
}

#endif
