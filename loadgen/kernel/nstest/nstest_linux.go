// Package nstest runs a package's tests against the real kernel in a private
// user and network namespace, without root and without touching the host.
//
// It is for tests only. Where a run happens is package place's job: that one
// takes over the host's settings, this one starts from the kernel's defaults.
package nstest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Addr and Addr6 are the addresses, beside 127.0.0.1 and ::1, that the tests'
// loopback link has: of the ranges for benchmarks (RFC 2544, RFC 5180), because
// the default of tcp_tw_reuse treats 127.0.0.0/8 and ::1 unlike addresses of
// production.
const (
	Addr  = "198.18.0.1"
	Addr6 = "2001:2::1"
)

const (
	insideEnv  = "LASTPORT_NSTEST_INSIDE"
	requireEnv = "LASTPORT_REQUIRE_NETNS"
	ringEnv    = "LASTPORT_REQUIRE_URING"
)

// Run runs a package's tests in a private namespace with a loopback link that is
// up and has Addr and Addr6, and somaxconn at 65,535, and returns the status with
// which TestMain is to end the process.
//
// Where no namespace can be made the tests are skipped with a line that says
// so, or fail if LASTPORT_REQUIRE_NETNS is 1.
func Run(m *testing.M) int {
	if os.Getenv(insideEnv) == "" {
		return runInside()
	}
	if err := furnish(); err != nil {
		return refuse(os.Stderr, err)
	}
	return m.Run()
}

// runInside runs this test binary again in new namespaces and returns its exit
// status.
func runInside() int {
	// Pdeathsig follows the thread that starts the child, not the process.
	runtime.LockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return refuse(os.Stderr, fmt.Errorf("new user and network namespace: %w", err))
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	}
	_, _ = fmt.Fprintf(os.Stderr, "tests in a private namespace: %v\n", err)
	return 1
}

// refuse says on w why there is no namespace and returns the exit status for it.
func refuse(w io.Writer, err error) int {
	if os.Getenv(requireEnv) == "1" {
		_, _ = fmt.Fprintf(w, "FAIL: no private namespace, and %s=1: %v\n", requireEnv, err)
		return 1
	}
	_, _ = fmt.Fprintf(w, "SKIP: no private namespace: %v\n", err)
	return 0
}

// furnish makes the new namespace usable. It may run twice in one namespace:
// fuzzing starts the test binary again.
func furnish() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find link lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	for _, text := range []string{Addr + "/32", Addr6 + "/128"} {
		addr, err := netlink.ParseAddr(text)
		if err == nil {
			// Without duplicate address detection: even on loopback, where it finds
			// nothing, an address cannot be bound until it is over.
			addr.Flags = unix.IFA_F_NODAD
			err = netlink.AddrAdd(lo, addr)
		}
		if err != nil && !errors.Is(err, syscall.EEXIST) {
			return fmt.Errorf("add %s to lo: %w", text, err)
		}
		if err := awaitLocal(addr.IP); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/proc/sys/net/core/somaxconn", []byte("65535"), 0o644); err != nil {
		return fmt.Errorf("set net.core.somaxconn: %w", err)
	}
	return nil
}

// awaitLocal waits until a worker of the kernel has made the address the host's
// own (addrconf_dad_work in net/ipv6/addrconf.c): what is sent to it earlier is
// lost.
func awaitLocal(ip net.IP) error {
	const patience = 20 * time.Second
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		routes, err := netlink.RouteGet(ip)
		switch {
		case err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL:
			return nil
		case time.Since(began) > patience:
			return errors.Join(fmt.Errorf("address %s: the kernel has not made it the host's own: routes %v", ip, routes), err)
		}
	}
}

// Unavailable ends a test that makes a namespace of its own and cannot: it is
// skipped, or fails if LASTPORT_REQUIRE_NETNS is 1.
func Unavailable(t testing.TB, why error) {
	t.Helper()
	unavailable(t, requireEnv, why)
}

// NeedRing ends a test that needs io_uring where a probe of it has failed: it is
// skipped with the kernel's reason, or fails if LASTPORT_REQUIRE_URING is 1. After
// a probe that has not failed it does nothing.
func NeedRing(t testing.TB, probed error) {
	t.Helper()
	if probed != nil {
		unavailable(t, ringEnv, probed)
	}
}

func unavailable(t testing.TB, env string, why error) {
	t.Helper()
	if os.Getenv(env) == "1" {
		t.Fatalf("%v, and %s=1 asks for it", why, env)
	}
	t.Skipf("%v", why)
}
