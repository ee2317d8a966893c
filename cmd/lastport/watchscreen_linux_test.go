package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// glass is a terminal that knows what a screen writes.
type glass struct {
	lines []string
	row   int
}

var escape = regexp.MustCompile(`^\x1b\[(\d*)([A-Z])`)

func (g *glass) write(text string) error {
	for len(text) > 0 {
		if m := escape.FindStringSubmatch(text); m != nil {
			text = text[len(m[0]):]
			n, _ := strconv.Atoi(m[1])
			switch m[0] {
			case "\x1b[2K":
				g.lines[g.row] = ""
			case "\x1b[2J":
				g.lines = make([]string, len(g.lines))
			case "\x1b[H":
				g.row = 0
			case "\x1b[J":
				g.lines = g.lines[:g.row+1]
				g.lines[g.row] = ""
			default:
				if m[2] != "A" || n > g.row {
					return fmt.Errorf("%q in line %d", m[0], g.row)
				}
				g.row -= n
			}
			continue
		}
		switch text[0] {
		case '\n':
			if g.row++; g.row == len(g.lines) {
				g.lines = append(g.lines, "")
			}
		case '\r':
		default:
			g.lines[g.row] += text[:1]
		}
		text = text[1:]
	}
	return nil
}

// However many lines each look has, and whatever the terminal becomes, the last look
// is what stands there, below what stood there before.
func TestScreenShowsTheLastLook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, s := &glass{lines: []string{"$ lastport watch", ""}, row: 1}, newScreen(nil)
		width, resized := 80, false
		for i := range rapid.IntRange(1, 8).Draw(t, "looks") {
			if rapid.IntRange(0, 3).Draw(t, "resize") == 0 {
				width, resized = rapid.IntRange(20, 120).Draw(t, "width"), true
			}
			height := rapid.IntRange(3, 30).Draw(t, "height")
			var look []string
			for j := range rapid.IntRange(1, 40).Draw(t, "lines") {
				look = append(look, fmt.Sprintf("look %d line %d", i, j))
			}
			if err := g.write(s.frame(strings.Join(look, "\n")+"\n", 1_500_000_000, width, height)); err != nil {
				t.Fatal(err)
			}
			want := look[:min(len(look), height-2)]
			status := "next look in 1.5s"
			if more := len(look) - len(want); more > 0 {
				status += fmt.Sprintf(", %d lines more", more)
			}
			status += "; Ctrl-C ends"
			want = append(slices.Clone(want), status[:min(len(status), width-1)], "")
			if got := g.lines[len(g.lines)-len(want):]; !slices.Equal(got, want) {
				t.Fatalf("look %d: %q, want %q", i, got, want)
			}
			if !resized && (len(g.lines) != len(want)+1 || g.lines[0] != "$ lastport watch") {
				t.Fatalf("look %d: %q", i, g.lines)
			}
			if len(want) > height {
				t.Fatalf("%d lines on a terminal of %d", len(want), height)
			}
		}
	})
}
