package reports

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
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

// saved is the result file within the page: gzip, in base64.
type saved struct {
	Name string
	Size string
	Data template.URL // "": it is too large to be kept in the page
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
	for i, r := range shownRuns {
		b := runBuilder{r, fmt.Sprintf("run%d", i+1), max(mostTimes/len(shownRuns), fewestTimes), v.Pictures}
		run := b.run()
		run.Folded = true
		v.Runs = append(v.Runs, run)
	}
	if more := len(s.Runs) - len(shownRuns); more > 0 {
		v.Unshown = plural(int64(more), "further run") + " of the set can be seen by rendering the run alone"
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
		v.Title, put = "Old and new, compared", func(p *page) { p.comparison(d) }
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

// mostSaved bounds the result file that a page carries, in compressed bytes.
const mostSaved = 1 << 20

// savedFile packs the document as it is kept in a file.
func savedFile(d result.Document) saved {
	var file, packed bytes.Buffer
	if err := result.Encode(&file, d); err != nil {
		return saved{} // it holds a number that JSON has no form for
	}
	f := saved{Name: result.FileName, Size: size(int64(file.Len()))}
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return f
	}
	_, err = z.Write(file.Bytes())
	if err = cmp.Or(err, z.Close()); err == nil && packed.Len() <= mostSaved {
		f.Data = template.URL("data:application/gzip;base64," + base64.StdEncoding.EncodeToString(packed.Bytes())) //nolint:gosec // base64 of our own
	}
	return f
}

// Join makes one set of the runs of several documents, to be rendered side by
// side. What is neither a run nor a set has no run and adds nothing.
func Join(docs ...result.Document) *result.Set {
	var runs []*result.Result
	for _, d := range docs {
		switch d := d.(type) {
		case *result.Result:
			runs = append(runs, d)
		case *result.Set:
			runs = append(runs, d.Runs...)
		}
	}
	runs = slices.DeleteFunc(runs, func(r *result.Result) bool { return r == nil })
	set := &result.Set{Schema: result.SetSchema, Planned: len(runs), Runs: runs}
	if len(runs) > 0 {
		set.Axis = differing(runs)
	}
	return set
}
