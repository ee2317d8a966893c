package server

import (
	"strings"
	"testing"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// A listener with rings counts who came and went, and waits for a client's close
// unless that is an RST. Where there is a ring for each processor every one of
// them has its share.
func TestRing(t *testing.T) {
	const n = 300
	all, err := kernel.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	for _, rst := range []bool{false, true} {
		for _, cpus := range [][]int{nil, all} {
			l := listenApart(t, Config{Ring: true, RST: rst, CPUs: cpus})
			var fds []int
			for range n {
				fds = append(fds, dial(t, l.Addrs()[0]))
			}
			waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == n })
			if s := l.Stats(); !rst && *s.Open() != n {
				t.Errorf("%d open, and no client has closed", *s.Open())
			}
			for _, fd := range fds {
				closeClient(fd, rst)
			}
			if err := l.Drain(); err != nil {
				t.Error(err)
			}
			s := l.Stats()
			if s.Accepted != n || *s.Closed != n || s.NoFD != 0 || s.DistinctPeers != nil || s.DistinctTuples != nil {
				t.Errorf("rst %v, %d processors: %+v", rst, len(cpus), s)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if _, errno := dialErrno(l.Addrs()[0]); errno == 0 {
				t.Error("it still answers")
			}
		}
	}
}

// A client that never closes keeps Drain and Close waiting for a while, not for
// ever, and is closed with the ring.
func TestRingWithAClientThatStays(t *testing.T) {
	l := listenApart(t, Config{Ring: true})
	fd := dial(t, l.Addrs()[0])
	waitStats(t, l, "the accept", func(s result.Server) bool { return s.Accepted == 1 })
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for !kernel.Finished(fd) {
		kernel.Sleep(ringPause)
	}
	_ = kernel.CloseFD(fd)
}

func TestRingRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"udp": {UDP: true}, "together": {Together: true}, "server first": {ServerFirst: true},
		"idle": {Idle: 1}, "limit": {MaxConnections: 1}, "vanish": {Vanish: true},
	} {
		c.Addrs, c.Ring = listenOnly(t, Config{}).Addrs(), true
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "by a ring") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
