package reports_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"lastport/reports"
	"lastport/reports/result"
)

func htmlOf(t testing.TB, d result.Document) string {
	t.Helper()
	var page bytes.Buffer
	if err := reports.HTML(&page, d); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// The third-party files are those that their note says.
func TestAssetsAreWhatTheirNoteSays(t *testing.T) {
	note, err := os.ReadFile("page/README.md")
	if err != nil {
		t.Fatal(err)
	}
	sums := regexp.MustCompile(`([0-9a-f]{64})  (\S+)`).FindAllStringSubmatch(string(note), -1)
	if len(sums) != 3 {
		t.Fatalf("%d sums in the note, want 3", len(sums))
	}
	for _, sum := range sums {
		file, err := os.ReadFile("page/" + sum[2])
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(file)); got != sum[1] {
			t.Errorf("%s: sum %s, and its note says %s", sum[2], got, sum[1])
		}
	}
}

func TestHTMLOfAFullRangeIsBelow500KB(t *testing.T) {
	if n := len(htmlOf(t, fullRange())); n >= 500_000 {
		t.Errorf("%d bytes", n)
	}
}

// Of a survey the file, which the page carries, has the order of all picks.
func TestHTMLOfASurveyOfAllPortsIsBelow700KB(t *testing.T) {
	if n := len(htmlOf(t, surveyedAll())); n >= 700_000 {
		t.Errorf("%d bytes", n)
	}
}

// The policy lets the page's own script and styles do their work, and nothing
// else; the browser tests show that it holds.
func TestHTMLNeedsNothingButItself(t *testing.T) {
	for _, d := range []result.Document{filled("connect"), bench(), ways(), joined(filled("connect"), flat()), hostile()} {
		page := htmlOf(t, d)
		if !regexp.MustCompile(`content="default-src &#39;none&#39;; script-src &#39;sha256-[A-Za-z0-9&#;/+=]+&#39;; style-src &#39;sha256-[^ ]+&#39;; img-src data:; base-uri &#39;none&#39;; form-action &#39;none&#39;"`).MatchString(page) {
			t.Error("the policy is not what it was")
		}
		markup := regexp.MustCompile(`(?s)<(style|script)[ >].*?</(style|script)>`).ReplaceAllString(page, "")
		if found := regexp.MustCompile(`(?i)<[^>]*\s(src|on[a-z]+|style)\s*=|(src|href)="[^#d]|@import|<(iframe|object|embed|base|form)\b`).FindString(markup); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
}

// nastyHTML is what must never be markup on a page.
const nastyHTML = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'` + "`" + `{{.}}<!--` + "\u2028\u202e\x00"

// hostileHTML puts it into every text of a document.
func hostileHTML(t testing.TB, r *result.Result) *result.Result {
	t.Helper()
	for _, text := range []*string{
		&r.Run.ID, &r.Config.Range, &r.Config.RangeName, &r.Config.Strategy, &r.Config.Close, &r.Config.Rate, &r.Config.Place, &r.Config.Held,
		&r.Host.Kernel, &r.Tool.Version, &r.Tool.Commit, &r.Tool.Go, &r.Verdict.Text, &r.Space.Reserved, &r.Space.Widened,
	} {
		*text = nastyHTML
	}
	r.Config.Targets, r.Config.Sources, r.Config.Expect = []string{nastyHTML}, []string{nastyHTML}, []string{nastyHTML}
	r.Config.Sysctls = map[string]string{nastyHTML: nastyHTML}
	r.Warnings = []result.Warning{{Code: nastyHTML, Message: nastyHTML, Hint: "lastport " + nastyHTML}}
	r.Expect = []result.Expected{{Expr: nastyHTML, Value: nastyHTML}}
	r.Kernel = result.Counters{nastyHTML: 1}
	return r
}

func checkPage(t *testing.T, page string) {
	t.Helper()
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("%d scripts, want the pictures and the page's own", n)
	}
	if n := strings.Count(page, "</script"); n != 2 {
		t.Errorf("%d ends of scripts, want 2", n)
	}
	if strings.Contains(page, "<img") || strings.Contains(page, "\u202e") || strings.Contains(page, "\x00") {
		t.Error("text of the file has become markup, or turns the direction of writing")
	}
	_, rest, _ := strings.Cut(page, `id="pictures">`)
	text, _, _ := strings.Cut(rest, "</script>")
	var pictures map[string]any
	if err := json.Unmarshal([]byte(text), &pictures); err != nil {
		t.Errorf("the pictures are no JSON: %v", err)
	}
}

func TestHostileResultsAreTextOnAPage(t *testing.T) {
	for _, scenario := range []string{"fill", "churn", "reuse", "survey", "reach", nastyHTML} {
		r := hostileAs(scenario)
		r.Run.Scenario = scenario
		checkPage(t, htmlOf(t, hostileHTML(t, r)))
	}
	checkPage(t, htmlOf(t, hostileWays()))
	checkPage(t, htmlOf(t, &result.Set{Axis: nastyHTML, Skipped: []string{nastyHTML}, Runs: []*result.Result{hostile(), hostileAs("reuse")}}))
	checkPage(t, htmlOf(t, &result.Plan{}))
	checkPage(t, htmlOf(t, &result.Checkup{}))
}

func TestEveryFigureHasItsPictureAndItsTable(t *testing.T) {
	for _, d := range []result.Document{fullRange(), timeWaited(), exhausted(), surveyedInOrder(), bench()} {
		page := htmlOf(t, d)
		_, rest, _ := strings.Cut(page, `id="pictures">`)
		text, _, _ := strings.Cut(rest, "</script>")
		var pictures map[string]map[string]any
		if err := json.Unmarshal([]byte(text), &pictures); err != nil {
			t.Fatal(err)
		}
		figures := regexp.MustCompile(`(?s)<figure id="([^"]+)" class="(chart|map)">.*?<section|$`).FindAllStringSubmatch(page, -1)
		if len(pictures["charts"])+len(pictures["maps"]) == 0 {
			t.Error("no picture at all")
		}
		for _, f := range figures {
			if f[0] != "" && pictures[f[2]+"s"][f[1]] == nil {
				t.Errorf("figure %s has no picture", f[1])
			}
			if f[0] != "" && !strings.Contains(f[0], "<table>") {
				t.Errorf("figure %s has no table before the next section", f[1])
			}
		}
	}
}

func TestHTMLSaysWhatItCannotRender(t *testing.T) {
	if err := reports.HTML(&bytes.Buffer{}, nil); err == nil {
		t.Error("no error for a document that is none")
	}
}

func FuzzHTML(f *testing.F) {
	for _, doc := range []result.Document{filled("connect"), exhausted(), timeWaited(), surveyed(), bench(), ways(), hostileHTML(f, base("fill", "bind"))} {
		var text bytes.Buffer
		if err := result.Encode(&text, doc); err != nil {
			f.Fatal(err)
		}
		f.Add(text.Bytes())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := result.Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		checkPage(t, htmlOf(t, doc))
	})
}

// BenchmarkHTML renders the largest single run, and prints the size of its page
// and the memory that it takes.
func BenchmarkHTML(b *testing.B) {
	r := fullRange()
	var page bytes.Buffer
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	for b.Loop() {
		page.Reset()
		if err := reports.HTML(&page, r); err != nil {
			b.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(page.Len()), "B/page")
	b.ReportMetric(float64(after.Sys)/(1<<20), "MB-of-system")
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Millisecond), "ms/page")
}
