package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
	"lastport/server"
	"lastport/server/consent"
)

// patience bounds how long a test waits for what must come. No test passes
// because it ran out.
const patience = 20 * time.Second

// host is a guarded listener with its door.
type host struct {
	*server.Listener
	guard *server.Guard
	door  *Door
	token consent.Token

	mu   sync.Mutex
	said []string
}

// open makes a host; change may be nil.
func open(t *testing.T, allow []netip.Prefix, change func(*server.Config, *Config)) *host {
	t.Helper()
	guard, err := server.NewGuard(allow)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{guard: guard, token: consent.NewToken(time.Now())}
	listening := server.Config{Addrs: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(nstest.Addr), 0)}, Guard: guard, MaxConnections: 100, MaxBytes: 1000}
	config := Config{
		Guard: guard, Tenants: guard, Prover: consent.Server{Token: h.token, Version: "1"}, Name: "h",
		Refuse: func(consent.Wish) error { return nil },
		Witness: func(Mine) func(*result.Server, bool) {
			return func(*result.Server, bool) {}
		},
		Say: func(format string, args ...any) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.said = append(h.said, fmt.Sprintf(format, args...))
		},
	}
	if change != nil {
		change(&listening, &config)
	}
	if h.Listener, err = server.New(listening); err == nil {
		err = h.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	config.Listener = h.Listener
	h.door = Open(config)
	t.Cleanup(func() {
		h.door.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// hasSaid says whether the host has said the words.
func (h *host) hasSaid(words string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Contains(strings.Join(h.said, "\n"), words)
}

// dial connects to the host.
func (h *host) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	conn := h.knock(t)
	if conn == nil {
		t.Fatal("the connection is reset at once")
	}
	return conn
}

// knock is dial, and nil if the connection was reset before it was there.
func (h *host) knock(t *testing.T) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", h.Addrs()[0].String())
	if errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// prove comes with the token and a wish.
func (h *host) prove(t *testing.T, wish consent.Wish) (*consent.Lease, error) {
	t.Helper()
	conn := h.knock(t)
	if conn == nil {
		return nil, syscall.ECONNRESET // where those under way are too many
	}
	wish.Local = conn.LocalAddr().String()
	lease, err := consent.Generator{Token: h.token, Version: "1", Target: h.Addrs()[0]}.Prove(t.Context(), conn, wish)
	if err == nil {
		t.Cleanup(func() { _ = lease.Close() })
	}
	return lease, err
}

// welcome is prove for a wish that is granted.
func (h *host) welcome(t *testing.T) *consent.Lease {
	t.Helper()
	lease, err := h.prove(t, consent.Wish{Close: "client-fin"})
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// leaveNothing closes a connection so that its port is free at once.
func leaveNothing(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// serves says whether a connection is load: a request is answered by the same byte.
// The end of a line, which a listener throws away, ends what a stranger has to say.
func serves(conn net.Conn) bool {
	answer := []byte{0}
	_, err := conn.Write([]byte{1, '\n'})
	if err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	return err == nil && answer[0] == 1
}

// waitFor waits until something is true.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("there is no %s", what)
		}
	}
}

// Load is served while its lease lasts; with it go its connections, and what
// comes later is a stranger's.
func TestLoadIsServedWhileTheLeaseLasts(t *testing.T) {
	t.Parallel()
	h := open(t, nil, nil)
	lease := h.welcome(t)
	conn := h.dial(t)
	if !serves(conn) {
		t.Fatal("a tenant is not served")
	}
	numbers, err := lease.Ask(consent.AskTotal, patience)
	if err != nil || numbers.Accepted != 1 || numbers.Requests != 1 || *numbers.Closed != 0 || *numbers.DistinctPeers != 1 {
		t.Errorf("%+v, %v", numbers, err)
	}
	if numbers, err = lease.Ask(consent.AskDrain, patience); err != nil || *numbers.Closed != 1 {
		t.Errorf("after a drain: %+v, %v", numbers, err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a drained connection reads %v", err)
	}
	if conn = h.dial(t); !serves(conn) {
		t.Fatal("a tenant is not served after a drain")
	}
	_ = lease.Close()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("without its lease a connection reads %v, want a reset", err)
	}
	if serves(h.dial(t)) {
		t.Error("load is served after the lease")
	}
}

// Of two runs from the same addresses and ports one gets the lease; with other
// ports both do, and each has numbers of its own.
func TestTwoLeases(t *testing.T) {
	h := open(t, nil, nil)
	const low, high = 20000, 20001
	first, err := h.prove(t, consent.Wish{Ports: []consent.PortRange{{Low: low, High: low}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.prove(t, consent.Wish{Ports: []consent.PortRange{{Low: low, High: high}}}); err == nil || !strings.Contains(err.Error(), "another run loads this server from 198.18.0.1") {
		t.Errorf("a lease of ports that have one: %v", err)
	}
	second, err := h.prove(t, consent.Wish{Ports: []consent.PortRange{{Low: high, High: high}}})
	if err != nil {
		t.Fatal(err)
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(nstest.Addr), Port: high}}
	conn, err := from.Dial("tcp", h.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	if !serves(conn) {
		t.Error("the second is not served")
	}
	defer leaveNothing(conn)
	for lease, want := range map[*consent.Lease]int64{first: 0, second: 1} {
		if numbers, err := lease.Ask(consent.AskTotal, patience); err != nil || numbers.Accepted != want {
			t.Errorf("%+v, %v, want %d accepted", numbers, err, want)
		}
	}
}

// A run that begins where one goes on is told at once, though its first
// connection comes from a port of that one.
func TestHelloFromATenantsPortIsReset(t *testing.T) {
	h := open(t, nil, nil)
	h.welcome(t)
	if _, err := h.prove(t, consent.Wish{}); err == nil || !strings.Contains(err.Error(), "closed the connection without a proof") {
		t.Errorf("%v", err)
	}
}

// Whatever strangers do, each is turned away, they cost no more than there is room
// for, and who has the token gets in all the while.
func TestStrangersAreTurnedAway(t *testing.T) {
	for name, say := range map[string]func(*net.TCPConn){
		"silent":      func(*net.TCPConn) {},
		"garbage":     func(c *net.TCPConn) { _, _ = c.Write([]byte("\x00\x01\x02{}\xff\n")) },
		"HTTP":        func(c *net.TCPConn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n") },
		"a flood":     func(c *net.TCPConn) { _, _ = c.Write(make([]byte, 1<<20)) },
		"half closed": func(c *net.TCPConn) { _ = c.CloseWrite() },
		"half a line": func(c *net.TCPConn) {
			_, _ = io.WriteString(c, `{"lastport":"hello"`)
			_ = c.CloseWrite()
		},
		"requests": func(c *net.TCPConn) { _, _ = c.Write([]byte{1, 1, 1, 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, nil, nil)
			var conns []*net.TCPConn
			const some = 3 * mostOfOne
			for range some {
				if conn := h.knock(t); conn != nil {
					say(conn)
					conns = append(conns, conn)
				}
			}
			waitFor(t, "end of those that are too many", func() bool {
				came, _ := h.guard.Strangers()
				return came == some && h.door.proofs.count() <= mostOfOne
			})
			if name == "silent" || name == "requests" { // their proofs are under way until they have had their time
				for _, conn := range conns {
					_ = conn.Close()
				}
			}
			// From the same address it may have to wait until they have gone.
			waitFor(t, "room for who has the token", func() bool {
				_, err := h.prove(t, consent.Wish{})
				return err == nil
			})
			if !serves(h.dial(t)) {
				t.Error("a tenant is not served")
			}
			for _, conn := range conns {
				got, _ := io.ReadAll(conn)
				if strings.Contains(string(got), h.token.Secret()) || strings.Contains(string(got), "\x01") {
					t.Errorf("a stranger is told %q", got)
				}
			}
			if n := h.Stats().Accepted; n != 1 {
				t.Errorf("%d connections are load, want the tenant's", n)
			}
		})
	}
}

// Who does not go on with a proof has its time for all of it, however slowly it says
// something: fewer bytes than a line may have.
func TestSlowProofsEnd(t *testing.T) {
	t.Parallel()
	h := open(t, nil, func(_ *server.Config, c *Config) { c.Prover.Patience = 100 * time.Millisecond })
	conn := h.dial(t)
	said := 0
	waitFor(t, "end of a proof", func() bool {
		_, err := conn.Write([]byte{'x'})
		said++
		time.Sleep(20 * time.Millisecond)
		return err != nil
	})
	if said > 1000 {
		t.Errorf("it was heard for %d bytes", said)
	}
	waitFor(t, "end of all proofs", func() bool { return h.door.proofs.count() == 0 })
	if !h.hasSaid("it says no hello") {
		t.Errorf("it ended by %q", h.said)
	}
}

// When proofs under way are as many as there may be the oldest goes, and the
// newest gets through.
func TestProofsAreBounded(t *testing.T) {
	p := newProofs()
	l, err := net.Listen("tcp", nstest.Addr+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing is lost
	pair := func(from string) (client, server *net.TCPConn) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := dialer.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Skipf("dial from %s: %v", from, err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = c.Close(), s.Close() })
		return c.(*net.TCPConn), s.(*net.TCPConn)
	}
	oldest, first := pair("127.0.0.1")
	if _, ok := p.begin(first); !ok {
		t.Fatal("the first has no room")
	}
	var over []func()
	for i := range mostProofs {
		_, conn := pair(fmt.Sprintf("127.0.1.%d", i+1))
		end, ok := p.begin(conn)
		if !ok {
			t.Fatalf("number %d has no room", i+2)
		}
		over = append(over, end)
	}
	if _, err := oldest.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the oldest reads %v, want a reset", err)
	}
	if n := p.count(); n != mostProofs {
		t.Errorf("%d are under way, want %d", n, mostProofs)
	}
	for _, end := range over {
		end()
		end() // which changes nothing
	}
	if n := p.count(); n != 0 {
		t.Errorf("%d are under way after the end of all", n)
	}
}

// Who is not allowed is reset without a word, and is no tenant with a token
// either.
func TestAllow(t *testing.T) {
	h := open(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, nil)
	if conn := h.knock(t); conn != nil {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("it reads %v, want a reset", err)
		}
	}
	waitFor(t, "count of who was sent away", func() bool {
		came, away := h.guard.Strangers()
		return came == 1 && away == 1
	})
	waitFor(t, "word of who it was", func() bool { return h.hasSaid("not allowed: " + nstest.Addr) })
	inside := open(t, []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")}, nil)
	elsewhere := netip.MustParseAddr("10.0.0.1")
	if _, err := inside.prove(t, consent.Wish{Sources: []netip.Addr{elsewhere}}); err == nil || !strings.Contains(err.Error(), "does not allow connections from 10.0.0.1") {
		t.Errorf("a source that is not allowed: %v", err)
	}
}

// A tenant's connections are bounded in number and in bytes, and what it does not
// read is not kept.
func TestTenantsAreBounded(t *testing.T) {
	h := open(t, nil, func(_ *server.Config, c *Config) { c.MostOpen = 2 })
	lease := h.welcome(t)
	for range 2 {
		if !serves(h.dial(t)) {
			t.Fatal("a tenant is not served")
		}
	}
	if third := h.knock(t); third != nil {
		if _, err := third.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the third reads %v, want a reset", err)
		}
	}
	if numbers, err := lease.Ask(consent.AskDrain, patience); err != nil || numbers.OverLimit != 1 || numbers.Accepted != 3 || *numbers.Closed != 3 {
		t.Errorf("%+v, %v", numbers, err)
	}
	flood := h.dial(t)
	var err error
	for range 100 { // more than the host takes in all
		if _, err = flood.Write(make([]byte, 1000)); err != nil {
			break
		}
	}
	if _, readErr := io.Copy(io.Discard, flood); err == nil && readErr == nil {
		t.Error("a flood is not reset")
	}
	waitFor(t, "end of the flood", func() bool { s := h.Stats(); return *s.Open() == 0 })
}

// A flood of strangers from many ports takes nothing from a tenant.
func TestTenantIsServedInAFlood(t *testing.T) {
	h := open(t, nil, nil)
	lease, err := h.prove(t, consent.Wish{Ports: []consent.PortRange{{Low: 21000, High: 21099}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	for range 4 {
		flood.Go(func() {
			for ctx.Err() == nil {
				if conn, err := net.Dial("tcp", h.Addrs()[0].String()); err == nil {
					_ = conn.(*net.TCPConn).SetLinger(0)
					_ = conn.Close()
				}
			}
		})
	}
	for port := 21000; port < 21100; port++ {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(nstest.Addr), Port: port}}
		conn, err := from.Dial("tcp", h.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		if !serves(conn) {
			t.Errorf("port %d is not served", port)
		}
		leaveNothing(conn)
	}
	cancel()
	flood.Wait()
	if numbers, err := lease.Ask(consent.AskDrain, patience); err != nil || numbers.Accepted != 100 || *numbers.DistinctPeers != 100 {
		t.Errorf("%+v, %v, want 100", numbers, err)
	}
	if came, _ := h.guard.Strangers(); came == 0 {
		t.Error("there was no flood")
	}
}

// Where an address is translated on the way, it is the one that is seen that
// counts, whatever the generator says.
func TestTranslatedAddresses(t *testing.T) {
	seen := netip.MustParseAddrPort("192.0.2.1:5000")
	w := consent.Wish{Local: "10.0.0.1:5000", Sources: []netip.Addr{netip.MustParseAddr("10.0.0.2")}, Ports: []consent.PortRange{{Low: 1, High: 2}}}
	w.Perhaps = []netip.Addr{netip.MustParseAddr("10.0.0.3"), netip.MustParseAddr("10.0.0.4")}
	allows := func(addr netip.Addr) bool { return addr != w.Perhaps[0] }
	addrs, ports := origins(seen, w, allows)
	if len(addrs) != 1 || addrs[0] != seen.Addr() || ports != nil {
		t.Errorf("translated: %v, %v", addrs, ports)
	}
	w.Local = seen.String()
	if addrs, ports = origins(seen, w, allows); len(addrs) != 3 || addrs[2] != w.Perhaps[1] || len(ports) != 1 {
		t.Errorf("as it is: %v, %v", addrs, ports)
	}
}

// Strangers do not fill a log.
func TestQuiet(t *testing.T) {
	var said []string
	q := newQuiet(func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
	for i := range 5 {
		q.say("stranger %d", i)
	}
	q.last = q.last.Add(-strangersEvery)
	q.say("stranger %d", 5)
	if got, want := strings.Join(said, "; "), "stranger 0; stranger 5 (and 4 before)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A flood from one address keeps nobody out who has the token and another one.
func TestFloodKeepsNobodyOut(t *testing.T) {
	h := open(t, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	for range 4 {
		flood.Go(func() {
			for ctx.Err() == nil {
				if conn, err := net.Dial("tcp", h.Addrs()[0].String()); err == nil {
					_, _ = conn.Write([]byte{'{'})
					_ = conn.(*net.TCPConn).SetLinger(0)
					_ = conn.Close()
				}
			}
		})
	}
	waitFor(t, "flood", func() bool { _, away := h.guard.Strangers(); return away > 0 })
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	for i := range 50 {
		conn, err := from.Dial("tcp", h.Addrs()[0].String())
		if err != nil {
			t.Errorf("number %d: %v", i, err)
			continue
		}
		wish := consent.Wish{Local: conn.LocalAddr().String(), Visit: true}
		visit, err := consent.Generator{Token: h.token, Version: "1", Target: h.Addrs()[0], Patience: patience}.Prove(t.Context(), conn, wish)
		if err != nil {
			t.Errorf("number %d: %v", i, err)
			continue
		}
		_ = visit.Close()
	}
	cancel()
	flood.Wait()
}
