package suite

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"lastport/loadgen/strategy"
)

// spec is a row as it is written, or the defaults: settings in the order of the
// file, each with one value or with several, which multiply the row.
type spec struct {
	line     int
	settings []setting
}

// setting is a key and its values. A setting of the kernel is one of its own.
type setting struct {
	key    key
	name   string // of the key; with sysctl the kernel's behind it
	line   int
	own    bool // of the row itself, not of the defaults
	all    bool // of strategy: every one that fits
	values []*yaml.Node
}

func (s *spec) find(name string) (setting, bool) {
	i := slices.IndexFunc(s.settings, func(o setting) bool { return o.name == name })
	if i < 0 {
		return setting{}, false
	}
	return s.settings[i], true
}

// put adds a setting in place of one of the defaults.
func (s *spec) put(one setting) {
	if i := slices.IndexFunc(s.settings, func(o setting) bool { return o.name == one.name }); i >= 0 {
		s.settings = slices.Delete(s.settings, i, i+1)
	}
	s.settings = append(s.settings, one)
}

// spec reads the keys of a row, over the defaults.
func (p *parser) spec(n *yaml.Node, usual spec) (spec, error) {
	row := spec{line: n.Line, settings: slices.Clone(usual.settings)}
	for i := range row.settings {
		row.settings[i].own = false
	}
	err := p.mapping(n, "rows: [{strategy: connect}]", keyNames(), func(name string, v *yaml.Node) error {
		k := keyNamed(name)
		if k.each == nil {
			one, err := p.setting(k, name, v)
			row.put(one)
			return err
		}
		return p.pairs(v, k.form, func(key string, at, v *yaml.Node) error {
			sub, err := k.each(p, at, strings.ReplaceAll(key, "/", "."))
			if err != nil {
				return err
			}
			one, err := p.setting(sub, name+" "+sub.name, v)
			row.put(one)
			return err
		})
	})
	return row, err
}

// setting reads the values of a key: one, or a list where the key takes one value
// a row.
func (p *parser) setting(k key, name string, n *yaml.Node) (setting, error) {
	s := setting{key: k, name: name, line: n.Line, own: true, values: []*yaml.Node{n}}
	at, err := p.follow(n)
	if err != nil || k.whole || at.Kind != yaml.SequenceNode {
		s.spread(at)
		return s, err
	}
	if len(at.Content) == 0 || len(at.Content) > maxValues {
		return s, p.fail(n, k.form, "%s: a list of %d values: want 1 to %d", name, len(at.Content), maxValues)
	}
	s.values = at.Content
	return s, nil
}

// spread makes of the word all for a strategy each of them.
func (s *setting) spread(n *yaml.Node) {
	if s.name != "strategy" || n == nil || n.Kind != yaml.ScalarNode || n.Value != "all" {
		return
	}
	s.all, s.values = true, nil
	for _, name := range strategy.Names() {
		s.values = append(s.values, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: n.Line})
	}
}

// product is how many rows the row makes, and the arithmetic of it: "4 × 10 = ".
func (s *spec) product() (n int, words string) {
	var factors []string
	n = 1
	for _, one := range s.settings {
		if len(one.values) > 1 {
			factors = append(factors, fmt.Sprint(len(one.values)))
			n *= len(one.values)
			n = min(n, math.MaxInt32) // of lists that are long
		}
	}
	if len(factors) < 2 {
		return n, ""
	}
	return n, strings.Join(factors, " × ") + " = "
}

// multiply makes the ways of a row: one for each choice of one value from each
// list, the last list varying first.
func (p *parser) multiply(row spec) (ways []Way, err error) {
	n, _ := row.product()
	for i := range n {
		w, fits, err := p.way(row, n, i)
		if err != nil {
			return nil, err
		}
		if fits {
			ways = append(ways, w)
		}
	}
	return ways, nil
}

// way is the i-th of the n ways of a row. It does not fit if it is of a strategy
// that nobody named and that cannot be.
func (p *parser) way(row spec, n, i int) (w Way, fits bool, err error) {
	w = Way{Line: row.line, Range: hostRange, Strategy: "connect"}
	var words []string
	every := false
	_, named := row.find("name")
	for _, s := range row.settings {
		n /= len(s.values)
		v := s.values[i/n%len(s.values)]
		every = every || s.all
		if err := s.key.set(p, &w, v); err != nil {
			return w, false, err
		}
		if s.key.word == nil || len(s.values) == 1 && (named || !s.own) {
			continue
		}
		v, err := p.follow(v)
		if err != nil {
			return w, false, err
		}
		if word := s.key.word(shorten(v.Value)); word != "" {
			words = append(words, word)
		}
	}
	if w.Name != "" {
		words = slices.Insert(words, 0, w.Name)
	}
	w.Name = title(words)
	if every && w.Sources > 0 && !strategy.TakesSource(w.Strategy) {
		return w, false, nil
	}
	return w, true, p.check(&w)
}

// check refuses ways that contradict themselves.
func (p *parser) check(w *Way) error {
	switch {
	case w.UDP && w.Close != 0:
		return p.failAt(w.Line, "close: client-fin", "close: %s with proto: udp, which has no close to agree on and no TIME_WAIT", w.Close)
	case w.Sources > 0 && !strategy.TakesSource(w.Strategy):
		return p.failAt(w.Line, "strategy: late-bind", "sources: %d with strategy: %s, which never binds, so the kernel takes the source address from the route", w.Sources, w.Strategy)
	case w.Duration > 0 && w.Rate == 0:
		return p.failAt(w.Line, "rate: 100", "duration: %v without a rate: what is tried without one has its own length", w.Duration)
	case w.Rate > 0 && !w.wants(Churn):
		return p.failAt(w.Line, "runs: [churn]", "rate: %g, but no churn among the runs", w.Rate)
	case w.Rate > 0 && w.Duration > 0 && w.Hold > w.Duration:
		return p.failAt(w.Line, fmt.Sprintf("hold: %v", w.Duration/2), "hold: %v is longer than duration: %v", w.Hold, w.Duration)
	}
	return p.checkPlace(w)
}
