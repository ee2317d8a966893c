package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/kernel"
	"lastport/server/consent"
)

// arrives makes one connection to the address of a run's own listener on the real
// host, and sees whether it comes to a socket that listens there. An address may be
// the host's own and its packets still go elsewhere, by a rule of NAT or a virtual
// server (IPVS): that would be load without consent.
func arrives(ctx context.Context, cfg *loadgen.Config, target netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, consent.Patience)
	defer cancel()
	tries := arrivesTCP
	if cfg.UDP {
		tries = arrivesUDP
	}
	if err := tries(ctx, cfg, target); err != nil {
		return fmt.Errorf("this run's own listener at %s: %w", target, err)
	}
	return nil
}

// astray is the error of what did not arrive.
type astray struct{ err error }

func (e *astray) Error() string {
	return fmt.Sprintf("what is sent there does not arrive here: %v", e.err)
}
func (e *astray) Unwrap() error { return e.err }

// Hint says what to type.
func (e *astray) Hint() string {
	return "leave --target out, or 'lastport serve' where it does arrive, and --token-file"
}

func arrivesTCP(ctx context.Context, cfg *loadgen.Config, target netip.AddrPort) error {
	to := kernel.NewSockaddr(target)
	fd, errno := kernel.StreamSocket(to.Family())
	if errno != 0 {
		return fmt.Errorf("socket: %w", errno)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()          //nolint:errcheck // nothing was sent
	_ = kernel.SetReuseAddr(fd) // the run's listener comes next, and connections of earlier ones are no hindrance
	if errno := kernel.Bind(fd, &to); errno != 0 {
		return fmt.Errorf("bind: %w", errno)
	}
	const one = 1
	if errno := kernel.Listen(fd, one); errno != 0 {
		return fmt.Errorf("listen: %w", errno)
	}
	conn, err := reach(ctx, cfg, target, consent.Patience)
	if err != nil {
		return &astray{err}
	}
	defer reset(conn)
	var peer kernel.Sockaddr
	for {
		end, errno := kernel.Accept(fd, &peer)
		switch {
		case errno == 0:
			_ = kernel.Reset(end) // so that nothing stays in TIME_WAIT
			if own := conn.LocalAddr().String(); kernel.PlainAddrPort(peer.AddrPort()) == plainText(own) {
				return nil
			}
		case !pause(ctx, time.Millisecond):
			return &astray{fmt.Errorf("a connection to it is not accepted by it")}
		}
	}
}

// reset closes a connection by RST.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// plainText is kernel.PlainAddrPort of an address in words; the zero value if it is none.
func plainText(text string) netip.AddrPort {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}
	}
	return kernel.PlainAddrPort(at)
}

func arrivesUDP(ctx context.Context, cfg *loadgen.Config, target netip.AddrPort) error {
	to := kernel.NewSockaddr(target)
	var fds [2]int
	for i := range fds {
		fd, errno := kernel.DatagramSocket(to.Family())
		if errno != 0 {
			return fmt.Errorf("socket: %w", errno)
		}
		defer kernel.CloseFD(fd) //nolint:errcheck // nothing is lost
		fds[i] = fd
	}
	here, there := fds[0], fds[1]
	if errno := kernel.Bind(here, &to); errno != 0 {
		return fmt.Errorf("bind: %w", errno)
	}
	bindOutside(there, cfg, target)
	if errno := kernel.Connect(there, &to); errno != 0 {
		return &astray{fmt.Errorf("connect: %w", errno)}
	}
	if errno := kernel.WriteByte(there, 0); errno != 0 {
		return &astray{fmt.Errorf("write: %w", errno)}
	}
	var byteRead [1]byte
	for {
		n, errno := kernel.Read(here, byteRead[:])
		switch {
		case errno == 0 && n == 1:
			return nil
		case !pause(ctx, time.Millisecond):
			return &astray{fmt.Errorf("a datagram to it does not come to it")}
		}
	}
}
