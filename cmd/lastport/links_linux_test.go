package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks follows every link from one document to another, to its heading.
func TestLinks(t *testing.T) {
	more, err := filepath.Glob(filepath.Join(repository, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := append(documents(t), "ARCHITECTURE.md", "CHANGELOG.md")
	for _, name := range more {
		names = append(names, "docs/"+filepath.Base(name))
	}
	link := regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
	followed := 0
	for _, name := range names {
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
			to, heading := m[1], m[2]
			if strings.Contains(to, "://") {
				continue
			}
			followed++
			target := name
			if to != "" {
				target = filepath.Join(filepath.Dir(name), to)
			}
			if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, to)
				continue
			}
			if heading != "" && !anchors(read(t, target))[heading] {
				t.Errorf("%s links to %s, which has no heading %q", name, target, heading)
			}
		}
	}
	if followed == 0 {
		t.Error("no link found")
	}
}

// anchors are the names by which the headings of a document can be linked to:
// in lower case, without punctuation, with hyphens for spaces.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names[strings.ReplaceAll(name, " ", "-")] = true
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
