package ports

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	verbs := []string{"fill", "report", "bench", "connect", "socket-range", "client-fin"}
	for word, want := range map[string]string{
		"fil":           "fill",
		"flil":          "fill",
		"raport":        "report",
		"BENCH":         "bench",
		"conect":        "connect",
		"socketrange":   "socket-range",
		"socket_range":  "socket-range",
		"socket":        "socket-range",
		"client-fni":    "client-fin",
		"":              "",
		"f":             "",
		"xyz":           "",
		"never":         "",
		"exhaustion":    "",
		"socket-ragged": "socket-range",
	} {
		got, ok := Nearest(word, verbs)
		if got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", word, got, ok, want)
		}
	}
}

func TestSlips(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "abc", 0},
		{"abc", "acb", 1},
		{"abc", "ab", 1},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3}, // string alignment: a swapped pair is not edited again
	} {
		if got := slips(c.a, c.b); got != c.want {
			t.Errorf("slips(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSlipsIsSymmetricAndBounded(t *testing.T) {
	word := rapid.StringMatching(`[abc]{0,7}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		n := slips(a, b)
		if n != slips(b, a) || n > max(len(a), len(b)) || n < max(len(a), len(b))-min(len(a), len(b)) || (n == 0) != (a == b) {
			t.Fatalf("slips(%q, %q) = %d, the other way round %d", a, b, n, slips(b, a))
		}
	})
}

func TestNearestIgnoresEndlessWords(t *testing.T) {
	if got, ok := Nearest(strings.Repeat("fill", 1000), []string{"fill"}); ok {
		t.Errorf("near: %q", got)
	}
}
