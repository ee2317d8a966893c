// Package fakekernel plays a kernel, and an engine in front of it, in virtual
// time: it drives scenarios in tests without sockets, namespaces or waiting,
// and a minute of TIME_WAIT takes no time at all.
//
// It knows sources and targets by their numbers alone. What the real kernel does is tested
// against the real kernel, in package engine; what a scenario makes of it is
// tested against this one.
package fakekernel

import (
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// FirstPort is the lowest source port.
const FirstPort uint16 = 20000

// What Config's zero values stand for.
const (
	defaultCall    = 10 * time.Microsecond
	defaultTimeout = 5 * time.Second
)

// Config says how the kernel behaves.
type Config struct {
	Ports     int            // usable source ports of each pair of source and target, from FirstPort on; at most 45,000
	Targets   int            // targets; 0: one
	Sources   int            // sources; 0: one
	Shared    bool           // a port that is taken is so for every target
	Close     step.CloseMode // how connections are closed
	Reuse     time.Duration  // how long a port stays in TIME_WAIT after the client's FIN
	Call      time.Duration  // what each call takes; 0: 10 µs
	Timeout   time.Duration  // of an attempt, and of a close that the listener owes; 0: 5 s
	PeerClose time.Duration  // how long a listener that closes first lets the generator wait
	// Fate decides over an attempt, counted from 1 over all workers, probes
	// included. Nil: all go well.
	Fate func(attempt, now int64) Fate
	// Request decides over a request, counted from 1 over all workers. One that
	// fails, or is not answered in time, ends its connection by RST. Nil: all go
	// well.
	Request func(request int64) Fate
	// Stall is when a worker stands still, once, and for how long.
	Stall struct{ At, For time.Duration }
	// Each is called with the time before anything is done; it may stop a work.
	Each func(now int64)
	// Done gets every completion, before its work does.
	Done func(worker int, c step.Completion)
}

// Fate is what is to come of an attempt or a request. The zero value is success at once.
type Fate struct {
	Outcome outcome.Code  // other than OK: it fails
	After   time.Duration // the answer comes so much later; from the timeout on it is timed_out
}

// Silent is the fate of what nobody answers.
func Silent() Fate { return Fate{After: 1<<63 - 1} }

// Kernel holds the ports. It belongs to one goroutine.
type Kernel struct {
	config   Config
	now      int64
	pools    []pool
	conns    map[uint32]place
	names    uint32 // connections so far
	tries    int64  // attempts so far, probes included
	attempts int64
	requests int64
	opened   int64
	outcomes [outcome.Count]int64
}

// pool is the ports of a source, or of a source toward a target.
type pool struct {
	ports []port
	next  int // where the search for a free port begins
	open  int // connections
}

// place is where a connection has its port.
type place struct {
	source, target uint16
	pool, index    int
}

// port is one source port.
type port struct {
	taken  bool  // by a connection, or by an attempt that waits for its answer
	freeAt int64 // in TIME_WAIT until then
}

// New makes a kernel whose clock stands at 0.
func New(c Config) *Kernel {
	if c.Call <= 0 {
		c.Call = defaultCall
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	c.Sources, c.Targets = max(1, c.Sources), max(1, c.Targets)
	k := &Kernel{config: c, conns: make(map[uint32]place)}
	for range c.Sources * c.Targets { // of which only the first ones are used if targets share ports
		k.pools = append(k.pools, pool{ports: make([]port, c.Ports)})
	}
	return k
}

// poolOf returns the index of the pool that an attempt draws on.
func (k *Kernel) poolOf(source, target uint16) int {
	if k.config.Shared {
		return int(source)
	}
	return int(source)*k.config.Targets + int(target)
}

// Now returns the virtual time in nanoseconds.
func (k *Kernel) Now() int64 { return k.now }

// Open returns how many connections are open.
func (k *Kernel) Open() int { return len(k.conns) }

// Taken returns how many ports a connection or a waiting attempt holds.
func (k *Kernel) Taken() int {
	n := 0
	for _, pool := range k.pools {
		for _, p := range pool.ports {
			if p.taken {
				n++
			}
		}
	}
	return n
}

// Attempts returns how many attempts were made, probes left out.
func (k *Kernel) Attempts() int64 { return k.attempts }

// Opened returns how many attempts succeeded, probes left out.
func (k *Kernel) Opened() int64 { return k.opened }

// Outcome returns how many attempts ended so, probes left out.
func (k *Kernel) Outcome(c outcome.Code) int64 { return k.outcomes[c] }

// noPort is no index of a port.
const noPort = -1

// take takes a free port of the pool, the wanted one if that is not 0, and
// returns its index.
func (k *Kernel) take(p *pool, wanted uint16) (index int) {
	if wanted != 0 {
		index = int(wanted) - int(FirstPort)
		if index < 0 || index >= len(p.ports) || !k.grab(&p.ports[index]) {
			return noPort
		}
		return index
	}
	for i := range p.ports {
		if index = (p.next + i) % len(p.ports); k.grab(&p.ports[index]) {
			p.next = index + 1
			return index
		}
	}
	return noPort
}

func (k *Kernel) grab(p *port) bool {
	if p.taken || p.freeAt > k.now {
		return false
	}
	p.taken = true
	return true
}

// connect makes the attempt's connection on a taken port.
func (k *Kernel) connect(at place) (name uint32) {
	k.names++
	k.conns[k.names] = at
	k.pools[at.pool].open++
	return k.names
}

// disconnect closes a connection; by the generator's RST it leaves no TIME_WAIT.
func (k *Kernel) disconnect(name uint32, rst bool) {
	at := k.conns[name]
	delete(k.conns, name)
	k.pools[at.pool].open--
	p := &k.pools[at.pool].ports[at.index]
	p.taken = false
	if k.config.Close == step.ClientFIN && !rst {
		p.freeAt = k.now + int64(k.config.Reuse)
	}
}

// count notes an attempt that has ended.
func (k *Kernel) count(c *step.Completion) {
	if c.Probe {
		return
	}
	k.outcomes[c.Outcome]++
	if c.Outcome == outcome.OK {
		k.opened++
	}
}
