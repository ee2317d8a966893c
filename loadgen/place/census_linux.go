package place

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
)

// Census is all sockets of a protocol on the host at one moment.
type Census struct {
	udp     bool
	sockets []diag.Socket
}

// TakeCensus lists the host's TCP or UDP sockets.
func TakeCensus(udp bool) (*Census, error) {
	list := diag.TCP
	if udp {
		list = diag.UDP
	}
	c := &Census{udp: udp}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := list(family, diag.All, func(s *diag.Socket) { c.sockets = append(c.sockets, *s) })
		if family == unix.AF_INET6 && errors.Is(err, unix.ENOENT) {
			continue // a kernel without IPv6
		}
		if err != nil && !errors.Is(err, diag.ErrInterrupted) { // on a busy host a table changes all the time
			return nil, fmt.Errorf("sockets of the host: %w", err)
		}
	}
	return c, nil
}

// Taken returns the local ports that some socket has, in whatever state and on
// whatever address.
func (c *Census) Taken() ports.Ranges {
	return c.taken(func(*diag.Socket) bool { return true })
}

// TakenAfterWait is Taken without what Waiting counts: the ports that are still taken
// when that is over.
func (c *Census) TakenAfterWait(on ports.Ranges, toward []netip.AddrPort) ports.Ranges {
	waits := waiting(on, toward)
	return c.taken(func(s *diag.Socket) bool { return !waits(s) })
}

// taken returns the local ports of the sockets that count.
func (c *Census) taken(counts func(*diag.Socket) bool) ports.Ranges {
	var list []ports.Range
	for i := range c.sockets {
		if s := &c.sockets[i]; counts(s) {
			list = append(list, ports.Range{Low: s.Local.Port(), High: s.Local.Port()})
		}
	}
	return ports.Of(list...)
}

// Serves says whether somebody answers at the address already: who listens there,
// or over UDP has a socket there.
func (c *Census) Serves(at netip.AddrPort) bool {
	return slices.ContainsFunc(c.sockets, func(s diag.Socket) bool {
		open := s.State == diag.Listen || c.udp && s.Remote.Port() == 0
		return open && s.Local.Port() == at.Port() && s.Holds(at.Addr())
	})
}

// Waiting is what earlier connections have left behind.
type Waiting struct {
	Sockets int64         // in TIME_WAIT
	Left    time.Duration // until the last of them ends, but for the grain of the kernel's timer
}

// Waiting counts the sockets in TIME_WAIT on the ports, toward the targets alone if
// there are any.
func (c *Census) Waiting(on ports.Ranges, toward []netip.AddrPort) (w Waiting) {
	waits := waiting(on, toward)
	for i := range c.sockets {
		if s := &c.sockets[i]; waits(s) {
			w.Sockets++
			w.Left = max(w.Left, s.Left)
		}
	}
	return w
}

// waiting returns what says whether a socket is one that Waiting counts.
func waiting(on ports.Ranges, toward []netip.AddrPort) func(*diag.Socket) bool {
	plain := make(map[netip.AddrPort]bool, len(toward))
	for _, t := range toward {
		plain[kernel.PlainAddrPort(t)] = true
	}
	return func(s *diag.Socket) bool {
		return s.State == diag.TimeWait && on.Contains(s.Local.Port()) && (len(toward) == 0 || plain[kernel.PlainAddrPort(s.Remote)])
	}
}

// Holder is who has ports.
type Holder struct {
	Who   string // NAME[PID] of a process; or what is known instead
	Ports ports.Ranges
}

// Holders says who has which of the ports, the one with the most first: by process,
// where this user may see whose a socket is.
func (c *Census) Holders(on ports.Ranges) []Holder {
	var owners map[uint32]kernel.Process
	if proc, ok := os.DirFS("/proc").(fs.ReadLinkFS); ok {
		owners = kernel.SocketOwners(proc)
	}
	by := make(map[string][]ports.Range)
	for _, s := range c.sockets {
		port := s.Local.Port()
		if !on.Contains(port) {
			continue
		}
		who := holder(&s, owners)
		by[who] = append(by[who], ports.Range{Low: port, High: port})
	}
	list := make([]Holder, 0, len(by))
	for who, held := range by {
		list = append(list, Holder{who, ports.Of(held...)})
	}
	slices.SortFunc(list, func(a, b Holder) int {
		return cmp.Or(b.Ports.Size()-a.Ports.Size(), strings.Compare(a.Who, b.Who))
	})
	return list
}

// holder names who has a socket.
func holder(s *diag.Socket, owners map[uint32]kernel.Process) string {
	if p, ok := owners[s.Inode]; ok && s.Inode != 0 {
		return p.String()
	}
	if s.Inode == 0 { // no descriptor: the kernel's own, until the connection is over
		return s.State.String()
	}
	return fmt.Sprintf("a process of user %d", s.UID)
}
