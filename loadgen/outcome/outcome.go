// Package outcome says what the result of a system call means for an attempt:
// outcome = f(call, errno, who chose the source port).
//
// It is pure. Counting outcomes is package record's job; what to tell a person
// about them is package reports'.
package outcome

import "syscall"

// Code is what came of one attempt to connect. Its words are those of the
// result file.
type Code uint8

// The outcomes, in the order of the result file.
const (
	OK          Code = iota // connected
	NoPort                  // no source port is left
	PortBusy                // the source port that we chose is taken
	TupleBusy               // the 4-tuple that we chose is taken
	Refused                 // the target answered with RST
	Reset                   // reset while connecting
	TimedOut                // no answer within the attempt's timeout
	NATNoPort               // a source-NAT gateway had no port left
	NoFD                    // the descriptor table is full
	NoMemory                // the kernel has no memory for it
	Unreachable             // no route
	Denied                  // a local firewall or policy forbids it
	Canceled                // the run ended before the answer
	Other                   // anything else
	Count                   // number of outcomes; not one itself
)

var names = [Count]string{
	"ok", "no_port", "port_busy", "tuple_busy", "refused", "reset", "timed_out",
	"nat_no_port", "no_fd", "no_memory", "unreachable", "denied", "canceled", "other",
}

// String returns the word of the result file.
func (c Code) String() string {
	if c < Count {
		return names[c]
	}
	return "invalid"
}

// Taken says whether an attempt came to nothing because what was chosen, or all
// there was to choose from, is taken already.
func (c Code) Taken() bool { return c == NoPort || c == PortBusy || c == TupleBusy }

// Call is the system call that decided.
type Call uint8

// The calls whose failure decides an attempt.
const (
	Socket Call = iota
	Bind
	Connect
	Accept
)

// Chooser says who chose the source port.
type Chooser uint8

// A source port is chosen by the kernel or by us.
const (
	Kernel Chooser = iota
	Us
)

// Of translates the error number of a call; 0 is success. The table is
// measured: see docs/method.md.
//
// bind with EADDRNOTAVAIL (the source is not on this host) is wrong usage and
// is found before a run; here it counts as Other.
func Of(call Call, errno syscall.Errno, by Chooser) Code {
	switch errno {
	case 0:
		return OK
	case syscall.EMFILE, syscall.ENFILE:
		return NoFD
	case syscall.ENOBUFS, syscall.ENOMEM:
		return NoMemory
	case syscall.ECANCELED:
		return Canceled
	case syscall.EPERM, syscall.EACCES:
		return Denied
	}
	switch call {
	case Bind:
		switch {
		case errno == syscall.EADDRINUSE && by == Us:
			return PortBusy
		case errno == syscall.EADDRINUSE:
			return NoPort
		}
	case Connect:
		return ofConnect(errno, by)
	}
	return Other
}

func ofConnect(errno syscall.Errno, by Chooser) Code {
	switch errno {
	case syscall.EADDRNOTAVAIL:
		if by == Us {
			return TupleBusy
		}
		return NoPort
	case syscall.EAGAIN: // UDP: udp_lib_get_port found none
		return NoPort
	case syscall.ECONNREFUSED:
		return Refused
	case syscall.ECONNRESET:
		return Reset
	case syscall.ETIMEDOUT:
		return TimedOut
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH:
		return Unreachable
	}
	return Other
}
