package uring_test

import (
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/kernel/uring"
)

// listen opens a listener on loopback, in the test's own namespace or not: it is
// the only one that connects to it.
func listen(t testing.TB, blocking bool) (fd int, addr *unix.RawSockaddrInet4) {
	t.Helper()
	kind := unix.SOCK_STREAM | unix.SOCK_CLOEXEC
	if !blocking {
		kind |= unix.SOCK_NONBLOCK
	}
	fd, err := unix.Socket(unix.AF_INET, kind, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 128); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*unix.SockaddrInet4).Port
	return fd, &unix.RawSockaddrInet4{Family: unix.AF_INET, Port: uint16(port>>8 | port<<8), Addr: [4]byte{127, 0, 0, 1}}
}

func newRing(t testing.TB) *uring.Ring {
	t.Helper()
	nstest.NeedRing(t, uring.ProbeBind())
	runtime.LockOSThread()
	r, err := uring.New(256, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); runtime.UnlockOSThread() })
	return r
}

// wait takes completions until want of them are there.
func wait(t testing.TB, r *uring.Ring, want int) (got []uring.Completion) {
	t.Helper()
	for range 100 {
		if errno := r.Submit(want-len(got), 100*time.Millisecond); errno != 0 {
			t.Fatal(errno)
		}
		var c uring.Completion
		for r.Next(&c) {
			got = append(got, c)
		}
		if len(got) >= want {
			return got
		}
	}
	t.Fatalf("%d completions, want %d: %+v", len(got), want, got)
	return nil
}

const size = uint32(unsafe.Sizeof(unix.RawSockaddrInet4{}))

// A whole connection, both ends, is one chain with one completion.
func TestChain(t *testing.T) {
	listener, addr := listen(t, true)
	r := newRing(t)
	for i := range uint64(1000) {
		r.Socket(unix.AF_INET, 0, uring.ThenNext, i)
		r.Connect(0, unsafe.Pointer(addr), size, uring.ThenNext, i)
		r.Accept(listener, 1, nil, nil, uring.ThenNext, i)
		r.CloseFile(1, uring.ThenNext, i)
		r.SetReset(0, uring.ThenNext, i)
		r.CloseFile(0, uring.Alone, i)
		got := wait(t, r, 1)
		if len(got) != 1 || got[0].Tag != i || got[0].Res != 0 {
			t.Fatalf("chain %d: %+v", i, got)
		}
	}
}

// A link that fails completes with its error number, and what follows is
// canceled without a word.
func TestBrokenChain(t *testing.T) {
	listener, addr := listen(t, true)
	_ = unix.Close(listener) // nobody listens any more
	r := newRing(t)
	r.Socket(unix.AF_INET, 0, uring.ThenNext, 1)
	r.Connect(0, unsafe.Pointer(addr), size, uring.ThenNext, 2)
	r.CloseFile(0, uring.Alone, 3)
	if got := wait(t, r, 1); got[0].Tag != 2 || got[0].Errno() != syscall.ECONNREFUSED {
		t.Errorf("%+v", got)
	}
	r.CloseFile(0, uring.Alone, 4) // the socket is still there, and nothing else completes
	if got := wait(t, r, 1); len(got) != 1 || got[0].Tag != 4 || got[0].Errno() != 0 {
		t.Errorf("%+v", got)
	}
}

// One submission accepts many.
func TestAcceptAll(t *testing.T) {
	listener, addr := listen(t, true)
	r := newRing(t)
	r.AcceptAll(listener, 7)
	for i := range uint32(10) {
		r.Socket(unix.AF_INET, 32+i, uring.ThenNext, 1)
		r.Connect(32+i, unsafe.Pointer(addr), size, uring.SilentGood, 1)
	}
	seen := map[int32]bool{}
	for _, c := range wait(t, r, 10) {
		if c.Tag != 7 || c.Res < 0 || !c.More() {
			t.Errorf("%+v", c)
		}
		seen[c.Res] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d direct descriptors for 10 connections: %v", len(seen), seen)
	}
}

// Submit returns when the time is over, although nothing has completed.
func TestTimeout(t *testing.T) {
	listener, _ := listen(t, true)
	r := newRing(t)
	r.Accept(listener, 0, nil, nil, uring.Alone, 1)
	if errno := r.Submit(1, 10*time.Millisecond); errno != 0 {
		t.Fatal(errno)
	}
	var c uring.Completion
	if r.Next(&c) {
		t.Errorf("nobody connected, and there is %+v", c)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	listener, addr := listen(t, true)
	r := newRing(t)
	var c uring.Completion
	if n := testing.AllocsPerRun(100, func() {
		r.Socket(unix.AF_INET, 0, uring.ThenNext, 1)
		r.Connect(0, unsafe.Pointer(addr), size, uring.ThenNext, 1)
		r.Accept(listener, 1, nil, nil, uring.ThenNext, 1)
		r.CloseFile(1, uring.ThenNext, 1)
		r.CloseFile(0, uring.Alone, 1)
		for ok := false; !ok; ok = r.Next(&c) {
			_ = r.Submit(1, time.Second)
		}
	}); n != 0 {
		t.Errorf("%v allocations a connection", n)
	}
}

func BenchmarkChain(b *testing.B) {
	listener, addr := listen(b, true)
	r := newRing(b)
	var c uring.Completion
	const inFlight = 16
	b.ResetTimer()
	for n := 0; n < b.N; n += inFlight {
		for i := range uint32(inFlight) {
			r.Socket(unix.AF_INET, i, uring.ThenNext, 1)
			r.Connect(i, unsafe.Pointer(addr), size, uring.ThenNext, 1)
			r.Accept(listener, inFlight+i, nil, nil, uring.ThenNext, 1)
			r.CloseFile(inFlight+i, uring.ThenNext, 1)
			r.SetReset(i, uring.ThenNext, 1)
			r.CloseFile(i, uring.Alone, 1)
		}
		for done := 0; done < inFlight; {
			_ = r.Submit(inFlight-done, time.Second)
			for r.Next(&c) {
				done++
			}
		}
	}
}

// What waits is ended by its tag; where nothing waits, Cancel says so.
func TestCancel(t *testing.T) {
	listener, _ := listen(t, false)
	r := newRing(t)
	r.Accept(listener, 0, nil, nil, uring.Alone, 1)
	r.Cancel(1, 2)
	if got := wait(t, r, 1); len(got) != 1 || got[0].Tag != 1 || got[0].Errno() != syscall.ECANCELED {
		t.Errorf("%+v", got)
	}
	r.Cancel(1, 3)
	if got := wait(t, r, 1); len(got) != 1 || got[0].Tag != 3 || got[0].Errno() != syscall.ENOENT {
		t.Errorf("%+v", got)
	}
}

// A chain binds, asks for a window, says a byte, and waits for the peer's close.
// The peer's address is that of the window.
func TestOptionsAndClose(t *testing.T) {
	listener, addr := listen(t, false)
	r := newRing(t)
	source := &unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.Addr}
	window, said := &uring.PortRange{Low: 45000, High: 45000}, new(byte)
	r.Socket(unix.AF_INET, 0, uring.ThenNext, 1)
	r.SetPortRange(0, window, uring.ThenNext, 2)
	r.SetBindNoPort(0, uring.ThenNext, 3)
	r.Bind(0, unsafe.Pointer(source), size, uring.ThenNext, 4)
	r.Connect(0, unsafe.Pointer(addr), size, uring.ThenNext, 5)
	r.Send(0, said, uring.ThenNext, 6)
	r.Readable(0, uring.ThenNext, 7)
	r.CloseFile(0, uring.Alone, 8)
	peer, room := &unix.RawSockaddrInet4{}, size
	r.Accept(listener, 1, unsafe.Pointer(peer), &room, uring.Alone, 9)
	if got := wait(t, r, 1); len(got) != 1 || got[0].Tag != 9 || got[0].Errno() != 0 {
		t.Fatalf("%+v", got)
	}
	if port := peer.Port>>8 | peer.Port<<8; port != 45000 || peer.Addr != addr.Addr || room != size {
		t.Errorf("from %v:%d, %d bytes", peer.Addr, port, room)
	}
	r.Readable(1, uring.ThenNext, 10) // the byte
	r.SetReset(1, uring.ThenNext, 11)
	r.CloseFile(1, uring.SilentGood, 12)
	if got := wait(t, r, 1); len(got) != 1 || got[0].Tag != 8 || got[0].Errno() != 0 {
		t.Errorf("%+v", got)
	}
}
