package loadgen

import (
	"errors"
	"strings"
	"testing"
)

func TestNeedsAreChecked(t *testing.T) {
	roomy := Needs{Connections: 1000, Files: 2000, FilesLeft: -1, Memory: 1000 * kernelBytes, MemoryLeft: -1}
	for _, c := range []struct {
		name string
		with func(*Needs)
		says []string // in the error; none: it fits
		hint string
	}{
		{"nothing is known", func(*Needs) {}, nil, ""},
		{"just enough memory", func(n *Needs) { n.MemoryLeft = 9_102_230 }, nil, ""},
		{
			"a page too little memory", func(n *Needs) { n.MemoryLeft, n.MemoryBound = 9_102_220, "MemAvailable" },
			[]string{"1,000 connections", "8192 bytes each", "MemAvailable"},
			"--connections 999",
		},
		{
			"a control group", func(n *Needs) { n.MemoryLeft, n.MemoryBound = 0, "a/memory.max" },
			[]string{"of the 0 MB available (a/memory.max)"},
			"--connections 1",
		},
		{"just enough files", func(n *Needs) { n.FilesLeft = 2230 }, nil, ""},
		{
			"too few files", func(n *Needs) { n.FilesLeft, n.FilesMost = 2220, 10_000 },
			[]string{"2,000 open files", "of the 2,220 that fs.file-max leaves"},
			"--connections 999, or as root: sysctl -w fs.file-max=10010",
		},
		{
			"too few files for datagrams", func(n *Needs) { n.Files, n.FilesLeft = 1000, 1000 },
			[]string{"1,000 open files"},
			"--connections 900,",
		},
		{
			"a low descriptor limit", func(n *Needs) { n.Tables = Tables{Limit: 42, Threads: 25, Each: 2, Targets: 1, Shares: 8} },
			[]string{"a descriptor limit of 42", "1,000 connections in 25 threads"},
			"raise it with 'ulimit -n 122', or hold fewer with --connections 25",
		},
		{"a descriptor limit that may do", func(n *Needs) { n.Tables = Tables{Limit: 96, Threads: 25, Each: 2, Targets: 1, Shares: 8} }, nil, ""},
		{
			"a limit that many listeners take", func(n *Needs) { n.Tables = Tables{Limit: 96, Threads: 25, Each: 2, Targets: 3, Shares: 8} },
			[]string{"a descriptor limit of 96"},
			"raise it with 'ulimit -n 138', or hold fewer with --connections 500",
		},
		{
			"memory, and the least of all bounds", func(n *Needs) {
				n.MemoryLeft, n.MemoryBound, n.FilesLeft = 9_000_000, "MemAvailable", 1000
				n.Tables = Tables{Limit: 42, Threads: 25, Each: 2, Targets: 1, Shares: 8}
			},
			[]string{"MemAvailable"},
			"--connections 25",
		},
		{
			"memory, and files are less", func(n *Needs) { n.MemoryLeft, n.MemoryBound, n.FilesLeft = 9_000_000, "MemAvailable", 1000 },
			[]string{"MemAvailable"},
			"--connections 450",
		},
	} {
		n := roomy
		c.with(&n)
		err := n.Check()
		if (err != nil) != (c.says != nil) {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", c.name, err, part)
			}
		}
		if hint, ok := errors.AsType[interface {
			error
			Hint() string
		}](err); ok && !strings.HasPrefix(hint.Hint(), c.hint) {
			t.Errorf("%s: hint %q, want %q", c.name, hint.Hint(), c.hint)
		}
	}
}

// What a run is told is what this machine has.
func TestNeedsOfThisMachine(t *testing.T) {
	tcp, udp := &Config{Workers: 1}, &Config{Workers: 1, UDP: true}
	if err := tcp.Needs(1).Check(); err != nil {
		t.Error(err)
	}
	if err := tcp.Needs(1 << 62).Check(); err == nil {
		t.Error("2^62 connections fit")
	}
	n := tcp.Needs(1 << 40)
	if _, ok := errors.AsType[*MemoryError](n.Check()); !ok {
		t.Errorf("2^40 connections: error %v", n.Check())
	}
	if n.Files != 1<<41 || udp.Needs(1<<40).Files != 1<<40 || n.Tables.Limit == 0 {
		t.Errorf("%+v", n)
	}
}

func TestLowMemory(t *testing.T) {
	left, failed := int64(1000), error(nil)
	l := newLowMemory(func() (int64, error) { return left, failed })
	for _, c := range []struct {
		left   int64
		failed error
		set    bool
	}{{1000, nil, false}, {50, nil, false}, {0, errors.New("unread"), false}, {49, nil, true}, {1000, nil, true}} {
		left, failed = c.left, c.failed
		if l.look(); l.set.Load() != c.set {
			t.Errorf("%d left, error %v: set is %v", c.left, c.failed, l.set.Load())
		}
	}
	if l.left != 49 {
		t.Errorf("set at %d", l.left)
	}
	unknown := newLowMemory(func() (int64, error) { return 0, errors.New("unread") })
	unknown.read = func() (int64, error) { return 0, nil }
	if unknown.look(); unknown.set.Load() {
		t.Error("set without a floor")
	}
}
