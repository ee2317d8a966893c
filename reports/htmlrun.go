package reports

import (
	"slices"
	"strings"

	"lastport/reports/result"
)

// htmlRun is one run on an HTML page.
type htmlRun struct {
	ID       string
	Name     string
	Verdict  badge
	When     string
	Next     []advised
	Command  string // that repeats it; "": unknown
	Sections []section
	Folded   bool // of several runs: shown when it is asked for
}

// badge is the verdict in a word and in a sentence.
type badge struct{ Tone, Word, Text string }

func badgeOf(r *result.Result) badge {
	b := badge{Tone: "bad", Word: "Not OK", Text: shown(r.Verdict.Text)}
	switch {
	case r.Run.Interrupted:
		b.Tone, b.Word = "caution", "Interrupted"
	case r.Verdict.OK:
		b.Tone, b.Word = "good", "OK"
	}
	if b.Text == "" {
		b.Text = "no verdict"
	}
	return b
}

// comparedBadge is what a comparison comes to. Expectations that did not hold are
// no better than what became worse.
func comparedBadge(c *result.Comparison) *badge {
	word, text := claimed(c)
	lower := strings.ToLower(word.text)
	b := &badge{word.tone.class(), strings.ToUpper(lower[:1]) + lower[1:], shown(text)}
	if slices.ContainsFunc(c.Expect, func(e result.ComparedExpect) bool { return !e.Held }) {
		b.Tone = bad.class()
	}
	return b
}

// runBuilder makes the sections of a run, and the pictures in them.
type runBuilder struct {
	r        *result.Result
	prefix   string // of IDs
	times    int    // values of each line of a timeline
	pictures *pictures
}

// run makes the whole of a run.
func (b *runBuilder) run() htmlRun {
	r := b.r
	sections := recorded(func(p *page) { p.prediction(r) })
	sections = append(sections, recorded(func(p *page) {
		p.expectations(r.Expect)
		p.warnings(r.Warnings)
	})...)
	sections = append(sections, b.body()...)
	sections = append(sections, recorded(func(p *page) {
		p.rules(r.Reach)
		p.outcomes(r)
		p.command(r)
		p.onHost(r.OnHost)
		p.gateway(r)
		p.witnesses(r)
		p.kernel("Kernel counters", r.Kernel)
		p.kernel("Kernel counters of the listener's host", r.KernelPeer)
		p.cost(r)
		p.asked(r)
		p.settings(r.Host)
	})...)
	sections = append(sections, configuration(r)...)
	return htmlRun{
		ID: b.prefix, Name: runTitle(r), Verdict: badgeOf(r), When: when(r),
		Next: nextSteps(r), Command: commandOf(r), Sections: numbered(b.prefix, sections),
	}
}

func when(r *result.Result) string {
	if r.Run.Started.IsZero() {
		return ""
	}
	return r.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")
}

// runTitle names a run by what was done with which ports.
func runTitle(r *result.Result) string {
	return shown(phrases(word(r.Run.Scenario), r.Config.Strategy, rangeName(r.Config)))
}

// body is what the scenario measured, with its pictures.
func (b *runBuilder) body() []section {
	r := b.r
	var all []section
	switch r.Run.Scenario {
	case "churn":
		all = append(all, b.timeline()...)
		all = append(all, b.latency(func(p *page) { p.response(r) })...)
		all = append(all, recorded(func(p *page) { p.requests(r); p.timeWait(r) })...)
	case "reuse":
		all = append(all, b.reuse()...)
		all = append(all, b.latency(nil)...)
		all = append(all, b.timeline()...)
	case "survey":
		all = append(all, b.survey()...)
		all = append(all, b.latency(nil)...)
		all = append(all, b.timeline()...)
	case "reach":
		all = append(all, recorded(func(p *page) { p.reach(r) })...)
		return append(append(all, b.ports()...), b.latency(nil)...)
	default:
		all = append(all, b.occupancy()...)
		all = append(all, b.latency(nil)...)
		all = append(all, recorded(func(p *page) { p.exhaustion(r) })...)
		all = append(all, b.timeline()...)
	}
	return append(all, b.ports()...)
}

// chart puts a picture on the page.
func (b *runBuilder) chart(name string, c *chart, f figure) block {
	f.ID, f.Kind, f.Says = b.prefix+"-"+name, "chart", shown(f.Says)
	b.pictures.Charts[f.ID] = c
	return block{Figure: &f}
}

// occupancy is the picture before the table of the same numbers.
func (b *runBuilder) occupancy() []section {
	sections := recorded(func(p *page) { p.occupancy(b.r) })
	c := occupancyChart(b.r)
	if len(sections) == 0 || c == nil {
		return sections
	}
	picture := b.chart("occupancy", c, figure{
		Title: "What a connect takes while so many of the ports are in use", Says: occupancySays(b.r),
		Reading: "Up is slower, on a scale where each line is ten times the one below. A flat line is a search that stays cheap to the last port; a jump is a knee.",
	})
	sections[0].Blocks = append([]block{picture}, sections[0].Blocks...)
	return sections
}

// latency is the table of percentiles, the picture of all of them, and what is
// to be said about both.
func (b *runBuilder) latency(about func(*page)) []section {
	timed := b.r.Latency.All()
	sections := recorded(func(p *page) {
		p.latency(b.r)
		if about != nil {
			about(p)
		}
	})
	c := percentileChart(timed)
	if len(sections) == 0 || c == nil {
		return sections
	}
	picture := b.chart("percentiles", c, figure{
		Title: "What all but the slowest share of attempts took", Says: percentileSays(timed), Table: percentileTable(timed),
		Reading: "To the right are ever fewer, ever slower attempts: each step is a tenth of those before. Failed attempts have a line of their own. Where response leaves connect behind, attempts began late.",
	})
	sections[0].Blocks = append([]block{picture}, sections[0].Blocks...)
	return sections
}

func (b *runBuilder) timeline() []section {
	c := timelineChart(b.r, b.times)
	if c == nil {
		return nil
	}
	picture := b.chart("timeline", c, figure{
		Title: "The run over time", Says: timelineSays(b.r), Table: timelineTable(b.r),
		Reading: "All panels have one time: what happens at once stands one above the other. Drag over a part to look into it, or use the buttons; a double click shows all again.",
	})
	dry := recorded(func(p *page) { p.drought(b.r.Timeline) })
	s := section{Title: "Timeline", Blocks: []block{picture}}
	for _, part := range dry {
		s.Blocks = append(s.Blocks, part.Blocks...)
	}
	return []section{s}
}

func (b *runBuilder) reuse() []section {
	sections := recorded(func(p *page) { p.reuse(b.r) })
	c, numbers := reuseChart(b.r.Reuse, b.r.Predicted.ReuseNS)
	if c == nil || len(sections) == 0 {
		return sections
	}
	picture := b.chart("reuse", c, figure{
		Title: "How long closed ports stayed out of use", Says: reuseSays(b.r.Reuse, b.r.Predicted.ReuseNS), Table: numbers,
		Reading: "Each bar is the ports that came back after so long; the shaded part is when arithmetic has them come back. Bars outside of it, by more than the time between two probes, are a kernel that does otherwise.",
	})
	sections[0].Blocks = append([]block{picture}, sections[0].Blocks...)
	return sections
}

// survey is the words and numbers, and two pictures for each part.
func (b *runBuilder) survey() []section {
	if b.r.Survey == nil {
		return nil
	}
	sections := recorded(func(p *page) { p.survey(b.r) })
	s := section{Title: "The order of picks"}
	for _, part := range parts(b.r.Survey) {
		if c := sequenceChart(part.picks); c != nil {
			s.Blocks = append(s.Blocks, b.chart("sequence-"+part.name, c, figure{
				Title: "Ports in the order of their picks, " + part.name, Says: part.picks.Text, Table: sequenceTable(part.picks),
				Reading: "Each point is a pick. A cloud cannot be guessed; a line or a comb can. One colour alone is one parity alone.",
			}))
		}
		if c, numbers := stepChart(part.picks); c != nil {
			s.Blocks = append(s.Blocks, b.chart("steps-"+part.name, c, figure{
				Title: "The most frequent steps, " + part.name, Says: stepWords(part.picks.Steps), Table: numbers,
				Reading: "One high bar is a sequence that an onlooker can guess from one pick to the next.",
			}))
		}
	}
	if len(s.Blocks) > 0 {
		sections = append(sections, s)
	}
	return sections
}

// ports is the map of all ports.
func (b *runBuilder) ports() []section {
	m := mapOfPorts(b.r)
	if m == nil {
		return nil
	}
	id := b.prefix + "-map"
	b.pictures.Maps[id] = m
	return []section{{Title: "Port map", Blocks: []block{{Figure: &figure{
		ID: id, Kind: "map", Title: "All ports, a cell each", Says: m.says(), Table: m.table(),
		Reading: "Each cell is a port, from left to right and from top to bottom, 256 to a row or fewer where there are few. Drag over cells to look into a part. Stripes are one parity; holes are ports that were never used.",
	}}}}}
}
