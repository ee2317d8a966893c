package main

import (
	"context"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// dialFrom connects from the port, with SO_REUSEADDR: of two such sockets the second
// may have the port of the first while that is in TIME_WAIT.
func dialFrom(t *testing.T, target string, port int) *net.TCPConn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
	}}
	conn, err := d.DialContext(context.Background(), "tcp4", target)
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// leaveTimeWait leaves a socket in TIME_WAIT between the port and the target, and
// returns the listener there.
func leaveTimeWait(t *testing.T, target string, port int) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", target)
	if err != nil {
		t.Fatal(err)
	}
	conn := dialFrom(t, target, port)
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close() // first
	_, _ = far.Read(make([]byte, 1))
	_ = far.Close()
	return l
}

// endTimeWait ends it by a new connection of the same ports, which it resets.
func endTimeWait(t *testing.T, target string, port int) {
	t.Helper()
	l, err := net.Listen("tcp4", target)
	if err != nil {
		t.Fatal(err)
	}
	conn := dialFrom(t, target, port)
	_ = conn.SetLinger(0)
	_ = conn.Close()
	_ = l.Close()
}
