package suite_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lastport/loadgen/suite"
)

// TestDocsHaveEveryKey keeps docs/matrix.md and the keys the same, and holds that
// its examples are taken.
func TestDocsHaveEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../docs/matrix.md")
	if err != nil {
		t.Fatal(err)
	}
	row, file := suite.KeyNames()
	for section, want := range map[string][]string{"A row": row, "The file": file} {
		_, body, _ := strings.Cut(string(text), "\n## "+section+"\n")
		body, _, _ = strings.Cut(body, "\n## ")
		var got []string
		for _, match := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\|").FindAllStringSubmatch(body, -1) {
			got = append(got, match[1])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("docs/matrix.md, section %s, lists %q\n want %q", section, got, want)
		}
	}
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 2 {
		t.Fatal("docs/matrix.md shows no example")
	}
	for _, block := range blocks {
		m, err := suite.ParseMatrix("docs/matrix.md", []byte(block[1]))
		if err == nil {
			_, err = suite.Bench(host(32768, 60999), m, false)
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
}
