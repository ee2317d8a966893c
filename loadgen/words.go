package loadgen

import (
	"fmt"
	"strings"

	"lastport/loadgen/ports"
)

// words is an enumeration's name and its words in the order of its values.
type words struct {
	what string
	list []string
}

func (w words) name(i int) string {
	if i < len(w.list) {
		return w.list[i]
	}
	return "invalid"
}

// parseWord finds the value of a word. The error is wrong usage.
func parseWord[T ~uint8](w words, s string) (T, error) {
	for i, name := range w.list {
		if s == name {
			return T(i), nil
		}
	}
	return 0, &WordError{What: w.what, Word: s, Accepted: w.list}
}

// WordError says that a flag's word is not one of those that it takes.
type WordError struct {
	What     string // the flag's name, without dashes
	Word     string
	Accepted []string
}

func (e *WordError) Error() string {
	return fmt.Sprintf("--%s %q: not one of %s", e.What, e.Word, strings.Join(e.Accepted, ", "))
}

// Hint names the accepted word that is nearest.
func (e *WordError) Hint() string {
	if near, ok := ports.Nearest(e.Word, e.Accepted); ok {
		return fmt.Sprintf("--%s %s", e.What, near)
	}
	return fmt.Sprintf("--%s %s", e.What, e.Accepted[0])
}

// Usage says that the command line is wrong.
func (e *WordError) Usage() bool { return true }
