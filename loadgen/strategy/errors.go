package strategy

import (
	"fmt"
	"strings"

	"lastport/loadgen/ports"
)

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

// boundsError is a parameter of a strategy that is out of its bounds.
type boundsError struct {
	flag  string // as it is typed
	value int
	low   int
	high  int
	of    string // what the upper bound is
}

func (e *boundsError) Error() string {
	return fmt.Sprintf("%s %d: want %d to %d, %s", e.flag, e.value, e.low, e.high, e.of)
}

// Hint returns what to type instead.
func (e *boundsError) Hint() string {
	return fmt.Sprintf("%s %d", e.flag, min(max(e.value, e.low), e.high))
}

// Usage says that the caller asked for something that cannot be.
func (e *boundsError) Usage() bool { return true }

// bounded returns the error of a parameter outside low to high.
func bounded(flag string, value, low, high int, of string) error {
	if value < low || value > high {
		return &boundsError{flag, value, low, high, of}
	}
	return nil
}

// pairsError is a space of more pairs of source and target than books are kept of.
type pairsError struct{ pairs int }

func (e *pairsError) Error() string {
	return fmt.Sprintf("%d pairs of source and target: a strategy that chooses the port keeps a book of each, %d at most", e.pairs, maxPairs)
}

// Hint returns what to type instead.
func (e *pairsError) Hint() string {
	return "fewer of --source or --target, or --strategy " + lateBindName
}

// Usage says that the caller asked for something that cannot be.
func (e *pairsError) Usage() bool { return true }
