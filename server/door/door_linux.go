package door

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
	"lastport/server"
	"lastport/server/consent"
)

// mostLeases bounds the runs that load a server at once.
const mostLeases = 64

// mostSources bounds the addresses of a lease: as many as its peers are counted of.
const mostSources = 1024

// Config says who is let in, and what becomes of them.
type Config struct {
	Guard    *server.Guard // of the listener that proofs come to
	Tenants  *server.Guard // of the listener that is loaded: over TCP the same
	Listener *server.Listener
	Prover   consent.Server
	Name     string // of this server: the same in all of its leases
	// Behind are addresses of proxies, load balancers and gateways in front of it that
	// may be loaded with it.
	Behind   []netip.AddrPort
	MostOpen int64 // connections of one lease at once; 0: no bound but the listener's
	// Refuse says why a wish cannot be granted; nil if it can.
	Refuse func(consent.Wish) error
	// Witness begins to watch the kernel for a lease, and returns how to add what it
	// saw to the tenant's numbers; thorough says that it may take its time.
	Witness func(mine Mine) func(numbers *result.Server, thorough bool)
	Say     func(format string, args ...any) // to whoever runs the server
}

// Mine says whether a connection's other end is the load of a lease, which the
// lease's own connection is not.
type Mine func(peer netip.AddrPort) bool

// Door is open until it is closed.
type Door struct {
	config  Config
	proofs  *proofs
	working sync.WaitGroup
	quiet   *quiet

	closing chan struct{}

	mu     sync.Mutex
	closed bool
	leases map[net.Conn]bool
}

// Open begins to ask those who come.
func Open(config Config) *Door {
	d := &Door{config: config, proofs: newProofs(), quiet: newQuiet(config.Say), closing: make(chan struct{}), leases: map[net.Conn]bool{}}
	d.working.Go(d.receive)
	d.working.Go(d.tellOfRefused)
	return d
}

// Close ends every proof and every lease, with the connections that were load.
// The listener must be closed after it.
func (d *Door) Close() {
	d.config.Guard.Close()
	d.proofs.close()
	d.mu.Lock()
	if !d.closed {
		close(d.closing)
	}
	d.closed = true
	for conn := range d.leases {
		_ = conn.Close()
	}
	d.mu.Unlock()
	d.working.Wait()
}

func (d *Door) receive() {
	for {
		conn, err := d.config.Guard.Next()
		if err != nil {
			return // it is closed: nothing else ends it
		}
		end, ok := d.proofs.begin(conn)
		if !ok {
			reset(conn)
			continue
		}
		d.working.Go(func() { d.attend(conn, end) })
	}
}

// tellOfRefused says who was turned away without being asked.
func (d *Door) tellOfRefused() {
	quiet := newQuiet(d.config.Say)
	for {
		select {
		case addr := <-d.config.Guard.Refused():
			quiet.say("not allowed: %v, by --allow", addr)
		case <-d.closing:
			return
		}
	}
}

// attend has one stranger prove who it is, and is its host from then on.
func (d *Door) attend(conn *net.TCPConn, proofOver func()) {
	// A generator whose machine has vanished is gone in 25 seconds.
	_ = conn.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3})
	var tenant *server.Tenant
	var tell func(*result.Server, bool)
	granted, err := d.config.Prover.Check(conn, func(claim consent.Claim) (terms consent.Terms, err error) {
		if tenant, terms, err = d.grant(conn, claim); tenant != nil {
			tell = d.config.Witness(load(tenant, terms.Peer)) // before the first connection
		}
		return terms, err
	})
	proofOver()
	if tenant != nil {
		defer d.seeOut(conn, tenant)
	}
	if err != nil {
		d.quiet.say("no consent for %v: %v", conn.RemoteAddr(), err)
		return
	}
	if tenant == nil { // it has all that it wants
		_ = granted.Close()
		return
	}
	d.config.Say("consent: %v may connect", conn.RemoteAddr())
	err = granted.Serve(func(ask consent.Ask) (result.Server, error) {
		if ask == consent.AskDrain {
			d.config.Listener.Evict(tenant, false)
		}
		numbers := tenant.Stats()
		tell(&numbers, ask != consent.AskStatistics)
		return numbers, nil
	})
	if err != nil {
		d.config.Say("consent: %v has gone: %v", conn.RemoteAddr(), err)
		return
	}
	d.config.Say("consent: %v has ended", conn.RemoteAddr())
}

// load is what comes from a tenant, but for the connection that is its lease.
func load(t *server.Tenant, lease netip.AddrPort) Mine {
	return func(peer netip.AddrPort) bool { return t.Has(peer) && kernel.PlainAddrPort(peer) != lease }
}

// grant makes a tenant of who has proven the token, if what it wishes can be. A
// visitor becomes none.
func (d *Door) grant(conn *net.TCPConn, claim consent.Claim) (*server.Tenant, consent.Terms, error) {
	peer, own := addrOf(conn.RemoteAddr()), addrOf(conn.LocalAddr())
	terms := consent.Terms{Server: d.config.Name, Version: d.config.Prover.Version, Peer: peer, Ports: d.portsAt(kernel.PlainAddrPort(claim.Target).Addr(), own)}
	if target := kernel.PlainAddrPort(claim.Target); target != own && !slices.ContainsFunc(d.config.Behind, func(a netip.AddrPort) bool { return kernel.PlainAddrPort(a) == target }) {
		return nil, terms, &elsewhereError{claim.Target, own}
	}
	if n := len(claim.Wish.Sources) + len(claim.Wish.Perhaps); n > mostSources {
		return nil, terms, fmt.Errorf("the run has %d source addresses, and at most %d are let in", n, mostSources)
	}
	if err := d.config.Refuse(claim.Wish); err != nil {
		return nil, terms, err
	}
	if claim.Wish.Visit {
		d.config.Guard.Welcome()
		return nil, terms, nil // its own answer is all that it takes away
	}
	addrs, ports := origins(peer, claim.Wish, d.config.Guard.Allows)
	tenant := server.NewTenant(addrs, ports, d.config.MostOpen, len(d.config.Listener.Addrs()))
	if err := d.settle(conn, tenant); err != nil {
		return nil, terms, err
	}
	return tenant, terms, nil
}

// portsAt are the ports that consent at the address that was dialled covers: the
// server's own there, if it is the server's address, and those in front of it.
func (d *Door) portsAt(dialled netip.Addr, own netip.AddrPort) (list []consent.PortRange) {
	add := func(port uint16) {
		if n := len(list); n > 0 && list[n-1].High+1 == port {
			list[n-1].High = port
			return
		}
		list = append(list, consent.PortRange{Low: port, High: port})
	}
	for _, a := range d.config.Listener.Addrs() {
		everywhere := a.Addr().IsUnspecified() && a.Addr().Is4() == dialled.Is4()
		if dialled == own.Addr() && (everywhere || kernel.PlainAddrPort(a).Addr() == dialled) {
			add(a.Port())
		}
	}
	for _, a := range d.config.Behind {
		if kernel.PlainAddrPort(a).Addr() == dialled {
			add(a.Port())
		}
	}
	return list
}

// origins says what a tenant's connections come from. Where something between
// translates addresses, all come from the address that it shows, and from any
// port. An address that the run does without if need be is not insisted on.
func origins(peer netip.AddrPort, w consent.Wish, allows func(netip.Addr) bool) (addrs []netip.Addr, ports [][2]uint16) {
	addrs = []netip.Addr{peer.Addr()}
	if w.Local == kernel.PlainAddrPort(peer).String() {
		addrs = append(addrs, w.Sources...)
		for _, addr := range w.Perhaps {
			if allows(addr) {
				addrs = append(addrs, addr)
			}
		}
		for _, r := range w.Ports {
			ports = append(ports, [2]uint16{r.Low, r.High})
		}
	}
	return addrs, ports
}

// settle lets a tenant in.
func (d *Door) settle(conn net.Conn, t *server.Tenant) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return net.ErrClosed
	case len(d.leases) >= mostLeases:
		return fmt.Errorf("%d runs load this server, and more it does not take", mostLeases)
	}
	if err := d.config.Tenants.Admit(t); err != nil {
		return err
	}
	d.config.Guard.Welcome()
	d.leases[conn] = true
	return nil
}

// seeOut ends a lease with all that is left of it.
func (d *Door) seeOut(conn net.Conn, t *server.Tenant) {
	d.mu.Lock()
	delete(d.leases, conn)
	d.mu.Unlock()
	d.config.Tenants.Dismiss(t)
	d.config.Listener.Evict(t, true)
	_ = conn.Close() // last: it tells the generator that the lease is over
}

// elsewhereError is a generator that has dialled another address than this
// server's: what is in between does not consent by itself.
type elsewhereError struct{ dialled, own netip.AddrPort }

func (e *elsewhereError) Error() string {
	return fmt.Sprintf("its server is at %s and not at %s, and has not consented for what is in between", e.own, e.dialled)
}

// Hint says how it consents.
func (e *elsewhereError) Hint() string {
	return fmt.Sprintf("if it is yours to load: lastport serve --behind %s", e.dialled)
}

// addrOf is an address of a TCP connection, plain.
func addrOf(a net.Addr) netip.AddrPort {
	tcp, _ := a.(*net.TCPAddr)
	return kernel.PlainAddrPort(tcp.AddrPort())
}
