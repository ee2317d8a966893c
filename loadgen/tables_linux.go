package loadgen

import (
	"fmt"
	"runtime"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/reports/figures"
)

// listenerThreads is how many threads with descriptor tables of their own a
// listener apart has at most (package server).
const listenerThreads = 256

// Tables is what the descriptor tables of a run's threads can hold.
type Tables struct {
	Limit   uint64 // descriptors of one table (RLIMIT_NOFILE); 0: not known
	Threads int64  // that can have a table each
	Each    int64  // descriptors that a connection takes in a table
	Targets int    // whose listeners each table has
	Shares  int    // of a target, at most: its listeners, one for each processor
}

// tables reads what c's threads can have. Datagrams come by one socket of the
// listener's.
func (c *Config) tables() Tables {
	t := Tables{Threads: engine.MaxThreads * int64(max(1, c.Workers)), Each: 1, Targets: max(1, len(c.Targets)), Shares: runtime.NumCPU()}
	switch {
	case c.UDP:
	case c.Ends == EndsTogether:
		t.Each = 2
	default:
		t.Threads = min(t.Threads, listenerThreads)
	}
	if limit, err := kernel.NoFileLimit(); err == nil {
		t.Limit = limit
	}
	return t
}

// What a table holds beside connections: so much and a listener for each target at
// least, and with a target's listeners certainly no more.
const (
	leastTaken = 15
	mostTaken  = 32
)

// fits says whether so many connections may fit. Where it is close the engine
// decides, which knows what its tables hold.
func (t Tables) fits(connections int64) bool {
	return t.Limit == 0 || connections <= t.room(int64(leastTaken+t.Targets))
}

// certain is how many connections fit in any case, one at least.
func (t Tables) certain() int64 { return max(1, t.room(t.taken())) }

func (t Tables) taken() int64 { return int64(mostTaken + t.Targets*t.Shares) }

func (t Tables) room(taken int64) int64 {
	const enough = 1 << 31 // descriptors: no table has more
	return t.Threads * max(0, (int64(min(t.Limit, enough))-taken)/t.Each)
}

// TableError says that the descriptor limit is too low: the tables of all threads
// that a run may have do not hold the connections.
type TableError struct {
	Connections int64
	Tables
	Fits int64 // connections that all of the machine's bounds allow
}

func (e *TableError) Error() string {
	return fmt.Sprintf("a descriptor limit of %d is too low to hold %s connections in %s threads", e.Limit, figures.Grouped(e.Connections), figures.Grouped(e.Threads))
}

// Hint says what to type.
func (e *TableError) Hint() string {
	need := e.taken() + e.Each*(e.Connections+e.Threads)/e.Threads
	return fmt.Sprintf("raise it with 'ulimit -n %d', or hold fewer with --connections %d", need, e.Fits)
}
