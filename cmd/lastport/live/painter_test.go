package live_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lastport/cmd/lastport/live"
	"lastport/cmd/lastport/live/termtest"
)

// What was on the terminal before stays, and what was drawn is gone in the end,
// whatever happens in between: other drawings, messages, other sizes.
func TestPainter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns, rows := 80, 24
		term := termtest.New(columns, rows)
		said := []string{"$ lastport fill"}
		fmt.Fprint(term, said[0]+"\r\n")
		p := live.Painter{W: term}
		var shown []string
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"paint", "print", "resize", "clear"}).Draw(t, "step") {
			case "paint":
				shown = drawing(t, columns)
				if err := p.Paint(shown, columns); err != nil {
					t.Fatal(err)
				}
			case "print":
				text := fmt.Sprintf("message %d", len(said))
				said = append(said, text)
				if err := p.Print(text+"\r\n", columns); err != nil {
					t.Fatal(err)
				}
			case "resize": // so that no line that is shown leaves the screen at the top
				columns = rapid.IntRange(30, 100).Draw(t, "columns")
				rows = rapid.IntRange(20, 50).Draw(t, "rows")
				term.Resize(columns, rows)
				continue // a drawing is broken until the next one
			case "clear":
				shown = nil
				if err := p.Clear(columns); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := unbroken(term, columns, rows), lines(said, shown); got != want {
				t.Fatalf("shows\n%s\nwant\n%s", got, want)
			}
		}
		if err := p.Clear(columns); err != nil {
			t.Fatal(err)
		}
		if got, want := unbroken(term, columns, rows), lines(said, nil); got != want {
			t.Fatalf("in the end\n%s\nwant\n%s", got, want)
		}
		if term.Column() != 0 || len(term.Faults()) > 0 {
			t.Fatalf("cursor in column %d, faults %v", term.Column(), term.Faults())
		}
	})
}

// drawing makes lines that fit.
func drawing(t *rapid.T, columns int) []string {
	var all []string
	for range rapid.IntRange(0, 6).Draw(t, "lines") {
		text := strings.Repeat("█", rapid.IntRange(1, columns-1).Draw(t, "width"))
		all = append(all, "\x1b[32m"+text+"\x1b[0m")
	}
	return all
}

// unbroken is what the terminal has shown, as if it were wide.
func unbroken(term *termtest.Terminal, columns, rows int) string {
	term.Resize(1000, rows)
	defer term.Resize(columns, rows)
	return term.String()
}

func lines(said, shown []string) string {
	text := strings.Join(slices.Concat(said, shown), "\n")
	return strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(text)
}

// A drawing that is left where it is stays, and the next stands below what others
// have written.
func TestForget(t *testing.T) {
	term := termtest.New(80, 24)
	p := live.Painter{W: term}
	paint := func(lines ...string) {
		if err := p.Paint(lines, 80); err != nil {
			t.Fatal(err)
		}
	}
	paint("one", "two")
	p.Forget()
	fmt.Fprint(term, "stopped\r\n")
	paint("three")
	paint("four")
	if got, want := term.String(), "one\ntwo\nstopped\nfour"; got != want {
		t.Errorf("shows %q, want %q", got, want)
	}
}

func TestPainterTellsErrors(t *testing.T) {
	p := live.Painter{W: broken{}}
	if err := p.Paint([]string{"x"}, 80); err == nil {
		t.Error("an error of writing is not told")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, fmt.Errorf("broken") }
