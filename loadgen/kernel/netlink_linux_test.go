package kernel_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// What parse says ends the answer, and an interruption anywhere in it is told.
func TestAskNetlink(t *testing.T) {
	request := make([]byte, unix.SizeofNlMsghdr) // of no kind: the kernel acknowledges it
	request[0], request[6] = unix.SizeofNlMsghdr, unix.NLM_F_REQUEST|unix.NLM_F_ACK
	broken := errors.New("broken")
	for _, fails := range []error{nil, broken} {
		asked := 0
		cut, err := kernel.AskNetlink(unix.NETLINK_ROUTE, request, func(b []byte) (bool, bool, error) {
			asked++
			if len(b) < unix.SizeofNlMsghdr {
				t.Errorf("a datagram of %d bytes", len(b))
			}
			return true, true, fails
		})
		if !cut || !errors.Is(err, fails) || asked != 1 {
			t.Errorf("interrupted %v, %v after %d datagrams, want %v after 1", cut, err, asked, fails)
		}
	}
	if _, err := kernel.AskNetlink(-1, request, nil); !errors.Is(err, unix.EPROTONOSUPPORT) {
		t.Errorf("a protocol that is none: %v", err)
	}
}
