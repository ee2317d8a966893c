// Package strategy says how the source port of a connection comes to be: which
// window of ports the kernel is asked to choose from, or which port we choose
// ourselves.
//
// It makes choices and does no more: setting the socket option, binding and
// connecting are an engine's work, and what a strategy sustains is package
// capacity's. A strategy is one small file and one line in known.
package strategy

import (
	"fmt"
	"strings"

	"lastport/loadgen/ports"
)

// Strategy chooses for one worker. It is not safe for concurrent use: each
// worker makes its own by New.
type Strategy interface {
	// Name returns the word of the command line.
	Name() string
	// Traits returns what the arithmetic and the engine must know of it.
	Traits() Traits
	// Choose returns what to ask for in the next attempt. It does not allocate.
	Choose() Choice
}

// Choice is what one attempt asks the kernel for. The zero value asks for
// nothing: the kernel chooses the port at connect.
type Choice struct {
	Window ports.Range // IP_LOCAL_PORT_RANGE to set on the socket; empty: none
	Port   uint16      // source port to bind to before connect; 0: none
}

// Traits are the facts about a strategy that do not change from one choice to
// the next.
type Traits struct {
	// Explicit says that the source port is chosen by us, not by the kernel.
	// The same error number means different things then: see package outcome.
	Explicit bool
	// Step is the distance between the ports that the kernel's search tries one
	// after the other: 2 where it takes one parity first and then the other, and
	// rounds a range of odd size down for that; else 1. Source:
	// __inet_hash_connect of net/ipv4/inet_hashtables.c.
	Step int
}

// Space is what a strategy chooses from.
type Space struct {
	Ranges ports.Ranges // source ports, not empty
}

// maker makes a strategy of the name.
type maker struct {
	name string
	make func(Space) Strategy
}

// known lists every strategy, the usual ones first.
func known() []maker {
	return []maker{
		{connectName, newConnect},
		{socketRangeName, newSocketRange},
	}
}

// Names lists the words that New takes.
func Names() []string {
	var names []string
	for _, m := range known() {
		names = append(names, m.name)
	}
	return names
}

// New makes the named strategy for one worker. An unknown name is wrong usage,
// and the error's hint names the nearest; a space without ports is an error,
// because a strategy that chooses nothing leaves the choice to the kernel's
// whole range.
func New(name string, space Space) (Strategy, error) {
	for _, m := range known() {
		if m.name != name {
			continue
		}
		if space.Ranges.Size() == 0 {
			return nil, fmt.Errorf("strategy %s: no source ports to choose from", name)
		}
		return m.make(space), nil
	}
	return nil, &unknownError{name: name}
}

// unknownError is the name of a strategy that does not exist.
type unknownError struct{ name string }

func (e *unknownError) Error() string {
	return fmt.Sprintf("strategy %q: not one of %s", e.name, strings.Join(Names(), ", "))
}

// Hint returns what to type instead.
func (e *unknownError) Hint() string {
	if near, ok := ports.Nearest(e.name, Names()); ok {
		return "--strategy " + near
	}
	return "--strategy " + Names()[0]
}

// Usage says that the caller asked for something that cannot be.
func (e *unknownError) Usage() bool { return true }
