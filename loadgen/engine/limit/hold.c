// hold: opens N connections and holds both ends of all, whatever the descriptor limit is.
//
//   hold [N]
//
// The limit binds a descriptor table, and a thread can have a table of its own (unshare(2), CLONE_FILES). So connections
// are dealt to shards of as many as a table holds; a shard is a client thread and a server thread, each with such a table.
#define _GNU_SOURCE
#include <semaphore.h>
#include <sys/resource.h>

#include "limit.h"

enum {
	SHARD = 19900,     // connections: below half of the local ports, where a search by connect(2) becomes long
	SPARE = 16,        // descriptors of a table that are no connections
	STACK = 64 * 1024, // bytes, of a thread: there may be hundreds
};

struct shard {
	int index;
	long want, opened;
	sem_t listening, accepted, connected;
};

// lane opens every lanes-th shard, one after the other: as many at a time as there are processors.
struct lane {
	int first, step, shards;
	struct shard *shard;
	pthread_t thread;
};

static void own_table(int i)
{
	pin(i);
	if (unshare(CLONE_FILES)) die("unshare");
}

// hold_on keeps the thread, and with it its table, until the process ends.
static _Noreturn void hold_on(void)
{
	for (;;) pause();
}

static void *server(void *arg)
{
	struct shard *s = arg;
	const struct timespec nap = {.tv_nsec = 200000};
	own_table(s->index);
	int fd = listener(s->index, SOCK_NONBLOCK, 1); // RST, so that the end of the process leaves no TIME_WAIT
	sem_post(&s->listening);
	for (long n = 0; n < s->want;) {
		if (accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0) {
			n++;
			continue;
		}
		if (errno != EAGAIN) die("accept");
		nanosleep(&nap, NULL);
	}
	sem_post(&s->accepted);
	hold_on();
}

static void *client(void *arg)
{
	struct shard *s = arg;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(FIRST_PORT + s->index)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	own_table(s->index);
	for (; s->opened < s->want; s->opened++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0) die("socket");
		if (connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
	}
	sem_post(&s->connected);
	hold_on();
}

static void start_small(void *(*body)(void *), void *arg)
{
	pthread_t t;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	errno = pthread_create(&t, &small, body, arg);
	if (errno) die("pthread_create");
}

static void *open_lane(void *arg)
{
	struct lane *l = arg;
	for (int i = l->first; i < l->shards; i += l->step) {
		struct shard *s = &l->shard[i];
		start_small(server, s);
		sem_wait(&s->listening);
		start_small(client, s);
		sem_wait(&s->connected);
		sem_wait(&s->accepted);
	}
	return NULL;
}

// deal makes the shards of n connections and says how many there are.
static int deal(long n, struct shard **shard)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit)) die("RLIMIT_NOFILE");
	long each = (long)limit.rlim_cur - SPARE < SHARD ? (long)limit.rlim_cur - SPARE : SHARD;
	long shards = each > 0 ? (n + each - 1) / each : 0;
	if (shards < 1 || shards > 1024 - FIRST_PORT) {
		fprintf(stderr, "%ld connections: want 1 or more, and no more than %d times %ld\n", n, 1024 - FIRST_PORT, each);
		exit(2);
	}
	*shard = calloc((size_t)shards, sizeof **shard);
	if (!*shard) die("calloc");
	for (long i = 0; i < shards; i++) {
		struct shard *s = &(*shard)[i];
		s->index = (int)i;
		s->want = n - i * each < each ? n - i * each : each;
		sem_init(&s->listening, 0, 0);
		sem_init(&s->accepted, 0, 0);
		sem_init(&s->connected, 0, 0);
	}
	return (int)shards;
}

int main(int argc, char **argv)
{
	struct shard *shard;
	struct lane lane[MAX_WORKERS];
	int lanes = processors() < MAX_WORKERS ? processors() : MAX_WORKERS;
	int shards = deal((long)number(argc, argv, 1, 250000), &shard);
	long opened = 0;

	uint64_t start = now_ns();
	for (int i = 0; i < lanes; i++) {
		lane[i] = (struct lane){.first = i, .step = lanes, .shards = shards, .shard = shard};
		lane[i].thread = start_thread(open_lane, &lane[i]);
	}
	for (int i = 0; i < lanes; i++) pthread_join(lane[i].thread, NULL);
	for (int i = 0; i < shards; i++) opened += shard[i].opened;
	report(opened, start);
	return 0;
}
