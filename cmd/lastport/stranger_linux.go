package main

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/kernel"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
)

// What a run meets in production and not in an empty place: a stranger that has
// ports of the range, and a listener that closes late.

// addTroubles adds the flags that bring both into the private place.
func (f *runFlags) addTroubles(fs *pflag.FlagSet) {
	fs.StringVar(&f.held, "held", "", "`PORTS` of the range that a stranger in the place has bound, so that no strategy gets them")
	fs.DurationVar(&f.linger, "linger", 0, "how `LONG` the listener keeps its end open when it was to close it")
}

// maxLinger bounds --linger below the 60 s after which the kernel gives up an end
// in FIN_WAIT_2 by default (tcp_fin_timeout).
const maxLinger = 30 * time.Second

// troubles reads --held and --linger.
func (f *runFlags) troubles(c *loadgen.Config, host place.Host) error {
	if err := f.heldPorts(c); err != nil {
		return err
	}
	switch {
	case f.linger == 0:
		return nil
	case f.linger < 0 || f.linger > maxLinger:
		return usagef("--linger 200ms", "--linger %v: want 0 to %v", f.linger, maxLinger)
	case c.UDP:
		return usagef("leave --linger out", "--linger %v with --proto udp: UDP has no close to be late for", f.linger)
	case c.Scenario == "survey":
		return usagef("leave --linger out", "--linger %v: a survey closes by RST, which waits for no close of the listener's", f.linger)
	case c.Close.RST() && !c.Close.ServerFirst():
		return usagef("--close client-fin", "--linger %v with --close %s: an RST waits for no close of the listener's", f.linger, c.Close)
	case f.ends == loadgen.EndsTogether.String():
		return usagef("--ends apart", "--linger %v with --ends together: the generator's thread closes the other end itself", f.linger)
	case c.Close.ServerFirst() && f.linger >= f.timeout:
		return usagef(fmt.Sprintf("--timeout %v", 2*f.linger), "--linger %v: --timeout %v is over before the listener closes", f.linger, f.timeout)
	case !c.Close.ServerFirst() && f.linger >= finTimeout(c, host):
		return usagef("--linger 200ms", "--linger %v: after %v (%s) the kernel gives up what waits for the listener's close", f.linger, finTimeout(c, host), keyFinTimeout)
	}
	c.Linger, c.Ends = f.linger, loadgen.EndsApart
	return nil
}

// keyFinTimeout is how many seconds an end stays in FIN_WAIT_2.
const keyFinTimeout = "net.ipv4.tcp_fin_timeout"

func finTimeout(c *loadgen.Config, host place.Host) time.Duration {
	text, ok := c.Sysctls[keyFinTimeout]
	if !ok {
		text = host.Settings[keyFinTimeout]
	}
	var seconds int
	if _, err := fmt.Sscan(text, &seconds); err != nil {
		return time.Minute // the kernel's default
	}
	return time.Duration(seconds) * time.Second
}

// heldPorts reads --held.
func (f *runFlags) heldPorts(c *loadgen.Config) (err error) {
	if f.held == "" {
		return nil
	}
	if c.Held, err = ports.Parse(f.held); err != nil {
		return named("--held", err)
	}
	wanted := c.Ports()
	if out := c.Held.Minus(wanted); out.Size() > 0 {
		return usagef("--held with ports of "+wanted.String(), "--held %s: %s is not in the range %s", f.held, out, wanted)
	}
	if wanted.Minus(c.Held).Size() == 0 {
		return usagef("--held with fewer ports", "--held %s leaves no port of the range %s", f.held, wanted)
	}
	for _, t := range c.Targets {
		if c.Held.Contains(t.Port()) {
			return usagef("--target with a port that is not held", "--held %s: the listener is to have port %d", f.held, t.Port())
		}
	}
	return nil
}

// stranger holds ports as a program does that has nothing to do with the run: by
// sockets that are bound to each of them on every address, and without an option
// that would share it. Over TCP they listen: that every kernel shows in sock_diag.
// Its threads have descriptor tables of their own, so that it takes none of the
// run's descriptors.
type stranger struct{ threads []*kernel.Thread }

// strangerKeeps is how many descriptors of a table the stranger leaves free.
const strangerKeeps = 8

// holdPorts makes the stranger; nil where there is nothing to hold.
func holdPorts(cfg *loadgen.Config) (*stranger, error) {
	if cfg.Held.Size() == 0 {
		return nil, nil
	}
	s := &stranger{}
	var thread *kernel.Thread
	room := 0
	for port := range cfg.Held.All() {
		if room <= 0 {
			var err error
			if thread, err = kernel.NewThread(); err != nil {
				s.leave()
				return nil, fmt.Errorf("hold ports: %w", err)
			}
			s.threads = append(s.threads, thread)
			room = max(1, thread.Free()-strangerKeeps)
		}
		room--
		at := kernel.NewSockaddr(anyAddress(cfg, port))
		var errno syscall.Errno
		thread.Do(func() { errno = bindFor(&at, cfg.UDP) })
		if errno != 0 {
			s.leave()
			return nil, fmt.Errorf("hold port %d: %w", port, errno)
		}
	}
	return s, nil
}

// anyAddress is the port on every address of the run's family.
func anyAddress(cfg *loadgen.Config, port uint16) netip.AddrPort {
	if cfg.Targets[0].Addr().Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), port)
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), port)
}

// bindFor binds a socket and leaves it open in the calling thread's table.
func bindFor(at *kernel.Sockaddr, udp bool) syscall.Errno {
	open := kernel.StreamSocket
	if udp {
		open = kernel.DatagramSocket
	}
	fd, errno := open(at.Family())
	if errno == 0 {
		errno = kernel.Bind(fd, at)
	}
	if errno == 0 && !udp {
		errno = kernel.Listen(fd, 0)
	}
	return errno
}

// leave frees the ports.
func (s *stranger) leave() {
	if s == nil {
		return
	}
	for _, t := range s.threads {
		t.Close()
	}
}
