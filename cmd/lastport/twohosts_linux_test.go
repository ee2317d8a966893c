package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// The two ends of the link between the namespaces of a test.
const (
	nearAddr = "10.9.0.1"
	farAddr  = "10.9.0.2"
)

// elsewhere runs a server in a namespace of its own, at the other end of a link
// from the test's, and returns it. The test must be in a namespace.
func elsewhere(t *testing.T, args ...string) *serving {
	t.Helper()
	var s serving
	err := onAnotherThread(func() error {
		if err := otherHost(); err != nil {
			return err
		}
		s.start(append([]string{"serve", "--listen", farAddr + ":7000"}, args...)...)
		return s.cmd.Start()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // fails where it has ended
	if err := furnishLink("near", nearAddr); err != nil {
		t.Fatal(err)
	}
	s.ready(t)
	return &s
}

// onAnotherThread calls f on a thread that ends with it, so that it may become
// another host. The main thread does not end, and its namespace is what
// /proc/self shows: it is none for that.
func onAnotherThread(f func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			failed <- onAnotherThread(f)
			runtime.UnlockOSThread()
			return
		}
		failed <- f()
	}()
	return <-failed
}

// otherHost makes the calling thread another host, with a link to the first one.
func otherHost() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "far"}, PeerName: "near"}
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("add a link: %w", err)
	}
	near, err := netlink.LinkByName("near")
	if err == nil {
		err = netlink.LinkSetNsPid(near, os.Getpid())
	}
	if err != nil {
		return err
	}
	return furnishLink("far", farAddr)
}

// furnishLink gives a link its address, and a link-local one that ends alike. The
// kernel makes none by itself, which would become the one to choose in the middle of a
// run. A stray RST ends no TIME_WAIT of that host (RFC 1337).
func furnishLink(name, addr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	const none = "1" // IN6_ADDR_GEN_MODE_NONE
	for key, value := range map[string]string{"net.ipv6.conf." + name + ".addr_gen_mode": none, "net.ipv4.tcp_rfc1337": "1"} {
		if err := kernel.WriteSysctl(key, value); err != nil {
			return err
		}
	}
	for _, text := range []string{addr + "/24", "fe80::" + addr[strings.LastIndexByte(addr, '.')+1:] + "/64"} {
		a, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD // nobody else can have it: it is there at once
		}
		if err := netlink.AddrAdd(link, a); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(link)
}

// removeLink takes away the link to a server that has ended, so that there can be
// another one.
func removeLink(t *testing.T) {
	t.Helper()
	link, err := netlink.LinkByName("near")
	if err != nil {
		return // it went with the other end's namespace
	}
	if err := netlink.LinkDel(link); err != nil {
		t.Fatal(err)
	}
}
