package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// Use is who has ports of the range.
type Use struct {
	Connections int64
	TimeWait    int64
	Ownerless   int64     // closed by their process, and not in TIME_WAIT
	Pairs       []Pair    // those with most ports taken, first
	Processes   []Process // those with most connections, first
	Unattended  string    // why not every connection's process is known; empty: all are
	Queue       Queue     // the listener's that is nearest to being full
}

// Pair is a source address and a target, and the local ports of the host's range
// that are in use between them.
type Pair struct {
	Source   netip.Addr
	Target   netip.AddrPort
	Ports    int64 // in use, in whatever state
	TimeWait int64 // of these, in TIME_WAIT
	Taken    int64 // of these, those that the kernel does not give out again by tcp_tw_reuse
}

// Queue is a listener's, of connections that it has not accepted.
type Queue struct {
	Listener          netip.AddrPort
	Queued, QueuedMax int64
}

func (q Queue) left() int64 { return max(0, q.QueuedMax-q.Queued) }

// most is how many pairs and processes are told of.
const most = 10

// census is what one look at all TCP sockets finds.
type census struct {
	system  ports.Range // whose ports count
	reuses  func(source, target netip.Addr) bool
	held    ports.Ranges
	between map[ends]*Pair
	owned   map[uint32]owned // by inode: what has a descriptor, as far as it is looked for
	use     Use
}

type ends struct {
	source netip.Addr
	target netip.AddrPort
}

// owned is a socket whose process is looked for.
type owned struct {
	uid  uint32
	pair *Pair
}

// lookAtSockets finds the ports that are held, and who has those of the range. A
// socket that listens or is only bound had its port by an explicit bind, and the
// kernel does not choose that port.
// Processes are looked for below proc, which is /proc outside of tests.
func (f *Facts) lookAtSockets(proc string) {
	c := census{between: make(map[ends]*Pair), owned: make(map[uint32]owned)}
	var unknown error
	c.system, unknown = f.system()
	c.reuses = f.reuses()
	bare := diag.Of(diag.Listen, diag.BoundInactive)
	var held []ports.Range
	err := dump(bare, func(s *diag.Socket) {
		held = append(held, ports.Range{Low: s.Local.Port(), High: s.Local.Port()})
		c.wait(s)
	})
	c.held = ports.Of(held...) // first, as what came in to them does not count
	if err == nil {
		err = dump(diag.All&^bare, c.add)
	}
	if err != nil {
		f.Held.Err = fmt.Errorf("ports in use: %w", err)
		f.Use.Err = f.Held.Err
		return
	}
	f.Held.Value = c.held
	c.use.Pairs = c.fullest()
	c.use.attend(c.owned, proc)
	f.Use = Fact[Use]{c.use, unknown}
}

// dump lists the sockets of both families.
func dump(states diag.States, f func(*diag.Socket)) error {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := diag.TCP(family, states, f)
		if family == unix.AF_INET6 && errors.Is(err, unix.ENOENT) {
			continue // a kernel without IPv6
		}
		if err != nil && !errors.Is(err, diag.ErrInterrupted) {
			return err
		}
	}
	return nil
}

// wait looks at the queue of a socket that listens.
func (c *census) wait(s *diag.Socket) {
	q := Queue{s.Local, int64(s.Queued), int64(s.QueuedMax)}
	if last := c.use.Queue; s.State == diag.Listen && q.Queued > 0 && (last.Queued == 0 || q.left() < last.left()) {
		c.use.Queue = q
	}
}

// add counts any other socket, unless it came in to a listener.
func (c *census) add(s *diag.Socket) {
	port := s.Local.Port()
	if s.Remote.Port() == 0 || port < c.system.Low || port > c.system.High || c.held.Contains(port) {
		return
	}
	key := ends{s.Local.Addr().Unmap(), netip.AddrPortFrom(s.Remote.Addr().Unmap(), s.Remote.Port())}
	p := c.between[key]
	if p == nil {
		p = &Pair{Source: key.source, Target: key.target}
		c.between[key] = p
	}
	p.Ports++
	c.use.Connections++
	waits := s.State == diag.TimeWait
	if waits {
		p.TimeWait++
		c.use.TimeWait++
	}
	if !waits || !c.reuses(key.source, key.target.Addr()) {
		p.Taken++
	}
	switch {
	case waits:
	case s.Inode == 0:
		c.use.Ownerless++
	case len(c.owned) < maxOwned:
		c.owned[s.Inode] = owned{s.UID, p}
	default:
		c.use.Unattended = fmt.Sprintf("only %s connections were looked at", count(maxOwned))
	}
}

// fullest are the pairs with most ports taken; of equals the order is that of
// the addresses.
func (c *census) fullest() []Pair {
	var list []Pair
	for _, p := range c.between {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Taken, a.Taken), cmp.Compare(b.Ports, a.Ports), a.Target.Compare(b.Target), a.Source.Compare(b.Source))
	})
	return list[:min(len(list), most)]
}

// reuses returns what says whether the kernel gives ports in TIME_WAIT between
// two addresses out again, as far as is known.
func (f *Facts) reuses() func(source, target netip.Addr) bool {
	s, known := f.settings()
	return func(source, target netip.Addr) bool {
		loopback := source.IsLoopback() && target.IsLoopback()
		return known && s.Timestamps && (s.TWReuse == 1 || s.TWReuse == 2 && loopback)
	}
}

// fullest is the pair that has most ports taken; zero: there is none.
func (f *Facts) fullest() Pair {
	if len(f.Use.Value.Pairs) == 0 {
		return Pair{}
	}
	return f.Use.Value.Pairs[0]
}

// available is how many ports of the range there are for connections.
func (f *Facts) available() (int64, error) {
	system, err := f.system()
	if err != nil {
		return 0, err
	}
	reserved, err := f.reserved()
	if err != nil {
		return 0, err
	}
	return int64(ports.Of(system).Minus(reserved).Minus(f.Held.Value).Size()), nil
}

// fullestTarget is the name of its check; the others are the shares of the ports
// from which it is told.
const (
	fullestTarget = "fullest target"
	fullNote      = 50 // percent: from half on, connect searches every other port in vain
	fullWarn      = 90
)

// checkFullest looks at the target that is nearest to having no port left.
func checkFullest(f *Facts) result.Check {
	if f.Use.Err != nil {
		return unread(f.Use.Err)
	}
	have, err := f.available()
	if err != nil {
		return unread(err)
	}
	p := f.fullest()
	if p.Taken == 0 || have == 0 {
		return result.Check{Status: result.Fine, Found: "no port of the range is taken toward a target"}
	}
	share, left := 100*p.Taken/have, max(0, have-p.Taken)
	c := result.Check{
		Status: result.Fine,
		Found:  fmt.Sprintf("%s: %s of %s from %v taken, %s in TIME_WAIT", p.Target, count(p.Ports), plural(have, "port"), p.Source, count(p.TimeWait)),
		Allows: fmt.Sprintf("%s more there", plural(left, "connection")),
	}
	const more = "connections that are kept and used again, another target address or port, or another source address take from it"
	switch {
	case share >= fullWarn:
		c.Status = result.Falsifies
		c.Allows, c.Blocks = "", fmt.Sprintf("new connections there: %s left; %s", plural(left, "port"), more)
	case share >= fullNote:
		c.Status = result.Noted
		c.Allows += ", and from half the ports on each connect searches longer; " + more
	}
	if c.Status != result.Fine {
		c.WayOut = "to see whose they are: sudo ss -tanp dst " + p.Target.String()
		if 2*p.TimeWait >= p.Taken && !f.reuses()(p.Source, p.Target.Addr()) {
			f.set(&c, keyTWReuse, "1")
			c.Price = reusePrice
		}
	}
	return c
}
