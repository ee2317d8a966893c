package suite

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// hostRange as a range is the host's own.
const hostRange = "host"

// key is one of the keys of a row.
type key struct {
	name string
	form string                                // a line with it that is accepted
	set  func(*parser, *Way, *yaml.Node) error // takes one value
	word func(value string) string             // what it is in a row's name; nil: nothing
	// each makes keys of the entries of its value, by their names; nil: it is a key
	// itself.
	each func(p *parser, at *yaml.Node, name string) (key, error)
	// whole says that a list is one value of it. The lists of others multiply.
	whole bool
}

// keys are those of a row, and of the defaults but for the name. What a flag has
// too is called as the flag.
func keys() []key {
	same := func(v string) string { return v }
	behind := func(word string) func(string) string { return counted(word, strings.TrimSuffix(word, "s")) }
	return slices.Concat([]key{
		{name: "name", form: "name: default", set: setName, whole: true},
		{name: "range", form: "range: 40000-40999", set: portsInto("range", func(w *Way) *string { return &w.Range }), word: same},
		{name: "exclude", form: "exclude: 40010-40019", set: portsInto("exclude", func(w *Way) *string { return &w.Exclude }), word: func(v string) string { return "without " + v }},
		{name: "stand-in", form: "stand-in: {fill: windows-xp}", set: standIn(func(w *Way) *map[Scenario]string { return &w.StandIn }), whole: true},
		{name: "stand-in-quick", form: "stand-in-quick: {fill: windows-xp}", set: standIn(func(w *Way) *map[Scenario]string { return &w.StandInQuick }), whole: true},
		{name: "strategy", form: "strategy: connect", set: setStrategy, word: same},
		{name: "close", form: "close: client-fin", set: setClose, word: same},
		{name: "proto", form: "proto: tcp", set: setProto, word: same},
		{name: "ipv6", form: "ipv6: true", set: boolInto("ipv6: true", func(w *Way, yes bool) { w.IPv6 = yes }), word: yesNo("ipv6", "ipv4")},
		{name: "sources", form: "sources: 2", set: numberInto("sources: 2", 1, maxAddresses, func(w *Way, n int) { w.Sources = n }), word: behind("sources")},
		{name: "targets", form: "targets: 2", set: numberInto("targets: 2", 1, maxAddresses, func(w *Way, n int) { w.Targets = n }), word: behind("targets")},
		{name: "sysctl", form: "sysctl: {net.ipv4.tcp_tw_reuse: 1}", each: kernelKey},
	}, placeKeys(), []key{
		{name: "requests", form: "requests: 10", set: numberInto("requests: 10", 0, math.MaxUint16, func(w *Way, n int) { w.Requests = n }), word: behind("requests")},
		{name: "hold", form: "hold: 2s", set: timeInto("hold: 2s", 0, func(w *Way, d time.Duration) { w.Hold = d }), word: func(v string) string { return "hold " + v }},
		{name: "connections", form: "connections: 5000", set: numberInto("connections: 5000", 1, math.MaxInt32, func(w *Way, n int) { w.Connections = int64(n) }), word: behind("connections")},
		{name: "rate", form: "rate: 400", set: setRate, word: func(v string) string { return v + "/s" }},
		{name: "duration", form: "duration: 90s", set: timeInto("duration: 90s", time.Second, func(w *Way, d time.Duration) { w.Duration = d })},
		{name: "runs", form: "runs: [fill, churn, reuse]", set: setRuns, whole: true},
		{name: "expect", form: expectForm, set: setExpect, whole: true},
		{name: "price", form: "price: the server must close first", set: setPrice, whole: true},
	})
}

// maxAddresses is how many sources or targets a run has at most.
const maxAddresses = 1024

func keyNames() (names []string) {
	for _, k := range keys() {
		names = append(names, k.name)
	}
	return names
}

func keyNamed(name string) key {
	all := keys()
	return all[slices.IndexFunc(all, func(k key) bool { return k.name == name })]
}

// formOf is a line that is accepted, of a key of a row or of the file.
func formOf(name string) string {
	all := keys()
	if i := slices.IndexFunc(all, func(k key) bool { return k.name == name }); i >= 0 {
		return all[i].form
	}
	switch name {
	case "rows":
		return rowsForm
	case "repeat":
		return repeatForm
	case "defaults":
		return "defaults: {strategy: connect}"
	}
	return name + ": …"
}

// kernelKey is a setting of the kernel.
func kernelKey(p *parser, at *yaml.Node, name string) (key, error) {
	form := "sysctl: {" + name + ": 1}"
	if name == keyRange {
		return key{}, p.fail(at, "range: 40000-40999", "the range has a key of its own")
	}
	if err := p.ofNet(at, "sysctl", "sysctl: {net.ipv4.tcp_tw_reuse: 1}", name); err != nil {
		return key{}, err
	}
	return key{
		name: name, form: form,
		set: func(p *parser, w *Way, n *yaml.Node) error {
			v, err := p.kernelValue(n, "sysctl", form, name)
			put(&w.Sysctls, name, v)
			w.setAt(name, n.Line)
			return err
		},
		word: func(v string) string { return brief(name + "=" + v) },
	}, nil
}

// kernelValue reads the value of a setting, which the kernel must not refuse.
func (p *parser) kernelValue(n *yaml.Node, key, form, name string) (string, error) {
	v, err := p.text(n, form)
	if err != nil {
		return "", err
	}
	if low, high, ok := Bounds(name); ok {
		if given, err := strconv.Atoi(v); err != nil || given < low || given > high {
			return "", p.fail(n, form, "%s %s: %q: want a whole number from %d to %d", key, name, shorten(v), low, high)
		}
	}
	return v, nil
}

// ofNet refuses settings that are not a network namespace's own.
func (p *parser) ofNet(at *yaml.Node, key, form, name string) error {
	if strings.HasPrefix(name, "net.") {
		return nil
	}
	return p.fail(at, form, "%s %q: only settings of net. belong to a run, all others to the whole machine", key, shorten(name))
}

// words reads a text for people.
func (p *parser) words(n *yaml.Node, form string) (string, error) {
	text, err := p.text(n, form)
	switch {
	case err != nil:
		return "", err
	case strings.TrimSpace(text) == "" || len(text) > maxWords || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", p.wants(n, form, strconv.Quote(shorten(text)), fmt.Sprintf("1 to %d characters that can be shown", maxWords))
	}
	return text, nil
}

func setName(p *parser, w *Way, n *yaml.Node) (err error) {
	w.Name, err = p.words(n, "name: default")
	return err
}

func setPrice(p *parser, w *Way, n *yaml.Node) (err error) {
	w.Price, err = p.words(n, "price: the server must close first")
	return err
}

// ports reads a range as a flag takes it.
func (p *parser) ports(n *yaml.Node, key string) (string, error) {
	text, err := p.text(n, key+": 40000-40999")
	if err != nil || text == hostRange && key != "exclude" {
		return text, err
	}
	if _, err := ports.Parse(text); err != nil {
		return "", p.fail(n, hintOf(err, key), "%s: %v", key, err)
	}
	return text, nil
}

// hintOf turns what an error says is to be typed into a line of a file.
func hintOf(err error, key string) string {
	h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !ok {
		return ""
	}
	if flag, found := strings.CutPrefix(h.Hint(), "--"); found {
		name, value, _ := strings.Cut(flag, " ")
		if !slices.Contains(keyNames(), name) {
			return "" // it is the command line's alone
		}
		return name + ": " + value
	}
	return key + ": " + h.Hint()
}

func portsInto(key string, field func(*Way) *string) func(*parser, *Way, *yaml.Node) error {
	return func(p *parser, w *Way, n *yaml.Node) (err error) {
		*field(w), err = p.ports(n, key)
		return err
	}
}

// standIn reads a range for all runs, or one for each scenario.
func standIn(field func(*Way) *map[Scenario]string) func(*parser, *Way, *yaml.Node) error {
	return func(p *parser, w *Way, n *yaml.Node) error {
		into := map[Scenario]string{}
		*field(w) = into
		at, err := p.follow(n)
		if err != nil {
			return err
		}
		if at.Kind != yaml.MappingNode {
			text, err := p.ports(n, "stand-in")
			into[Fill], into[Churn] = text, text
			return err
		}
		return p.mapping(at, "stand-in: {fill: windows-xp}", []string{string(Fill), string(Churn)}, func(key string, v *yaml.Node) (err error) {
			into[Scenario(key)], err = p.ports(v, key)
			return err
		})
	}
}

func setStrategy(p *parser, w *Way, n *yaml.Node) (err error) {
	if w.Strategy, err = p.text(n, "strategy: connect"); err != nil {
		return err
	}
	if !slices.Contains(strategy.Names(), w.Strategy) {
		_, err := strategy.New(w.Strategy, strategy.Space{})
		return p.fail(n, hintOf(err, "strategy"), "%v", err)
	}
	return nil
}

func setClose(p *parser, w *Way, n *yaml.Node) error {
	text, err := p.text(n, "close: client-fin")
	if err != nil {
		return err
	}
	if w.Close, err = step.ParseCloseMode(text); err != nil {
		return p.fail(n, "close: "+nearest(text, step.CloseModes()), "close: %q: not one of %s", shorten(text), strings.Join(step.CloseModes(), ", "))
	}
	return nil
}

func setProto(p *parser, w *Way, n *yaml.Node) error {
	text, err := p.text(n, "proto: tcp")
	if err == nil && text != "tcp" && text != "udp" {
		err = p.fail(n, "proto: tcp", "proto: %q: not one of tcp, udp", shorten(text))
	}
	w.UDP = text == "udp"
	return err
}

func boolInto(form string, set func(*Way, bool)) func(*parser, *Way, *yaml.Node) error {
	return func(p *parser, w *Way, n *yaml.Node) error {
		s, err := p.scalar(n, form)
		if err == nil && s.ShortTag() != "!!bool" {
			err = p.wants(n, form, strconv.Quote(shorten(s.Value)), "true or false")
		}
		set(w, err == nil && strings.EqualFold(s.Value, "true"))
		return err
	}
}

// yesNo is the word for what is so or not.
func yesNo(yes, no string) func(string) string {
	return func(v string) string {
		if strings.EqualFold(v, "true") {
			return yes
		}
		return no
	}
}

// nearest is the word that was probably meant, or the first.
func nearest(word string, among []string) string {
	if near, ok := ports.Nearest(word, among); ok {
		return near
	}
	return among[0]
}

func numberInto(form string, low, high int, set func(*Way, int)) func(*parser, *Way, *yaml.Node) error {
	return func(p *parser, w *Way, n *yaml.Node) error {
		v, err := p.number(n, low, high, form)
		set(w, v)
		return err
	}
}

// maxTime bounds the times of a file, as those of a churn are.
const maxTime = 24 * time.Hour

func timeInto(form string, least time.Duration, set func(*Way, time.Duration)) func(*parser, *Way, *yaml.Node) error {
	return func(p *parser, w *Way, n *yaml.Node) error {
		text, err := p.text(n, form)
		if err != nil {
			return err
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > maxTime {
			return p.wants(n, form, strconv.Quote(shorten(text)), fmt.Sprintf("a time with its unit, from %v to 24h", least))
		}
		set(w, d)
		return nil
	}
}

func setRate(p *parser, w *Way, n *yaml.Node) error {
	s, err := p.scalar(n, "rate: 400")
	if err != nil {
		return err
	}
	w.Rate, err = strconv.ParseFloat(s.Value, 64)
	if tag := s.ShortTag(); err != nil || tag != "!!int" && tag != "!!float" || !(w.Rate >= minRate && w.Rate <= maxRate) {
		return p.wants(n, "rate: 400", strconv.Quote(shorten(s.Value)), fmt.Sprintf("%g to %g attempts per second", minRate, maxRate))
	}
	return nil
}

// The bounds of a rate, in attempts per second: the ends of what a churn paces.
const minRate, maxRate = 0.01, 1e9

func setRuns(p *parser, w *Way, n *yaml.Node) error {
	const form = "runs: [fill, churn, reuse]"
	list, err := p.sequence(n, form)
	if err != nil {
		return err
	}
	w.Runs = []Scenario{}
	for _, node := range list {
		text, err := p.text(node, form)
		if err != nil {
			return err
		}
		if s := Scenario(text); !slices.Contains(scenarios(), s) || w.Runs != nil && slices.Contains(w.Runs, s) {
			return p.fail(node, form, "runs: %q: want each of fill, churn, reuse once at most", shorten(text))
		}
		w.Runs = append(w.Runs, Scenario(text))
	}
	if len(w.Runs) == 0 {
		return p.fail(n, form, "runs: there are none")
	}
	return nil
}
