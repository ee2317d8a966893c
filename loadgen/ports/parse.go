package ports

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// What to type, for errors that cannot guess what was meant.
const (
	anyForm  = "a profile name, LOW-HIGH or PORT; several separated by commas"
	portForm = "ports from 1 to 65535, such as 40000-40999"
)

// Parse reads a set of ports as people write it: the name of a profile
// ("linux"), LOW-HIGH ("40000-40999"), a single port ("41000"), or several of
// these separated by commas, without spaces. Pieces may overlap.
//
// An error is wrong usage (Usage is true), and its Hint is what to type.
func Parse(spec string) (Ranges, error) {
	if strings.ContainsFunc(spec, unicode.IsSpace) {
		return nil, &specError{spec: spec, problem: "spaces in it", hint: guess(strings.Join(strings.Fields(spec), ""))}
	}
	var all []Range
	for piece := range strings.SplitSeq(spec, ",") {
		set, err := parsePiece(piece)
		if err != nil {
			return nil, err
		}
		all = append(all, set...)
	}
	return Of(all...), nil
}

// ParseSysctl reads a set of ports as the kernel writes it in
// ip_local_reserved_ports: in ascending order, with a newline, perhaps empty.
// The kernel lets port 0 be reserved; it is never chosen anyway, and left out.
func ParseSysctl(text string) (Ranges, error) {
	text = strings.TrimSpace(text)
	if after, found := strings.CutPrefix(text, "0-"); found {
		text = "1-" + after
	} else if first, rest, _ := strings.Cut(text, ","); first == "0" {
		text = rest
	}
	var set Ranges
	err := set.UnmarshalText([]byte(text))
	return set, err
}

func parsePiece(piece string) (Ranges, error) {
	fail := func(problem, hint string) (Ranges, error) {
		return nil, &specError{spec: piece, problem: problem, hint: hint}
	}
	if piece == "" {
		return fail("no ports named", anyForm)
	}
	if unicode.IsLetter(rune(piece[0])) {
		return parseName(piece)
	}
	low, high, isRange := strings.Cut(piece, "-")
	if !isRange {
		high = low
	}
	switch {
	case low == "" && high == "":
		return fail("no ports named", anyForm)
	case low == "":
		return fail("no lower end", guess("1-"+high))
	case high == "":
		return fail("no upper end", guess(low+"-65535"))
	case strings.Contains(high, "-"):
		return fail("more than two ends", anyForm)
	}
	from, to := parsePort(low), parsePort(high)
	if from.problem != "" {
		return fail(from.problem, portForm)
	}
	if to.problem != "" {
		return fail(to.problem, portForm)
	}
	if to.port < from.port {
		return fail("ends before it begins", high+"-"+low)
	}
	return Ranges{{Low: from.port, High: to.port}}, nil
}

// guess returns the specification if it is a good one, so that no hint leads
// from one error to the next.
func guess(spec string) string {
	if _, err := Parse(spec); err != nil {
		return anyForm
	}
	return spec
}

// parsed is a port, or what is wrong with it.
type parsed struct {
	port    uint16
	problem string
}

func parsePort(word string) parsed {
	if strings.Trim(word, "0123456789") != "" {
		return parsed{problem: fmt.Sprintf("%q is not a number", word)}
	}
	switch n, err := strconv.ParseUint(word, 10, 16); {
	case err != nil: // digits alone, so it can only be too large
		return parsed{problem: fmt.Sprintf("%s is not a port, ports end at %d", word, Max)}
	case n == 0:
		return parsed{problem: fmt.Sprintf("%s is not a port, ports begin at 1", word)}
	default:
		return parsed{port: uint16(n)}
	}
}

func parseName(name string) (Ranges, error) {
	if p, ok := Lookup(name); ok {
		return p.Ranges, nil
	}
	var names []string
	for _, p := range Profiles() {
		names = append(append(names, p.Name), p.Aliases...)
	}
	near, ok := Nearest(name, names)
	if !ok {
		near = "LOW-HIGH, or one of " + strings.Join(names, ", ")
	}
	return nil, &specError{spec: name, problem: "no range has this name", hint: near}
}

// specError says what is wrong with a piece of a specification.
type specError struct{ spec, problem, hint string }

func (e *specError) Error() string { return fmt.Sprintf("ports %q: %s", e.spec, e.problem) }

// Hint returns what to type instead.
func (e *specError) Hint() string { return e.hint }

// Usage says that the caller asked for something that cannot be.
func (e *specError) Usage() bool { return true }
