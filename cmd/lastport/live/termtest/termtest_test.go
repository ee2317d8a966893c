package termtest_test

import (
	"fmt"
	"testing"

	"lastport/cmd/lastport/live/termtest"
)

// A terminal shows what a program writes, and can be made narrower.
func Example() {
	t := termtest.New(20, 5)
	fmt.Fprint(t, "one\r\ntwo\r\n\x1b[1A\x1b[Kthree, and more\r\n")
	t.Resize(8, 5)
	fmt.Println(t)
	// Output:
	// one
	// three, a
	// nd more
}

func TestTerminal(t *testing.T) {
	for _, c := range []struct{ name, write, want string }{
		{"carriage return", "abc\rx", "xbc"},
		{"a line as wide as the terminal is one", "0123456789\r\nb", "0123456789\nb"},
		{"a wider one is broken", "0123456789a", "0123456789\na"},
		{"up ends at the top of the screen", "1\r\n2\r\n3\r\n4\r\n\x1b[9Ax", "1\n2\nx\n4"},
		{"erased to the end", "1\r\n2\r\n3\x1b[2A\r\x1b[J", ""},
		{"colours", "\x1b[31mred\x1b[0m", "red"},
		{"letters of more than a byte", "▁█", "▁█"},
	} {
		term := termtest.New(10, 3)
		for i := range len(c.write) { // a sequence may come in pieces
			fmt.Fprint(term, c.write[i:i+1])
		}
		if got := term.String(); got != c.want {
			t.Errorf("%s: shows %q, want %q", c.name, got, c.want)
		}
		if f := term.Faults(); len(f) > 0 {
			t.Errorf("%s: faults %v", c.name, f)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, text := range []string{"\x1b[2J", "\x1b[?25l", "\x1b]0;title\x07", "\a"} {
		term := termtest.New(10, 3)
		fmt.Fprint(term, text)
		if len(term.Faults()) == 0 {
			t.Errorf("%q is not told", text)
		}
	}
}

func TestResizeKeepsTheCursor(t *testing.T) {
	term := termtest.New(10, 4)
	fmt.Fprint(term, "first\r\n0123456789abc\r\n> ")
	term.Resize(4, 4)
	term.Resize(30, 4)
	fmt.Fprint(term, "here")
	if got, want := term.String(), "first\n0123456789abc\n> here"; got != want {
		t.Errorf("shows %q, want %q", got, want)
	}
}
