package reports_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

func markdownOf(t *testing.T, d result.Document) string {
	t.Helper()
	var out bytes.Buffer
	if err := reports.Markdown(&out, d, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestMarkdownGolden(t *testing.T) {
	claims, few := samplesOfComparisons(t)
	for name, d := range map[string]result.Document{
		"fill": flat(), "churn": exhausted(), "reuse": timeWaited(), "set": bench(), "bench": ways(), "compare": claims, "compare-few": few,
	} {
		golden(t, name+".md", []byte(markdownOf(t, d)))
	}
}

// markup is what a hostile text could become: a tag, a link, emphasis.
var markup = regexp.MustCompile("(^|[^\\\\])(<|\\]\\(|`|\\[[a-z])|[a-z]://")

func TestHostileResultsStayTextInMarkdown(t *testing.T) {
	nasties := []string{
		nasty, "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "`code`", "**bold** __bold__ *it* ~~no~~", "| a | b |",
		"# heading", "- item", "1. item", "> quote", "https://example.org/", "&lt;script&gt;", "\\<b>", "---",
	}
	for _, text := range nasties {
		r := filled(text)
		r.Verdict.Text, r.Run.Scenario, r.Config.Strategy = text, text, text
		r.Warnings = []result.Warning{{Code: text, Message: text, Hint: text}}
		r.Host.Changed = map[string]result.Change{text: {Host: text, Run: text, Why: text}}
		for _, line := range strings.Split(markdownOf(t, r), "\n") {
			if found := markup.FindString(strings.ReplaceAll(line, `\\`, "")); found != "" {
				t.Errorf("%q became markup (%q): %s", text, found, line)
			}
		}
	}
}

// TestMarkdownTablesAreWhole counts the cells of each line of each table.
func TestMarkdownTablesAreWhole(t *testing.T) {
	claims, _ := samplesOfComparisons(t)
	for _, d := range []result.Document{flat(), hostile(), hostileAs("churn"), hostileWays(), bench(), ways(), claims, exhausted()} {
		cells := 0
		for _, line := range strings.Split(markdownOf(t, d), "\n") {
			if !strings.HasPrefix(line, "|") {
				cells = 0
				continue
			}
			n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, ""), "|")
			if cells != 0 && n != cells {
				t.Errorf("%d cells, want %d: %s", n-1, cells-1, line)
			}
			cells = n
		}
	}
}

func TestMarkdownSaysWhatItCannotRender(t *testing.T) {
	if err := reports.Markdown(&bytes.Buffer{}, nil, reports.Style{}); err == nil {
		t.Error("no error for a document that is none")
	}
	want := errors.New("closed pipe")
	if err := reports.Markdown(brokenWriter{want}, flat(), reports.Style{}); !errors.Is(err, want) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

// FuzzForms renders whatever can be read as Markdown and as CSV, and compares it
// with itself: no file may break a renderer.
func FuzzForms(f *testing.F) {
	for _, doc := range []result.Document{flat(), interrupted(), bench(), exhausted(), timeWaited(), ways(), tabled(), hostileWays().Runs[0]} {
		var text bytes.Buffer
		if err := result.Encode(&text, doc); err == nil {
			f.Add(text.Bytes())
		}
	}
	f.Add([]byte(`{"schema":"lastport/comparison/v1","pairs":[{"changes":[{"field":"a|b","unit":"ns","claim":"x","old":{"n":-1,"median":1e308}}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := result.Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		markdownOf(t, doc)
		var runs []*result.Result
		switch doc := doc.(type) {
		case *result.Result:
			runs = []*result.Result{doc}
		case *result.Set:
			runs = doc.Runs
		default:
			return
		}
		for _, table := range reports.CSVTables() {
			csvOf(t, doc, table)
		}
		side := reports.Side{From: "fuzz", Runs: runs[:min(len(runs), 10)]}
		c, err := reports.Compare(side, side, nil, 0.05)
		if err != nil {
			return
		}
		checkText(t, c, reports.Style{Width: 80})
		if err := result.Encode(&bytes.Buffer{}, c); err != nil {
			t.Fatal(err)
		}
	})
}
