package strategy

import (
	"fmt"
	"slices"
)

// maker makes a strategy of the name.
type maker struct {
	name  string
	about string // in a line, for help
	make  func(Space) (Run, error)
}

// known lists every strategy: those of the kernel, the usual ones first, and
// then those that choose the port themselves.
func known() []maker {
	return []maker{
		{connectName, "the kernel chooses at connect, as for an ordinary program", newConnect},
		{bindName, "the kernel chooses at bind, before it knows the target", newBind},
		{lateBindName, "bound to a source address alone, the kernel chooses at connect", newLateBind},
		{socketRangeName, "the kernel chooses from the range set on the socket, in steps of one", newSocketRange},
		{windowName, "the same with a small window of the range, moved at random when it is full", newWindow},
		{sequentialName, "one port after the other (RFC 6056, section 2.2)", newSequential},
		{randomName, "from a random port on (RFC 6056, algorithm 1)", newRandom},
		{simpleHashName, "one after the other, from a hash of the addresses on (RFC 6056, algorithm 3)", newSimpleHash},
		{doubleHashName, "the same, with a table of counters (RFC 6056, algorithm 4)", newDoubleHash},
		{randomIncrementName, "a random step on from the last (RFC 6056, algorithm 5)", newRandomIncrement},
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

// Describe says in a line of plain words how the named strategy chooses; "" for
// an unknown name.
func Describe(name string) string {
	if m, ok := lookup(name); ok {
		return m.about
	}
	return ""
}

// TakesSource says whether the named strategy can be given source addresses:
// all but connect, which never binds.
func TakesSource(name string) bool {
	_, ok := lookup(name)
	return ok && name != connectName
}

func lookup(name string) (maker, bool) {
	all := known()
	i := slices.IndexFunc(all, func(m maker) bool { return m.name == name })
	if i < 0 {
		return maker{}, false
	}
	return all[i], true
}

// New makes the named strategy. An unknown name is wrong usage, and the error's
// hint names the nearest; so are parameters out of bounds. A space without ports
// is an error, because a strategy that chooses nothing leaves the choice to the
// kernel's whole range.
func New(name string, space Space) (Run, error) {
	m, ok := lookup(name)
	if !ok {
		return nil, &unknownError{name: name}
	}
	if space.Ranges.Size() == 0 {
		return nil, fmt.Errorf("strategy %s: no source ports to choose from", name)
	}
	return m.make(space)
}
