package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
)

// crowdedArg makes the test program one that uses up the ports toward a target,
// in the namespace that it is started in, and examines the host.
const crowdedArg = "doctor-test-crowded"

// crowded opens 100 connections from 100 ports, closes half of them, and writes
// what the check says: without tcp_tw_reuse, and with it.
func crowded() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40099"), 0o644); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:1999")
	if err != nil {
		return err
	}
	var clients, servers []net.Conn
	for i := range 100 {
		client, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", "127.0.0.1:1999")
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		server, err := l.Accept()
		if err != nil {
			return err
		}
		clients, servers = append(clients, client), append(servers, server)
	}
	for i := range 50 { // when all are open, so that no port is given out twice
		_ = clients[i].Close()
		_, _ = io.Copy(io.Discard, servers[i])
		_ = servers[i].Close()
	}
	err = examineCrowd()
	runtime.KeepAlive([]any{clients, servers, l}) // the garbage collector closes what nobody has
	return err
}

// examineCrowd writes what the check says.
func examineCrowd() error {
	var checks []result.Check
	for _, reuse := range []string{"0", "2"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/tcp_tw_reuse", []byte(reuse), 0o644); err != nil {
			return err
		}
		f := healthy()
		for _, key := range Keys() {
			f.Sysctls[key] = factOf(kernel.ReadSysctl(key))
		}
		f.lookAtSockets("/proc")
		checks = append(checks, checkFullest(f))
	}
	return json.NewEncoder(os.Stdout).Encode(checks)
}

// A real target toward which all ports are taken, half of them in TIME_WAIT.
func TestFullestTargetOfARealHost(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", crowdedArg)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.Output()
	if err != nil {
		if cmd.Process != nil {
			t.Fatal(err)
		}
		nstest.Unavailable(t, err)
	}
	var got []result.Check
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	const found = "127.0.0.1:1999: 100 of 100 ports from 127.0.0.1 taken, 50 in TIME_WAIT"
	for i, want := range []result.Status{result.Falsifies, result.Noted} {
		if got[i].Status != want || got[i].Found != found {
			t.Errorf("%+v, want %s: %s", got[i], want, found)
		}
	}
}
