package result_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lastport/reports/result"
)

// TestDocsNameEveryField keeps docs/results.md and the types the same: each
// type has a section whose table lists its fields in order, and nothing else.
func TestDocsNameEveryField(t *testing.T) {
	text, err := os.ReadFile("../../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := documentedFields(string(text))
	fields := map[string][]string{}
	collectFields(reflect.TypeFor[result.Set](), fields)
	collectFields(reflect.TypeFor[result.Comparison](), fields)
	collectFields(reflect.TypeFor[result.Checkup](), fields)
	collectFields(reflect.TypeFor[result.Plan](), fields)
	collectFields(reflect.TypeFor[result.Ranges](), fields)
	collectFields(reflect.TypeFor[result.Watch](), fields)
	for name, want := range fields {
		if got := documented[name]; !slices.Equal(got, want) {
			t.Errorf("docs/results.md, section %s\nlists %q\n want %q", name, got, want)
		}
		delete(documented, name)
	}
	for name, list := range documented {
		t.Errorf("docs/results.md, section %s: there is no such type; it lists %q", name, list)
	}
}

// documentedFields returns the fields that the tables list, by section.
func documentedFields(text string) map[string][]string {
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|")
	sections := map[string][]string{}
	for _, section := range strings.Split(text, "\n## ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		for _, match := range row.FindAllStringSubmatch(body, -1) {
			sections[name] = append(sections[name], match[1])
		}
	}
	return sections
}

// collectFields finds the JSON fields of every struct that t leads to.
func collectFields(t reflect.Type, into map[string][]string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collectFields(t.Elem(), into)
		return
	case reflect.Struct:
	default:
		return
	}
	if into[t.Name()] != nil || t.PkgPath() != reflect.TypeFor[result.Set]().PkgPath() {
		return
	}
	into[t.Name()] = []string{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		into[t.Name()] = append(into[t.Name()], name)
		collectFields(t.Field(i).Type, into)
	}
}
