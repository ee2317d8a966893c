// Package place knows where a run happens: in a private host, a network
// namespace of the run's own that has the host's settings; on two such hosts
// that a link joins; on hosts on both sides of a gateway; or on the host itself,
// of which it changes nothing.
//
// The parent looks at the host with ReadHost, starts lastport once more inside
// new namespaces with Start, and reads the frames that the child writes. The
// child takes its request with Join and makes the place with Build, further
// hosts in namespaces that it alone holds. Nothing of a place has a name on the
// host: when the child ends, however it does, the kernel removes the namespaces
// with all that is in them, and when the parent ends the kernel kills the child.
//
// What is measured there, what a request or a frame holds, and what a person
// is told about it do not belong here.
package place

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is where a run happens. The zero value is Private.
type Kind uint8

// The kinds of places.
const (
	Private Kind = iota // one host, which reaches itself over its loopback link
	Pair                // a client and a server, joined by a link
	NAT                 // clients, a gateway that translates their addresses and ports, and a server
	// OnHost is where lastport was started: the real host, or the namespace that is
	// one to it. Nothing there is set up or changed.
	OnHost
)

var kindNames = [...]string{"private", "pair", "nat", "host"}

// Kinds lists the words that Parse takes.
func Kinds() []string { return slices.Clone(kindNames[:]) }

// Parse reads a word of the command line. The error is wrong usage.
func Parse(word string) (Kind, error) {
	if i := slices.Index(kindNames[:], word); i >= 0 {
		return Kind(i), nil
	}
	return 0, &UsageError{
		text: fmt.Sprintf("place %q: no such place; want one of %s", word, strings.Join(kindNames[:], ", ")),
		hint: "--place " + kindNames[0],
	}
}

// String returns the word of the command line.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// MarshalText writes the word of the command line.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the word of the command line.
func (k *Kind) UnmarshalText(text []byte) error {
	v, err := Parse(string(text))
	if err == nil {
		*k = v
	}
	return err
}

// UsageError is a word or a setting of the command line that cannot be used.
type UsageError struct {
	text string
	hint string
	err  error
}

// Error names the value and what is wrong with it.
func (e *UsageError) Error() string { return e.text }

// Hint says what to type instead; it is empty where nothing can be proposed.
func (e *UsageError) Hint() string { return e.hint }

// Usage marks the error as wrong usage.
func (e *UsageError) Usage() bool { return true }

// Unwrap returns the kernel's error, if it was the kernel that refused.
func (e *UsageError) Unwrap() error { return e.err }
