package loadgen

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/server"
)

// TestStacksBesideOneAnother has a listener of IPv6 inside the range of a fill
// over IPv4. One for both families (::ffff:0.0.0.0 is in its ::) costs every
// strategy its port. One for IPv6 alone costs it too, over TCP, where the kernel
// searches at connect: that search does not look at addresses, nor at families.
// bind and ports that we choose conflict by address, and so does all UDP.
func TestStacksBesideOneAnother(t *testing.T) {
	for _, udp := range []bool{false, true} {
		for _, only := range []bool{false, true} {
			for _, name := range []string{"connect", "bind", "late-bind", "window", "random"} {
				t.Run(fmt.Sprintf("udp=%t/v6only=%t/%s", udp, only, name), func(t *testing.T) {
					cfg := config(fresh(t, 20), freshTarget())
					cfg.Strategy, cfg.UDP = name, udp
					if udp {
						cfg.Close = step.ClientFIN
					}
					port := cfg.Range[0].Low + 7
					hold6(t, udp, only, port)
					traits := traitsOf(t, &cfg)
					want := int64(19)
					if only && (udp || traits.Early || traits.Explicit) {
						want = 20
					}
					r := must(t, cfg, bundled(t, &cfg), &frames{})
					if !r.Verdict.OK || *r.Measured.Connections != want || *r.Residual.Connections != 0 {
						t.Errorf("%d connections of %+v predicted, want %d: %+v, %+v", *r.Measured.Connections, r.Predicted.Connections, want, r.Verdict, r.Outcomes)
					}
					if len(r.Space.Taken) != 1 || r.Space.Taken[0].Port != port {
						t.Errorf("taken: %+v, want port %d", r.Space.Taken, port)
					}
				})
			}
		}
	}
}

// hold6 listens on [::]:port, for IPv6 only or for both families, until the test
// ends.
func hold6(t *testing.T, udp, only bool, port uint16) {
	t.Helper()
	open := kernel.StreamSocket
	if udp {
		open = kernel.DatagramSocket
	}
	fd, errno := open(unix.AF_INET6)
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { _ = kernel.CloseFD(fd) })
	v6only := 0
	if only {
		v6only = 1
	}
	sa := kernel.NewSockaddr(netip.AddrPortFrom(netip.IPv6Unspecified(), port))
	errno = kernel.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, v6only)
	if errno == 0 {
		errno = kernel.Bind(fd, &sa)
	}
	if errno == 0 && !udp {
		errno = kernel.Listen(fd, 1)
	}
	if errno != 0 {
		t.Fatal(errno)
	}
}

func traitsOf(t *testing.T, cfg *Config) strategy.Traits {
	t.Helper()
	run, err := strategy.New(cfg.Strategy, cfg.space(nil))
	if err != nil {
		t.Fatal(err)
	}
	return run.Traits()
}

// bundled is the listener that a run has by default.
func bundled(t *testing.T, cfg *Config) Peer {
	t.Helper()
	l, err := server.New(server.Config{Addrs: cfg.Targets, UDP: cfg.UDP, Keep: true})
	if err == nil {
		err = l.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
