package loadgen

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == MinderVerb { // a command's, of this program
		_ = Mind(os.Stdin) // does not return
	}
	os.Exit(nstest.Run(m))
}

// setRange makes low to high the namespace's ephemeral range.
func setRange(t *testing.T, low, high uint16) ports.Ranges {
	t.Helper()
	text := fmt.Sprintf("%d %d", low, high)
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return ports.Of(ports.Range{Low: low, High: high})
}

// used counts the source ports that fresh has handed out, and targets the
// listeners' ports.
var used, targets atomic.Uint32

// freshTarget is an address that no other test listens on: what a listener that
// closes first leaves in TIME_WAIT keeps its port from the next.
func freshTarget() string { return fmt.Sprintf("%s:%d", nstest.Addr, 3000+targets.Add(1)) }

// fresh makes n ports the namespace's range that no other test uses: what one
// leaves in TIME_WAIT is not in another's way. An even n begins at an even port.
func fresh(t *testing.T, n uint16) ports.Ranges {
	t.Helper()
	const first = 42000
	low := first + uint16(used.Add(uint32(n))) - n
	return setRange(t, low, low+n-1)
}

// config is a small fill; each test has a target port of its own.
func config(r ports.Ranges, target string) Config {
	return Config{
		ID: "test", Scenario: "fill", Range: r, Targets: []netip.AddrPort{netip.MustParseAddrPort(target)},
		Strategy: "connect", Close: step.ClientRST, Timeout: time.Second, Workers: 1, Engine: EngineDirect, Ends: EndsApart,
	}
}

// behaviour is what a stub does with a connection.
type behaviour int

const (
	keeps   behaviour = iota // accepts and keeps
	resets                   // accepts and resets
	ignores                  // never accepts
	serves                   // accepts, answers requests, and closes when it is asked to or the generator has
	stops                    // accepts a few and no more; its queue is short
)

// stub is a peer of the tests' own: one thread, one address.
type stub struct {
	addr     netip.AddrPort
	fd       int
	does     behaviour
	stop     chan struct{}
	done     sync.WaitGroup
	mu       sync.Mutex
	held     []int
	accepted int64
	closed   int64
	requests int64
	peers    map[netip.AddrPort]bool
}

// stopsAfter is how many connections a stub accepts that then stops.
const stopsAfter = 50

// listen starts a stub. The queue of one that ignores, or stops, holds one
// connection.
func listen(t *testing.T, addr netip.AddrPort, does behaviour) *stub {
	t.Helper()
	s := &stub{addr: addr, does: does, stop: make(chan struct{}), peers: map[netip.AddrPort]bool{}}
	fd, errno := kernel.StreamSocket(unix.AF_INET)
	sa := kernel.NewSockaddr(addr)
	if errno == 0 {
		errno = kernel.Bind(fd, &sa)
	}
	backlog := 4096
	if does == ignores || does == stops {
		backlog = 0
	}
	if errno == 0 {
		errno = kernel.Listen(fd, backlog)
	}
	if errno != 0 {
		t.Fatal(errno)
	}
	s.fd = fd
	s.done.Go(s.accept)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (s *stub) accept() {
	for {
		select {
		case <-s.stop:
			return
		default:
		}
		if s.does == ignores || s.does == stops && s.Stats().Accepted >= stopsAfter || !s.take() {
			time.Sleep(time.Millisecond)
		}
		if s.does == serves || s.does == stops {
			s.serve()
		}
	}
}

func (s *stub) take() bool {
	var peer kernel.Sockaddr
	fd, errno := kernel.Accept(s.fd, &peer)
	if errno == syscall.EAGAIN || errno != 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted++
	s.peers[peer.AddrPort()] = true
	if s.does == resets {
		_ = kernel.Reset(fd)
		s.closed++
	} else {
		s.held = append(s.held, fd)
	}
	return true
}

// serve reads what has come on the connections: a request is answered, and
// anything else, or the end, closes.
func (s *stub) serve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = slices.DeleteFunc(s.held, func(fd int) bool {
		var said [1]byte
		n, errno := kernel.Read(fd, said[:])
		switch {
		case errno == syscall.EAGAIN:
			return false
		case errno == 0 && n == 1 && said[0] == 1:
			s.requests++
			return kernel.WriteByte(fd, 1) != 0
		}
		_ = kernel.CloseFD(fd)
		s.closed++
		return true
	})
}

func (s *stub) Addrs() []netip.AddrPort { return []netip.AddrPort{s.addr} }

// CPUTime is not told: the stub has no thread of its own.
func (s *stub) CPUTime() kernel.CPUTime { return kernel.CPUTime{} }

func (s *stub) Stats() result.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	closed, peers := s.closed, int64(len(s.peers))
	return result.Server{Accepted: s.accepted, Closed: &closed, DistinctPeers: &peers, Requests: s.requests}
}

func (s *stub) Drain() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fd := range s.held {
		_ = kernel.CloseFD(fd)
		s.closed++
	}
	s.held = nil
	return nil
}

func (s *stub) Close() error {
	select {
	case <-s.stop:
		return nil
	default:
	}
	close(s.stop)
	s.done.Wait()
	_ = kernel.CloseFD(s.fd)
	return s.Drain()
}

// frames keeps what a run tells.
type frames struct {
	mu   sync.Mutex
	all  []Frame
	each func(Frame)
}

func (f *frames) Frame(frame Frame) error {
	f.mu.Lock()
	f.all = append(f.all, frame)
	f.mu.Unlock()
	if f.each != nil {
		f.each(frame)
	}
	return nil
}
