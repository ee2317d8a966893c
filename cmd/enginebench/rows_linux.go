package main

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
)

// What a line may compare.

func rate(s sample) (float64, bool) { return s.rate, s.rate > 0 }
func took(s sample) (float64, bool) { return s.took, s.took > 0 }

// cpu is nanoseconds of processor time of one connection, both ends.
func cpu(s sample) (float64, bool) {
	if s.cost == nil {
		return 0, false
	}
	return float64(s.cost.CPUNSPerConn), true
}

// memory is bytes of lastport's own of one connection, both ends.
func memory(s sample) (float64, bool) {
	if s.cost == nil || s.cost.UserBytesPerConn == nil {
		return 0, false
	}
	return float64(*s.cost.UserBytesPerConn), true
}

// groups are all, in the order of the table.
func (l *lab) groups() []*group {
	n := runtime.NumCPU()
	list := []*group{
		l.churn("churn-direct-together", n, bound{least: 0.93}, "direct", "together", "churn", "one-thread"),
		l.churn("churn-direct-apart", n, bound{least: 0.85}, "direct", "apart", "churn", "split"),
		l.churn("churn-uring-together", n, bound{least: 0.93}, "uring", "together", "uring", "one-thread"),
		l.churn("churn-uring-apart", n, bound{least: 0.88}, "uring", "apart", "uring", "split"),
		l.peers(n),
		l.fill("connect", "connect"),
		l.fill("socket-range", "range"),
		l.hold(250_000, 1_000_000),
		l.cost(1000, 10_000, 100_000, 1_000_000),
	}
	for _, workers := range steps(n) {
		list = append(list, l.churn(fmt.Sprintf("workers-%d", workers), workers, bound{}, "direct", "together", "churn", "one-thread"))
	}
	return append(list, l.recording(n))
}

// steps is 1, 2, 4 … and at last n.
func steps(n int) (list []int) {
	for k := 1; k < n; k *= 2 {
		list = append(list, k)
	}
	return append(list, n)
}

// churnArm is lastport's churn as fast as it can, closed by RST.
func (l *lab) churnArm(workers int, engine, ends string, more ...string) *arm {
	return l.lastport("lastport", append([]string{
		"churn", "--rate", "max", "--close", "client-rst", "--strategy", "socket-range", "--range", "aws-nat", "--target", fourTargets,
		"--engine", engine, "--ends", ends, "--workers", strconv.Itoa(workers), "--duration", l.duration.String(),
	}, more...)...)
}

// fourTargets are as many as a loop's worker connects to in turn (limit.h): of
// one target all workers search the same ports, and wait for one another.
const fourTargets = "198.18.0.1:1000,198.18.0.2:1000,198.18.0.3:1000,198.18.0.4:1000"

func (l *lab) churn(name string, workers int, want bound, engine, ends, program, mode string) *group {
	ours := l.churnArm(workers, engine, ends)
	seconds := strconv.FormatFloat(l.duration.Seconds(), 'f', -1, 64)
	theirs := l.loop("1024", "65535", program, mode, seconds, strconv.Itoa(workers))
	return &group{arms: []*arm{ours, theirs}, lines: []line{{name, ours, theirs, rate, perSecond, want}}}
}

// peers compares with other generators: each must be left behind as the best.
func (l *lab) peers(workers int) *group {
	ours := l.churnArm(workers, "direct", "apart")
	g := &group{arms: []*arm{ours}}
	for _, p := range generators() {
		theirs := l.peer(p, workers)
		g.arms = append(g.arms, theirs)
		g.lines = append(g.lines, line{"peer-" + p.name, ours, theirs, rate, perSecond, bound{least: 2.5}})
	}
	return g
}

// fill has 18,000 ports: few enough for the loop's one descriptor table under a
// limit of 20,000.
func (l *lab) fill(strategy, mode string) *group {
	ours := l.lastport("lastport", "fill", "--range", "40000-57999", "--strategy", strategy)
	theirs := l.loop("40000", "57999", "fill", mode)
	return &group{arms: []*arm{ours, theirs}, lines: []line{{"fill-18000-" + mode, ours, theirs, took, seconds, bound{}}}}
}

// hold opens n connections, and many more.
func (l *lab) hold(n, more int) *group {
	ours, theirs, large := l.fillTo(n), l.loop("1024", "65535", "hold", strconv.Itoa(n)), l.fillTo(more)
	return &group{arms: []*arm{ours, theirs, large}, lines: []line{
		{fmt.Sprintf("hold-%d", n), ours, theirs, took, seconds, bound{most: 1.3}},
		{fmt.Sprintf("hold-%d", more), large, ours, took, seconds, bound{most: 5}},
		// 16 bytes for each end
		{fmt.Sprintf("memory-%d", n), ours, nil, memory, bytesOf, bound{most: 32}},
		{fmt.Sprintf("memory-%d", more), large, nil, memory, bytesOf, bound{most: 32}},
	}}
}

// cost asks whether a connection costs the same however many are held. The
// second largest number is what the others are compared with.
func (l *lab) cost(sizes ...int) *group {
	g := &group{}
	for _, n := range sizes {
		g.arms = append(g.arms, l.fillTo(n))
	}
	base := g.arms[len(g.arms)-2]
	for i, n := range sizes {
		if g.arms[i] != base {
			g.lines = append(g.lines, line{fmt.Sprintf("cost-%d", n), g.arms[i], base, cpu, micros, bound{least: 0.85, most: 1.15}})
		}
	}
	return g
}

// fillTo holds n connections.
func (l *lab) fillTo(n int) *arm {
	a := l.lastport(fmt.Sprintf("fill of %d", n), "fill", "--connections", strconv.Itoa(n))
	if l.quick && n > 250_000 {
		a.miss(errors.New("left out by --quick"))
	}
	return a
}

// recordingPairs is how many pairs tell what recording costs: it is little, and
// the machine's mood is not.
const recordingPairs = 20

// recording compares a churn with one that counts outcomes and records nothing:
// by its rate, which other work on the machine moves more than recording does,
// and by processor time, which it moves less.
func (l *lab) recording(workers int) *group {
	on := l.churnArm(workers, "direct", "together")
	off := l.churnArm(workers, "direct", "together", "--record", "off")
	off.name = "recording off"
	return &group{
		arms: []*arm{on, off}, rounds: recordingPairs,
		lines: []line{
			{"recording", on, off, rate, perSecond, bound{least: 0.98, most: 1.02, around: 1}},
			{"recording-cpu", on, off, cpu, micros, bound{least: 0.98, most: 1.02, around: 1}},
		},
	}
}
