package server

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// send writes all of the data.
func send(t testing.TB, fd int, data string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(data)); err != nil || n != len(data) {
		t.Fatalf("write %q: %d, %v", data, n, err)
	}
}

// expectAnswers reads as many answers. One more would be found here if it is
// there already, and else by the next that reads.
func expectAnswers(t testing.TB, fd, want int) {
	t.Helper()
	var got []byte
	buf := make([]byte, 4096)
	for start := time.Now(); len(got) < want && time.Since(start) < patience; {
		n, errno := kernel.Read(fd, buf)
		switch {
		case errno == syscall.EAGAIN:
			kernel.Sleep(50 * time.Microsecond)
			continue
		case errno != 0 || n == 0:
			t.Fatalf("%d answers, then %v", len(got), errno)
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, bytes.Repeat([]byte{1}, want)) {
		t.Fatalf("answers %q, want %d", got, want)
	}
}

func TestRequestsAreAnswered(t *testing.T) {
	for _, mode := range closeModes {
		t.Run(mode.name, func(t *testing.T) {
			l := listenApart(t, Config{ServerFirst: mode.serverFirst, RST: mode.rst, Keep: true})
			fd := dial(t, l.Addrs()[0])
			for range 3 { // one at a time
				send(t, fd, "\x01")
				expectAnswers(t, fd, 1)
			}
			send(t, fd, "x\x01\xff\x01\x02") // several at once, other bytes between
			expectAnswers(t, fd, 2)
			if s := l.Stats(); s.Requests != 5 || *s.Closed != 0 {
				t.Errorf("%+v, want 5 requests on an open connection", s)
			}
			send(t, fd, "\x01\x00") // a last one, and the wish for a close
			expectAnswers(t, fd, 1)
			if mode.serverFirst {
				if got := finish(t, fd); got != mode.clientSees {
					t.Errorf("the close is seen as %v, want %v", got, mode.clientSees)
				}
			} else { // who does not close first is not asked to
				send(t, fd, "\x01")
				expectAnswers(t, fd, 1)
			}
			_ = kernel.CloseFD(fd)
			waitStats(t, l, "the close", func(s result.Server) bool { return *s.Closed == 1 })
		})
	}
}

// clog writes until nothing more fits into the socket.
func clog(fd int) {
	data := make([]byte, 64*1024)
	for err := error(nil); err == nil; {
		_, err = unix.Write(fd, data)
	}
}

// A client that never reads is reset once its answers fit nowhere: the listener
// keeps none for it. What the kernel sends on meanwhile makes room again, so
// that it is clogged before every request.
func TestWhoDoesNotReadIsReset(t *testing.T) {
	l := listenApart(t, Config{})
	fd, next := dial(t, l.Addrs()[0]), dial(t, l.Addrs()[0])
	waitStats(t, l, "both", func(s result.Server) bool { return s.Accepted == 2 })
	send(t, next, "\x01")
	expectAnswers(t, next, 1)
	for start := time.Now(); *l.Stats().Closed == 0 && time.Since(start) < patience; {
		l.tell(func(w *worker) {
			for conn := range w.held.all() {
				clog(conn)
			}
		})
		_ = kernel.WriteByte(fd, byteRequest) // fails when it is reset
		l.tell(func(*worker) {})
	}
	if got := finish(t, fd); got != syscall.ECONNRESET {
		t.Errorf("the close is seen as %v, want ECONNRESET", got)
	}
	if s := l.Stats(); *s.Closed != 1 {
		t.Errorf("%+v, want the other one open", s)
	}
	_, _ = kernel.CloseFD(fd), kernel.CloseFD(next)
}

func TestTogetherAnswers(t *testing.T) {
	l := listenOnly(t, Config{Together: true})
	end := l.NewEnd(0)
	client := dial(t, l.Addrs()[0])
	conn, _ := acceptOne(t, end)
	if errno := end.Answer(conn); errno != syscall.EAGAIN {
		t.Errorf("answer before a request: %v, want EAGAIN", errno)
	}
	send(t, client, "\x01\x00\x01x")
	if errno := end.Answer(conn); errno != 0 {
		t.Errorf("answer: %v", errno)
	}
	expectAnswers(t, client, 2)
	if s := l.Stats(); s.Requests != 2 {
		t.Errorf("%+v, want 2 requests", s)
	}
	buf := make([]byte, 1)
	if allocs := testing.AllocsPerRun(200, func() {
		_ = kernel.WriteByte(client, byteRequest)
		_ = end.Answer(conn)
		_, _ = kernel.Read(client, buf)
	}); allocs != 0 {
		t.Errorf("%.1f allocations a request, want none", allocs)
	}
	if s := l.Stats(); s.Requests != 203 {
		t.Errorf("%+v: the loop did not answer", s)
	}
	_ = kernel.CloseFD(client)
	if errno := end.Answer(conn); errno != syscall.EPIPE {
		t.Errorf("answer after the client's close: %v, want EPIPE", errno)
	}
	end.Shut(conn, false)
}

// Between two sockets of this host's own family nothing is under way: what is
// clogged stays so.
func TestTogetherWhoDoesNotRead(t *testing.T) {
	end := listenOnly(t, Config{Together: true}).NewEnd(0)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(pair[:])
	clog(pair[0])
	send(t, pair[1], "\x01")
	if errno := end.Answer(pair[0]); errno != syscall.ENOBUFS {
		t.Errorf("an answer that fits nowhere: %v, want ENOBUFS", errno)
	}
}
