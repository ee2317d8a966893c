// ring.h: an io_uring by raw system calls, as far as these loops need one: direct descriptors, linked calls, one issuer.
//
// HAVE_RING is defined where the kernel's headers know it; io_uring_setup(2), io_uring_enter(2), io_uring_register(2).
#ifndef RING_H
#define RING_H

#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#endif

#ifdef IORING_SETUP_DEFER_TASKRUN // Linux 6.1
#define HAVE_RING 1

#include <linux/time_types.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "limit.h"

enum {
	URING_CMD = 46,             // IORING_OP_URING_CMD
	SOCKET_URING_SETSOCKOPT = 3 // SOCKET_URING_OP_SETSOCKOPT, Linux 6.7
};

struct ring {
	int fd; // registered with itself: an index, which spares each call a look into the descriptor table
	unsigned tail, entries, sq_mask, cq_mask;
	_Atomic unsigned *sq_head, *sq_tail, *cq_head, *cq_tail;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
};

static inline void ring_register(int fd, unsigned what, void *arg, unsigned n)
{
	if (syscall(SYS_io_uring_register, fd, what, arg, n) < 0) die("io_uring_register");
}

static inline void *ring_map(int fd, size_t size, off_t at)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);
	if (p == MAP_FAILED) die("mmap io_uring");
	return p;
}

// ring_make makes the calling thread's ring, of that many entries and direct descriptors.
static inline void ring_make(struct ring *r, unsigned entries, unsigned files)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = 16 * entries,
	};
	int fd = (int)syscall(SYS_io_uring_setup, entries, &p);
	if (fd < 0) die("io_uring_setup");
	char *sq = ring_map(fd, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	char *cq = ring_map(fd, p.cq_off.cqes + p.cq_entries * sizeof *r->cqe, IORING_OFF_CQ_RING);

	*r = (struct ring){
		.entries = p.sq_entries,
		.sq_mask = p.sq_entries - 1,
		.cq_mask = p.cq_entries - 1,
		.sq_head = (_Atomic unsigned *)(sq + p.sq_off.head),
		.sq_tail = (_Atomic unsigned *)(sq + p.sq_off.tail),
		.cq_head = (_Atomic unsigned *)(cq + p.cq_off.head),
		.cq_tail = (_Atomic unsigned *)(cq + p.cq_off.tail),
		.sqe = ring_map(fd, p.sq_entries * sizeof *r->sqe, IORING_OFF_SQES),
		.cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes),
	};
	for (unsigned i = 0; i < p.sq_entries; i++) ((unsigned *)(sq + p.sq_off.array))[i] = i;

	struct io_uring_rsrc_register table = {.nr = files, .flags = IORING_RSRC_REGISTER_SPARSE};
	ring_register(fd, IORING_REGISTER_FILES2, &table, sizeof table);
	struct io_uring_rsrc_update self = {.offset = -1U, .data = (uint64_t)fd};
	ring_register(fd, IORING_REGISTER_RING_FDS, &self, 1);
	r->fd = (int)self.offset;
}

// ring_enter hands over what was written and returns when that many completions are there, or after 100 ms.
static inline void ring_enter(struct ring *r, unsigned completions)
{
	struct __kernel_timespec patience = {.tv_nsec = 100000000};
	struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&patience};
	unsigned n = r->tail - atomic_load_explicit(r->sq_head, memory_order_acquire);
	atomic_store_explicit(r->sq_tail, r->tail, memory_order_release);
	long got = syscall(SYS_io_uring_enter, r->fd, n, completions,
		IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING, &arg, sizeof arg);
	if (got < 0 && errno != ETIME && errno != EINTR) die("io_uring_enter");
}

// ring_next is the oldest completion that was not taken, or NULL. It is valid until ring_taken.
static inline struct io_uring_cqe *ring_next(const struct ring *r)
{
	unsigned head = atomic_load_explicit(r->cq_head, memory_order_relaxed);
	if (head == atomic_load_explicit(r->cq_tail, memory_order_acquire)) return NULL;
	return &r->cqe[head & r->cq_mask];
}

static inline void ring_taken(struct ring *r)
{
	atomic_store_explicit(r->cq_head, atomic_load_explicit(r->cq_head, memory_order_relaxed) + 1, memory_order_release);
}

// ring_slot is the next submission, empty but for what every one has.
static inline struct io_uring_sqe *ring_slot(struct ring *r, uint8_t op, int fd, uint8_t flags)
{
	if (r->tail - atomic_load_explicit(r->sq_head, memory_order_acquire) == r->entries) ring_enter(r, 0);
	struct io_uring_sqe *s = &r->sqe[r->tail++ & r->sq_mask];
	*s = (struct io_uring_sqe){.opcode = op, .fd = fd, .flags = flags, .user_data = op};
	return s;
}

// What follows are the calls; slot is a direct descriptor.

static inline void ring_socket(struct ring *r, unsigned slot, uint8_t flags)
{
	struct io_uring_sqe *s = ring_slot(r, IORING_OP_SOCKET, AF_INET, flags);
	s->off = SOCK_STREAM;
	s->file_index = slot + 1;
}

static inline void ring_connect(struct ring *r, unsigned slot, const struct sockaddr_in *to, uint8_t flags)
{
	struct io_uring_sqe *s = ring_slot(r, IORING_OP_CONNECT, (int)slot, flags | IOSQE_FIXED_FILE);
	s->addr = (uint64_t)(uintptr_t)to;
	s->off = sizeof *to;
}

static inline void ring_accept(struct ring *r, int listener, unsigned slot, uint8_t flags)
{
	ring_slot(r, IORING_OP_ACCEPT, listener, flags)->file_index = slot + 1;
}

// ring_accept_all accepts again and again; each completion has the direct descriptor that the kernel chose.
static inline void ring_accept_all(struct ring *r, int listener)
{
	struct io_uring_sqe *s = ring_slot(r, IORING_OP_ACCEPT, listener, 0);
	s->ioprio = IORING_ACCEPT_MULTISHOT;
	s->file_index = IORING_FILE_INDEX_ALLOC;
}

// ring_reset makes the socket's close send RST. The fields of struct io_uring_sqe have names for it only since Linux 6.7.
static inline void ring_reset(struct ring *r, unsigned slot, uint8_t flags)
{
	struct io_uring_sqe *s = ring_slot(r, URING_CMD, (int)slot, flags | IOSQE_FIXED_FILE);
	const uint32_t level_and_name[2] = {SOL_SOCKET, SO_LINGER};
	s->off = SOCKET_URING_SETSOCKOPT;
	memcpy(&s->addr, level_and_name, sizeof s->addr);
	s->file_index = sizeof reset;              // optlen
	s->addr3 = (uint64_t)(uintptr_t)&reset; // optval
}

static inline void ring_close(struct ring *r, unsigned slot, uint8_t flags)
{
	ring_slot(r, IORING_OP_CLOSE, 0, flags)->file_index = slot + 1;
}

#endif
#endif
