package observe

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/conntrack"
	"lastport/loadgen/kernel/diag"
	"lastport/reports/result"
)

// View is what to look at: the connections to the targets, at each end and on
// the way. A place that is nil is where the caller is.
type View struct {
	Targets []netip.AddrPort
	UDP     bool
	// Clients and Server call a function on a thread that is on that host meanwhile.
	// Without them both ends are on one host, and one list has both.
	Clients []func(func() error) error
	Server  func(func() error) error
	// Gateway is such a function where connections are translated on the way; nil:
	// they are not.
	Gateway func(func() error) error
	// Mine says whether a socket toward a target is one to count; nil: all are. On
	// the real host others have such sockets too.
	Mine func(*diag.Socket) bool
}

// Seen is what one look has found. Over UDP established is what is connected, and
// the other states are absent. A UDP listener is not connected, so it counts
// nowhere.
type Seen struct {
	Client, Server result.States // sockets by state: the generator's ends, and the listener's
	// Interrupted says that a table of sockets changed while it was listed.
	Interrupted bool

	ports [places]result.StateMap
	cut   [places]bool // its table changed while it was listed
	has   [places]bool
}

// The places of a look.
const (
	atClient = iota
	atServer
	atGateway
	places
)

// shown are the states of sockets that belong to a connection. The others are a
// listener's, and of sockets that are bound and no more.
const shown = diag.All &^ (1<<diag.Listen | 1<<diag.Closed | 1<<diag.BoundInactive)

// Look lists the connections once, on all hosts one after the other. That a table changed meanwhile is no error.
func (v *View) Look() (*Seen, error) {
	s := &Seen{Client: zero(v.UDP), Server: zero(v.UDP)}
	s.has = [places]bool{atClient: true, atServer: true}
	hosts := v.Clients
	if len(hosts) == 0 {
		hosts = []func(func() error) error{here}
	}
	if v.Server != nil {
		hosts = append(hosts[:len(hosts):len(hosts)], v.Server)
	}
	for _, on := range hosts {
		if err := on(func() error { return v.sockets(s) }); err != nil {
			return nil, err
		}
	}
	if v.Gateway != nil {
		// What the gateway does not tell is absent, and the ends are told all the same.
		s.has[atGateway] = v.Gateway(func() error { return v.translated(s) }) == nil
	}
	return s, nil
}

// here calls f where the caller is.
func here(f func() error) error { return f() }

// LookWell looks again, a few times at most, while a table of sockets changes
// meanwhile. If it never stands still the error is diag.ErrInterrupted.
func (v *View) LookWell() (s *Seen, err error) {
	for range 5 {
		if s, err = v.Look(); err != nil || !s.Interrupted {
			return s, err
		}
	}
	return s, diag.ErrInterrupted
}

// sockets lists those of one host. IPv4 connections of an IPv6 listener are in
// IPv6's list, so both are read whatever the targets are.
func (v *View) sockets(s *Seen) error {
	to := v.targets()
	each := func(sock *diag.Socket) {
		switch state := portState(sock.State); {
		case to[kernel.PlainAddrPort(sock.Remote)]:
			if v.Mine != nil && !v.Mine(sock) {
				return
			}
			add(&s.Client, sock.State)
			s.ports[atClient].Put(sock.Local.Port(), state)
		case to[kernel.PlainAddrPort(sock.Local)]:
			add(&s.Server, sock.State)
			s.ports[atServer].Put(sock.Remote.Port(), state)
		}
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := diag.Query{Family: family, UDP: v.UDP, States: shown, Ports: v.ports()}.Each(each)
		if errors.Is(err, diag.ErrInterrupted) {
			s.Interrupted, s.cut[atClient], s.cut[atServer] = true, true, true
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// targets are what connections are known by.
func (v *View) targets() map[netip.AddrPort]bool {
	to := make(map[netip.AddrPort]bool, len(v.Targets))
	for _, t := range v.Targets {
		to[kernel.PlainAddrPort(t)] = true
	}
	return to
}

// ports are those that the targets' ports lie among: what has none of them is not
// worth a copy.
func (v *View) ports() diag.Ports {
	hull := diag.Ports{Low: 1<<16 - 1}
	for _, t := range v.Targets {
		hull.Low, hull.High = min(hull.Low, t.Port()), max(hull.High, t.Port())
	}
	if len(v.Targets) == 0 {
		return diag.Ports{Low: 1, High: 0} // none
	}
	return hull
}

// translated lists the connections of the gateway.
func (v *View) translated(s *Seen) error {
	if len(v.Targets) == 0 {
		return nil
	}
	to, proto, family := v.targets(), uint8(unix.IPPROTO_TCP), uint8(unix.AF_INET)
	if v.UDP {
		proto = unix.IPPROTO_UDP
	}
	if v.Targets[0].Addr().Is6() {
		family = unix.AF_INET6
	}
	err := conntrack.Tuples(family, func(t *conntrack.Tuple) {
		if t.Proto == proto && to[t.Original.Dst] {
			s.ports[atGateway].Put(t.Reply.Dst.Port(), trackedState(t))
		}
	})
	if errors.Is(err, conntrack.ErrInterrupted) {
		s.cut[atGateway], err = true, nil
	}
	return err
}

// Moment is what was seen as the file keeps it: it takes some 0.3 ms for each
// place. The look began and ended at these times of the run.
func (s *Seen) Moment(began, ended time.Duration, at string) result.PortMoment {
	m := result.PortMoment{TNS: int64(began), TookNS: int64(ended - began), At: at}
	for i, p := range []**result.PortsIn{&m.Client, &m.Server, &m.Gateway} {
		if s.has[i] {
			*p = s.ports[i].Ports()
			(*p).Interrupted = s.cut[i]
		}
	}
	return m
}
