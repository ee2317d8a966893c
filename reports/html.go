package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"lastport/reports/result"
)

// assets are the template, the styles and the scripts of an HTML page.
//
//go:embed page/*.tmpl page/*.css page/*.js page/uPlot.LICENSE
var assets embed.FS

// htmlPage is all that the template shows. It computes nothing.
type htmlPage struct {
	Title    string
	Subtitle string
	Verdict  *badge // of a set of several runs: none
	Policy   string // Content-Security-Policy
	Style    template.CSS
	Script   template.JS
	Pictures *pictures
	Sections []section // of all runs together
	Runs     []htmlRun
	Unshown  string // how many runs have no sections of their own
	Text     string // the report as text
	File     saved
	Tool     string
}

// HTML writes a document as one page that needs nothing but itself: it opens from a
// disk, asks for nothing from anywhere and runs no script but its own, which its content security
// policy makes sure of. Of several results it is the comparison: a set, as Join
// makes it. Errors are those of w, and of a document that is none.
func HTML(w io.Writer, d result.Document) error {
	view, err := htmlView(d)
	if err != nil {
		return err
	}
	t, err := template.ParseFS(assets, "page/page.tmpl")
	if err != nil {
		return fmt.Errorf("render html: %w", err)
	}
	var page bytes.Buffer // a template that fails half way leaves nothing behind
	if err := t.Execute(&page, view); err != nil {
		return fmt.Errorf("render html: %w", err)
	}
	_, err = page.WriteTo(w)
	return err
}

// htmlView gathers what a page shows.
func htmlView(d result.Document) (*htmlPage, error) {
	v := &htmlPage{Pictures: &pictures{Charts: map[string]*chart{}, Maps: map[string]*mapView{}}}
	var text strings.Builder
	if err := Text(&text, d, Style{Details: true}); err != nil {
		return nil, err
	}
	v.Text = text.String()
	switch d := d.(type) {
	case *result.Result:
		v.one(d)
	case *result.Set:
		v.several(d)
	default:
		v.other(d)
	}
	v.File = savedFile(d)
	return v, v.dress()
}

// one is the page of a run.
func (v *htmlPage) one(r *result.Result) {
	b := runBuilder{r, "run", mostTimes, v.Pictures}
	run := b.run()
	v.Title, v.Subtitle, v.Verdict, v.Tool = run.Name, phrases(run.When, shown(hostOf(r.Host))), &run.Verdict, toolName(r)
	v.Runs = []htmlRun{run}
}

// several is the page of a set: the runs side by side, and below them each by itself.
func (v *htmlPage) several(s *result.Set) {
	v.Title = shown(plural(int64(len(s.Runs)), "run") + named(" by ", s.Axis))
	if len(s.Rows) > 0 {
		v.Title = "Ways of using ports, side by side"
	}
	v.Sections = setSections(s, v.Pictures)
	shownRuns := s.Runs[:min(len(s.Runs), mostInFull)]
	names := titles(shownRuns)
	for i, r := range shownRuns {
		b := runBuilder{r, fmt.Sprintf("run%d", i+1), max(mostTimes/len(shownRuns), fewestTimes), v.Pictures}
		run := b.run()
		run.Name, run.Folded = names[i], true
		v.Runs = append(v.Runs, run)
	}
	if more := len(s.Runs) - len(shownRuns); more > 0 {
		v.Unshown = plural(int64(more), "further run") + " of the set: each has a folder of its own beside the set's " + result.FileName +
			", and 'lastport report --format html -o page.html FOLDER' renders it"
	}
	if len(s.Runs) > 0 {
		r := s.Runs[0]
		v.Subtitle, v.Tool = phrases(when(r), shown(hostOf(r.Host))), toolName(r)
	}
}

// other is the page of what is no run: a plan, a checkup.
func (v *htmlPage) other(d result.Document) {
	put := func(p *page) {}
	switch d := d.(type) {
	case *result.Plan:
		v.Title, put = "Plan", func(p *page) { p.plan(d) }
	case *result.Ranges:
		v.Title, put = "Named ranges of ports", func(p *page) { p.ranges(d) }
	case *result.Comparison:
		v.Title, v.Verdict = shown(shorten(d.Old.From, maxNameColumns)+" and "+shorten(d.New.From, maxNameColumns)+", compared"), comparedBadge(d)
		put = func(p *page) { p.comparisonBody(d) }
	case *result.Checkup:
		v.Title, put = "What this machine allows", func(p *page) { p.checkup(d) }
	case *result.Watch:
		v.Title, put = "Ports of this host", func(p *page) { p.watched(d) }
	}
	v.Sections = numbered("part", recorded(put))
}

func toolName(r *result.Result) string {
	return shown(phrases(named("lastport ", r.Tool.Version), shorten(r.Tool.Commit, 12)))
}

// dress adds styles, scripts and the policy that allows these and nothing else.
func (v *htmlPage) dress() error {
	style, err := bundle("page/uPlot.min.css", "page/page.css")
	if err != nil {
		return err
	}
	script, err := bundle("page/uPlot.iife.min.js", "page/format.js", "page/charts.js", "page/portmap.js", "page/page.js")
	if err != nil {
		return err
	}
	licence, err := assets.ReadFile("page/uPlot.LICENSE")
	if err != nil {
		return fmt.Errorf("render html: %w", err)
	}
	script = "/* uPlot\n" + string(licence) + "*/" + script      // it is to be in all copies
	v.Style, v.Script = template.CSS(style), template.JS(script) //nolint:gosec // both are this program's own
	v.Policy = "default-src 'none'; script-src " + hashOf(script) + "; style-src " + hashOf(style) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
	return nil
}

func bundle(names ...string) (string, error) {
	var all []string
	for _, name := range names {
		text, err := assets.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("render html: %w", err)
		}
		all = append(all, strings.TrimSpace(string(text)))
	}
	return "\n" + strings.Join(all, "\n") + "\n", nil
}

// hashOf is a source expression of Content Security Policy Level 3, section 2.3.1.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
