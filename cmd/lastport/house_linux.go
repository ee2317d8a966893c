package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/step"
	"lastport/reports/result"
	"lastport/server"
	"lastport/server/consent"
	"lastport/server/door"
)

// house is a server as a program: a listener, who guards it, and who asks those
// that come for their proof. Over UDP the proofs come to a listener of their own,
// over TCP on the same addresses, where nothing else is served.
type house struct {
	listener  *server.Listener
	guard     *server.Guard // of the listener
	lobby     *server.Listener
	lobbyAt   *server.Guard
	door      *door.Door
	tokenFile string // to be removed at the end
}

// openHouse starts a server and says where it is.
func (a *app) openHouse(config server.Config, f *serveFlags) (*house, error) {
	token, made, temporary, err := serverToken(f.tokenFile)
	if err != nil {
		return nil, err
	}
	h := &house{}
	if temporary {
		h.tokenFile = made
	}
	if err := h.open(config, f.allowed); err != nil {
		_ = h.close() // the first error is the one to tell
		return nil, err
	}
	h.door = door.Open(door.Config{
		Guard: h.lobbyAt, Tenants: h.guard, Listener: h.listener, Prover: consent.Server{Token: token, Version: version},
		Name: fmt.Sprintf("%016x", rand.Uint64()), Behind: f.inFront, MostOpen: int64(f.maxPeer),
		Refuse: f.refuse, Witness: h.witness, Say: a.ui.line,
	})
	a.ui.line("listening on %s", addressList(h.listener.Addrs()))
	if reachable := reachableAt(h.listener.Addrs()); !slices.Equal(reachable, h.listener.Addrs()) {
		a.ui.line("reachable at %s", addressList(reachable))
	}
	if made != "" {
		a.ui.line("token: %s", made)
	}
	return h, nil
}

// open opens guards and listeners. Guards come first: threads of a listener know
// only what was open before them.
func (h *house) open(config server.Config, allow []netip.Prefix) (err error) {
	if h.guard, err = server.NewGuard(allow); err != nil {
		return err
	}
	h.lobbyAt = h.guard
	config.Guard = h.guard
	if h.listener, err = startListener(config); err != nil || !config.UDP {
		return err
	}
	if h.lobbyAt, err = server.NewGuard(allow); err != nil {
		return err
	}
	h.lobby, err = startListener(server.Config{Addrs: h.listener.Addrs(), Guard: h.lobbyAt, Threads: 1})
	return err
}

// startListener opens a listener and starts it.
func startListener(config server.Config) (*server.Listener, error) {
	l, err := server.New(config)
	if err != nil {
		return nil, err
	}
	if err := l.Start(); err != nil {
		_ = l.Close() // the first error is the one to tell
		return nil, err
	}
	return l, nil
}

// close ends everything that open opened, as far as it came, and returns the first
// error.
func (h *house) close() (err error) {
	if h.door != nil {
		h.door.Close()
	}
	for _, l := range []*server.Listener{h.lobby, h.listener} {
		if l != nil {
			if closeErr := l.Close(); err == nil {
				err = closeErr
			}
		}
	}
	for _, g := range []*server.Guard{h.guard, h.lobbyAt} {
		if g != nil {
			g.Close()
		}
	}
	if h.tokenFile != "" {
		_ = os.Remove(h.tokenFile) // it opens nothing any more
	}
	return err
}

// stats are the numbers of all who came.
func (h *house) stats() result.Server {
	numbers := h.listener.Stats()
	strangers := h.strangers()
	numbers.Strangers = &strangers
	return numbers
}

// strangers counts those who were not served. Over UDP it counts datagrams too.
func (h *house) strangers() int64 {
	came, _ := h.guard.Strangers()
	if h.lobbyAt != h.guard {
		asked, _ := h.lobbyAt.Strangers()
		came += asked
	}
	return came
}

// errNoStates says that over UDP there are none.
var errNoStates = errors.New("no states over UDP")

// witness watches the kernel for one lease.
func (h *house) witness(mine door.Mine) func(numbers *result.Server, thorough bool) {
	var left map[uint64]bool // by earlier runs
	leftErr := errNoStates
	if h.lobby == nil {
		left, leftErr = cookiesOf(h.listener.Addrs(), mine)
	}
	before, beforeErr := kernel.ReadCounters()
	strangers := h.strangers()
	return func(numbers *result.Server, thorough bool) {
		numbers.Version = version
		came := h.strangers() - strangers
		numbers.Strangers = &came
		if now, err := kernel.ReadCounters(); err == nil && beforeErr == nil {
			overflows := now.Since(before)["ListenOverflows"]
			numbers.Overflows = &overflows
		}
		if h.lobby != nil { // over UDP no close is seen
			numbers.Closed = nil
		}
		if thorough && leftErr == nil {
			if states, err := statesFor(h.listener.Addrs(), mine, left); err == nil {
				numbers.States = states
			}
		}
	}
}

// statesFor counts the listener's sockets whose other end is a lease's: what is
// open, and what has come to TIME_WAIT, but for the sockets that were there before.
func statesFor(listening []netip.AddrPort, mine door.Mine, before map[uint64]bool) (*result.States, error) {
	var open, waiting int64
	err := socketsOf(listening, mine, func() { open, waiting = 0, 0 }, func(sock *diag.Socket) {
		switch {
		case sock.State == diag.Established:
			open++
		case sock.State == diag.TimeWait && !before[sock.Cookie]: // an earlier run of the same ports has left the others
			waiting++
		}
	})
	return &result.States{Established: &open, TimeWait: &waiting}, err
}

// cookiesOf are those of the sockets that statesFor would look at.
func cookiesOf(listening []netip.AddrPort, mine door.Mine) (list map[uint64]bool, err error) {
	err = socketsOf(listening, mine, func() { list = map[uint64]bool{} }, func(sock *diag.Socket) { list[sock.Cookie] = true })
	return list, err
}

// socketsOf calls f for each of the listener's sockets whose other end is a lease's.
// The table may change while it is read: then all begins anew, a few times at most.
func socketsOf(listening []netip.AddrPort, mine door.Mine, begin func(), f func(*diag.Socket)) (err error) {
	ports := map[uint16]bool{}
	for _, a := range listening {
		ports[a.Port()] = true
	}
	each := func(sock *diag.Socket) {
		if sock.State != diag.Listen && ports[sock.Local.Port()] && mine(sock.Remote) {
			f(sock)
		}
	}
	const tries = 5
	for range tries {
		begin()
		if err = diag.TCP(unix.AF_INET, diag.All, each); err == nil {
			err = diag.TCP(unix.AF_INET6, diag.All, each)
		}
		if !errors.Is(err, diag.ErrInterrupted) {
			return err
		}
	}
	return err
}

// reachableAt names the addresses of this host that a listener on all of them has.
func reachableAt(listening []netip.AddrPort) (list []netip.AddrPort) {
	for _, at := range listening {
		if !at.Addr().IsUnspecified() {
			list = append(list, at)
			continue
		}
		for _, a := range ownAddrs() {
			if a.Is4() == at.Addr().Is4() {
				list = append(list, netip.AddrPortFrom(a, at.Port()))
			}
		}
	}
	return list
}

// ownAddrs lists the addresses of this host, those of a link alone with the link.
func ownAddrs() (list []netip.Addr) {
	links, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, link := range links {
		addrs, err := link.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			addr := p.Addr().Unmap()
			if addr.Is6() && addr.IsLinkLocalUnicast() {
				addr = addr.WithZone(link.Name)
			}
			list = append(list, addr)
		}
	}
	return list
}

// refuse says why a run cannot have what it needs of this server.
func (f *serveFlags) refuse(w consent.Wish) error {
	mode, err := step.ParseCloseMode(w.Close)
	most := int64(f.maxConnections)
	if f.maxPeer > 0 {
		most = min(most, int64(f.maxPeer))
	}
	switch udp := f.proto == "udp"; {
	case w.UDP != udp:
		return usagef("lastport serve --proto "+protoWord(w.UDP), "the run is over %s and the server serves %s", protoWord(w.UDP), f.proto)
	case udp:
		return nil
	case err != nil || w.Connections < 0 || w.Requests < 0:
		return usagef("", "what the run needs is not understood")
	case mode.ServerFirst() != f.mode.ServerFirst(), mode.ServerFirst() && mode != f.mode:
		return usagef("lastport serve --close "+mode.String(), "the run is --close %s and the server --close %s", mode, f.mode)
	case w.Connections > most:
		return usagef(fmt.Sprintf("lastport serve --max-connections %d --max-per-peer %d", max(w.Connections, int64(f.maxConnections)), w.Connections),
			"the run may hold %d connections, and the server keeps at most %d of one generator", w.Connections, most)
	case int64(w.Requests) > f.maxBytes:
		return usagef(fmt.Sprintf("lastport serve --max-bytes %d", w.Requests), "the run sends %d requests over a connection, and the server takes at most %d bytes", w.Requests, f.maxBytes)
	}
	return nil
}

func protoWord(udp bool) string {
	if udp {
		return "udp"
	}
	return "tcp"
}
