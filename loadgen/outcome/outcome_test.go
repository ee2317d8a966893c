package outcome

import (
	"syscall"
	"testing"
	"testing/quick"
)

// The table of docs/method.md, row by row.
func TestOf(t *testing.T) {
	for _, c := range []struct {
		name  string
		call  Call
		errno syscall.Errno
		by    Chooser
		want  Code
	}{
		{"connected", Connect, 0, Kernel, OK},
		{"connected from our port", Connect, 0, Us, OK},

		{"connect finds no port", Connect, syscall.EADDRNOTAVAIL, Kernel, NoPort},
		{"connect from our port: the tuple is taken", Connect, syscall.EADDRNOTAVAIL, Us, TupleBusy},
		{"bind to port 0 finds no port", Bind, syscall.EADDRINUSE, Kernel, NoPort},
		{"bind to our port: it is taken", Bind, syscall.EADDRINUSE, Us, PortBusy},
		{"UDP connect finds no port", Connect, syscall.EAGAIN, Kernel, NoPort},
		{"UDP bind to port 0 finds no port", Bind, syscall.EADDRINUSE, Kernel, NoPort},

		{"socket: the table is full", Socket, syscall.EMFILE, Kernel, NoFD},
		{"socket: the system's table is full", Socket, syscall.ENFILE, Kernel, NoFD},
		{"accept: the table is full", Accept, syscall.EMFILE, Kernel, NoFD},
		{"accept: the system's table is full", Accept, syscall.ENFILE, Kernel, NoFD},

		{"socket: no buffers", Socket, syscall.ENOBUFS, Kernel, NoMemory},
		{"connect: no buffers", Connect, syscall.ENOBUFS, Us, NoMemory},
		{"bind: no memory", Bind, syscall.ENOMEM, Us, NoMemory},
		{"accept: no memory", Accept, syscall.ENOMEM, Kernel, NoMemory},

		{"refused", Connect, syscall.ECONNREFUSED, Kernel, Refused},
		{"reset", Connect, syscall.ECONNRESET, Kernel, Reset},
		{"timed out", Connect, syscall.ETIMEDOUT, Kernel, TimedOut},
		{"a local firewall drops it", Connect, syscall.EPERM, Kernel, Denied},
		{"a policy forbids it", Connect, syscall.EACCES, Kernel, Denied},
		{"no route to the network", Connect, syscall.ENETUNREACH, Kernel, Unreachable},
		{"no route to the host", Connect, syscall.EHOSTUNREACH, Us, Unreachable},

		{"the source is not on this host", Bind, syscall.EADDRNOTAVAIL, Us, Other},
		{"the run ended", Connect, syscall.ECANCELED, Kernel, Canceled},

		// The same numbers from other calls mean other things.
		{"socket with connect's error", Socket, syscall.EADDRNOTAVAIL, Kernel, Other},
		{"accept with bind's error", Accept, syscall.EADDRINUSE, Kernel, Other},
		{"connect with bind's error", Connect, syscall.EADDRINUSE, Kernel, Other},
		{"bind with connect's error", Bind, syscall.ECONNREFUSED, Kernel, Other},
		{"accept: the queue is empty", Accept, syscall.EAGAIN, Kernel, Other},
		{"unheard of", Connect, syscall.EXDEV, Kernel, Other},
	} {
		if got := Of(c.call, c.errno, c.by); got != c.want {
			t.Errorf("%s: Of(%d, %v, %d) = %v, want %v", c.name, c.call, c.errno, c.by, got, c.want)
		}
	}
}

// Success alone is OK, and every answer is an outcome that can be counted.
func TestOfAnswersEveryErrno(t *testing.T) {
	f := func(call, by uint8, errno uint16) bool {
		got := Of(Call(call%4), syscall.Errno(errno), Chooser(by%2))
		return got < Count && (got == OK) == (errno == 0)
	}
	if err := quick.Check(f, nil); err != nil {
		t.Error(err)
	}
	for errno := range syscall.Errno(256) {
		for call := Socket; call <= Accept; call++ {
			if !f(uint8(call), uint8(Kernel), uint16(errno)) || !f(uint8(call), uint8(Us), uint16(errno)) {
				t.Errorf("Of(%d, %v): out of bounds, or a failure that is ok", call, errno)
			}
		}
	}
}

func TestNames(t *testing.T) {
	want := []string{
		"ok", "no_port", "port_busy", "tuple_busy", "refused", "reset", "timed_out", "nat_no_port",
		"no_fd", "no_memory", "unreachable", "denied", "canceled", "other",
	}
	if int(Count) != len(want) {
		t.Fatalf("%d outcomes, want %d", Count, len(want))
	}
	for i, name := range want {
		if got := Code(i).String(); got != name {
			t.Errorf("outcome %d is called %s, want %s", i, got, name)
		}
	}
	if got := Count.String(); got != "invalid" {
		t.Errorf("Count is called %s", got)
	}
}

func TestTaken(t *testing.T) {
	taken := map[Code]bool{NoPort: true, PortBusy: true, TupleBusy: true}
	for c := range Count {
		if c.Taken() != taken[c] {
			t.Errorf("%v: taken is %v", c, c.Taken())
		}
	}
}

func TestOfDoesNotAllocate(t *testing.T) {
	var got Code
	if n := testing.AllocsPerRun(100, func() { got = Of(Connect, syscall.EADDRNOTAVAIL, Kernel) }); n != 0 {
		t.Errorf("%v allocations for %v", n, got)
	}
}
