package loadgen

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
)

// handshakes notes, on the listener's host, the source ports whose SYN has come
// and was answered, and whose client has not answered that: sockets in SYN_RECV.
// They are the proof that a port that stays silent is dropped on the way back,
// and not on the way out.
//
// Such a socket lives for as long as the kernel sends its SYN-ACK again
// (tcp_synack_retries), a second at least; it is looked for more often.
type handshakes struct {
	hosts  *Hosts
	source netip.Addr
	target netip.AddrPort
	seen   map[uint16]bool
	far    bool // the listener's host is another machine, where nothing is seen
	before kernel.Counters
	end    chan struct{} // closed to end the looking
	ended  chan struct{}
}

// Looking takes at most a twentieth of a processor.
const (
	lookEvery = 200 * time.Millisecond
	lookShare = 20
)

// watchHandshakes begins to look.
func (r *run) watchHandshakes(source netip.Addr) (*handshakes, error) {
	h := &handshakes{
		hosts: &r.cfg.Hosts, source: kernel.PlainAddr(source), target: kernel.PlainAddrPort(r.cfg.Targets[0]), seen: make(map[uint16]bool),
		end: make(chan struct{}), ended: make(chan struct{}),
	}
	if h.far = r.far(); h.far {
		return h, nil
	}
	var err error
	if h.before, err = h.counters(); err != nil {
		return nil, err
	}
	go h.watch()
	return h, nil
}

func (h *handshakes) watch() {
	defer close(h.ended)
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for {
		select {
		case <-h.end:
			return
		case began := <-timer.C:
			_ = h.look() // what it has missed the next look finds, or the last one, whose error counts
			timer.Reset(max(lookEvery, lookShare*time.Since(began)))
		}
	}
}

// look lists the sockets once.
func (h *handshakes) look() error {
	return h.hosts.inServer(func() error {
		return diag.TCP(familyOf(h.target), diag.Of(diag.SynRecv, diag.NewSynRecv), func(s *diag.Socket) {
			if kernel.PlainAddrPort(s.Local) == h.target && kernel.PlainAddrPort(s.Remote).Addr() == h.source {
				h.seen[s.Remote.Port()] = true
			}
		})
	})
}

// stop ends the looking and returns the ports that were seen. unsure says why
// others may have been there too; "" says that there were none.
func (h *handshakes) stop() (seen map[uint16]bool, unsure string) {
	if h.far {
		return h.seen, "the server is on another machine, and which SYNs have come there is not known"
	}
	close(h.end)
	<-h.ended
	const tries = 5
	err := h.look()
	for n := 1; errors.Is(err, diag.ErrInterrupted) && n < tries; n++ {
		err = h.look()
	}
	if err != nil {
		return h.seen, fmt.Sprintf("the sockets of the listener's host could not be listed: %v", err)
	}
	return h.seen, h.unanswered()
}

// unanswered says what the listener's host did with SYNs beside making a socket
// in SYN_RECV.
func (h *handshakes) unanswered() string {
	after, err := h.counters()
	if err != nil {
		return err.Error()
	}
	counted := after.Since(h.before)
	for _, name := range []string{"SyncookiesSent", "TCPReqQFullDrop", "ListenOverflows"} {
		if n := counted[name]; n > 0 {
			return fmt.Sprintf("the listener's queue was full: %s counted %d", name, n)
		}
	}
	return ""
}

func (h *handshakes) counters() (c kernel.Counters, err error) {
	err = h.hosts.inServer(func() error {
		c, err = kernel.ReadCounters()
		return err
	})
	return c, err
}

// listening says whether a socket listens on the target, on the target's host;
// nil if that is not known. A server elsewhere has answered there, and consents for
// as long as it goes on.
func (r *run) listening() *bool {
	target, found := kernel.PlainAddrPort(r.cfg.Targets[0]), false
	if r.far() {
		if found = r.gone() == nil; found {
			return &found
		}
		return nil
	}
	err := r.cfg.Hosts.inServer(func() error {
		return diag.TCP(familyOf(target), diag.Of(diag.Listen), func(s *diag.Socket) {
			at := kernel.PlainAddrPort(s.Local)
			found = found || at.Port() == target.Port() && (at.Addr() == target.Addr() || at.Addr().IsUnspecified())
		})
	})
	if err == nil || found && errors.Is(err, diag.ErrInterrupted) {
		return &found
	}
	return nil
}

func familyOf(a netip.AddrPort) uint8 {
	if a.Addr().Unmap().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
