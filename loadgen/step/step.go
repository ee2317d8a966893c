// Package step is the seam between a scenario and an engine: a scenario yields
// batches of steps, an engine does them and answers with completions. Both
// sides, and the recorder, know this package and not one another.
//
// It holds plain data only: no socket, no clock, no arithmetic.
package step

import "lastport/loadgen/outcome"

// Op is what a step asks for.
type Op uint8

// The operations of a step.
const (
	Open    Op = iota + 1 // open one connection
	Close                 // close the connection Conn by the run's close mode
	Request               // send one small request over the connection Conn and wait for its answer
	Await                 // wait until the connection Conn ends without our doing, then close it
	Cycle                 // open one connection and close it at once by the run's close mode, as one: no call of it is timed
)

// Step asks an engine to do one thing.
type Step struct {
	Op     Op
	Probe  bool   // the scenario's own check: it is not counted and not recorded
	Reset  bool   // Close: by RST of the generator, whatever the close mode
	Source uint16 // index of the source address; 0 if the kernel chooses it
	Target uint16 // index of the target
	Port   uint16 // Open: ask for this source port alone; 0: the strategy decides
	Conn   uint32 // Close, Request: the connection, as its Completion named it
	Tag    uint64 // the scenario's own; the completion gives it back
	Due    int64  // when it was due, nanoseconds since the run began; 0: at once, no schedule
}

// Completion says what came of a step. Times are nanoseconds since the run
// began, read directly before and directly after the system call. Those of a
// Cycle are when the engine handed it over and when it saw its end: between them
// others were done too, so they are no latency.
type Completion struct {
	Op      Op
	Probe   bool
	GaveUp  bool // the kernel ended it by a timeout of its own (ETIMEDOUT)
	Self    bool // the socket had connected to itself; it is closed and counts as refused
	Outcome outcome.Code
	Source  uint16
	Target  uint16
	Port    uint16 // the source port in use; 0 if there is none, or a Cycle could not learn it
	Errno   uint16 // the error number behind a failure
	Conn    uint32 // names the connection in later steps; meaningless after a failure to open
	Tag     uint64
	Attempt uint32 // Open, Cycle: which attempt of the run this is, from 1; with several workers off by those under way
	Open    uint32 // Open: connections of its pool (strategy.Pools) that were open when the attempt began; likewise
	Again   uint8  // Open: SYNs sent again because the path lost one (engine.Path), if it got through; else, all that were sent again
	Passed  uint16 // Open: tries that came to nothing because the port chosen was taken, before the one that decided
	Due     int64
	Start   int64
	End     int64
	BindNS  uint32 // time that bind took in the try that decided, where the strategy binds; 0: it does not. Start is before it
}

// Work is a scenario as one worker sees it. An engine calls it from a single
// thread.
type Work interface {
	// Next fills steps with what is to be done at the time now and returns how
	// many it filled. With none, wake is when to ask again; Done means never.
	Next(now int64, steps []Step) (n int, wake int64)
	// Take hands completions back, each step exactly once, in the order in which
	// they ended. The slice is the engine's and is used again.
	Take(done []Completion)
}

// Done as a wake time says that a Work has nothing more to do.
const Done int64 = -1
