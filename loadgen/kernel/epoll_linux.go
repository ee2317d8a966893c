package kernel

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a thread waits with. Unlike the socket calls these may sleep, so they
// tell the Go scheduler: otherwise a waiting thread would hold its processor
// and stop the garbage collector.

// Event is a descriptor that became ready.
type Event struct{ raw unix.EpollEvent }

// Tag returns what EpollAdd was given for the descriptor.
func (e *Event) Tag() uint64 { return uint64(uint32(e.raw.Pad))<<32 | uint64(uint32(e.raw.Fd)) }

// NewEpoll opens an epoll instance (epoll(7)).
func NewEpoll() (fd int, errno syscall.Errno) {
	r, _, e := syscall.RawSyscall(unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC, 0, 0)
	return int(r), e
}

// EpollAdd watches fd for the events (EPOLLIN and its like; EPOLLERR and
// EPOLLHUP are always watched) and reports it as tag. ENOSPC says that
// fs.epoll.max_user_watches is reached.
func EpollAdd(epoll, fd int, events uint32, tag uint64) syscall.Errno {
	e := unix.EpollEvent{Events: events, Fd: int32(uint32(tag)), Pad: int32(uint32(tag >> 32))}
	return epollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &e)
}

// EpollRemove stops watching fd. A descriptor that is closed for good needs
// none; one whose file stays open in another table does.
func EpollRemove(epoll, fd int) syscall.Errno {
	return epollCtl(epoll, unix.EPOLL_CTL_DEL, fd, &unix.EpollEvent{})
}

func epollCtl(epoll, op, fd int, event *unix.EpollEvent) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(event)), 0, 0)
	return e
}

// EpollWait waits until a watched descriptor is ready, or for the timeout,
// which is rounded down to milliseconds: 0 only asks, below 0 is for ever.
// It fills events, which must not be empty, and returns how many it filled;
// EINTR is reported as none.
func EpollWait(epoll int, events []Event, timeout time.Duration) (n int, errno syscall.Errno) {
	ms := -1
	if timeout >= 0 {
		ms = int(timeout.Milliseconds())
	}
	r, _, e := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), uintptr(ms), 0, 0)
	switch e {
	case 0:
		return int(r), 0
	case syscall.EINTR:
		return 0, 0
	}
	return 0, e
}

// NewWaker opens an eventfd (eventfd(2)) for Wake. Watched with EPOLLIN|EPOLLET
// it wakes every epoll instance that watches it once for each Wake, and nobody
// has to read it.
func NewWaker() (fd int, errno syscall.Errno) {
	r, _, e := syscall.RawSyscall(unix.SYS_EVENTFD2, 0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC, 0)
	return int(r), e
}

// Wake wakes what waits for the waker.
func Wake(fd int) syscall.Errno {
	one := uint64(1)
	_, _, e := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
	return e
}

// longestNap is the longest sleep that the Go scheduler is not told of.
const longestNap = time.Millisecond

// Sleep stops the calling thread for d, or until a signal comes. time.Sleep
// would park the goroutine instead, and a goroutine that is locked to its
// thread costs two thread switches more to wake.
//
// A sleep of at most a millisecond keeps its place in the Go scheduler. Told of
// a thread that naps again and again, the runtime's monitor looks every 20 µs
// whether to take that place away (sysmon in runtime/proc.go): more wake-ups than
// there are naps. The garbage collector does not wait for a nap: the signal by
// which the runtime preempts ends it.
func Sleep(d time.Duration) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	// EINTR: the caller looks again early.
	if d <= longestNap {
		_, _, _ = syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
	} else {
		_, _, _ = syscall.Syscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
}

// StopListening ends listening in every descriptor table that holds the
// listener, which closing the descriptor in one table does not. Connections
// that were not accepted are reset; the port stays bound until the last copy is
// closed (inet_shutdown in net/ipv4/af_inet.c).
func StopListening(fd int) syscall.Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_RD, 0)
	return e
}
