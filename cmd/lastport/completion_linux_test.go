package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/ports"
)

// listed is how a help text lists the words that a flag takes.
var listed = regexp.MustCompile(`(?:: | of )((?:[a-z][a-z0-9-]*(?:, | or |, or ))+[a-z][a-z0-9-]*)(?: \(|: |;|$)`)

// TestCompletedWordsAreThoseOfTheHelp keeps what a flag completes and what its
// help text lists the same, so that a new word is not forgotten.
func TestCompletedWordsAreThoseOfTheHelp(t *testing.T) {
	for _, verb := range quietRoot().Commands() {
		verb.Flags().VisitAll(func(f *pflag.Flag) {
			var want []string
			_, usage := pflag.UnquoteUsage(f)
			if m := listed.FindStringSubmatch(usage); m != nil {
				want = regexp.MustCompile(", or | or |, ").Split(m[1], -1)
			}
			got := flagWords(verb.Name(), f.Name)
			if verb.Hidden || f.Hidden || strings.HasSuffix(f.Name, "range") || f.Name == "sysctl" || len(want) == 0 && len(got) <= 1 {
				return
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s --%s completes %q, and its help lists %q: %s", verb.Name(), f.Name, got, want, usage)
			}
		})
	}
}

// TestCompletedWordsAreTaken asks those who read the words.
func TestCompletedWordsAreTaken(t *testing.T) {
	for _, word := range flagWords("fill", "ends") {
		if _, err := loadgen.ParseEnds(word); err != nil {
			t.Error(err)
		}
	}
	for _, word := range flagWords("fill", "engine") {
		if _, err := loadgen.ParseEngine(word); err != nil {
			t.Error(err)
		}
	}
	for _, word := range flagWords("plan", "sysctl") {
		if key, _, err := planSetting(word + "1"); key == "" && err == nil {
			t.Errorf("--sysctl %s is not understood", word)
		}
	}
	for _, word := range flagWords("fill", "range") {
		name, about, _ := strings.Cut(word, "\t")
		if name == hostWord {
			continue
		}
		if r, err := ports.Parse(name); err != nil || r.String() != about {
			t.Errorf("--range %s is %v (%v), and its completion says %s", name, r, err, about)
		}
	}
}
