package suite

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"lastport/reports/result"
)

// expectForm is a line with what is expected.
const expectForm = "expect: {churn: no_port==0}"

func setExpect(p *parser, w *Way, n *yaml.Node) (err error) {
	w.Expect, err = p.expectations(n)
	return err
}

// expectations reads one expression, a list of them, or these by scenario.
func (p *parser) expectations(n *yaml.Node) (all []Expect, err error) {
	if n == nil {
		return nil, nil
	}
	at, err := p.follow(n)
	if err != nil || at.Kind != yaml.MappingNode {
		return p.expressions(n, "")
	}
	names := []string{string(Fill), string(Churn), string(Reuse)}
	err = p.mapping(at, expectForm, names, func(key string, v *yaml.Node) error {
		more, err := p.expressions(v, Scenario(key))
		all = append(all, more...)
		return err
	})
	return all, err
}

// checkExpect refuses what is expected of runs that no way makes, one by one.
func (p *parser) checkExpect(w *Way) error {
	for _, e := range w.Expect {
		if e.Scenario != "" && !w.wants(e.Scenario) {
			return p.failAt(w.Line, "runs: ["+string(e.Scenario)+"]", "row %q: expect: %s of a %s, and its runs have none", shorten(w.Name), e.Expectation, e.Scenario)
		}
	}
	return nil
}

// expressions reads one expression or a list of them.
func (p *parser) expressions(n *yaml.Node, of Scenario) (all []Expect, err error) {
	nodes := []*yaml.Node{n}
	if at, err := p.follow(n); err != nil {
		return nil, err
	} else if at.Kind == yaml.SequenceNode {
		nodes = at.Content
	}
	if len(nodes) > maxValues {
		return nil, p.fail(n, expectForm, "expect: %d expressions: want at most %d", len(nodes), maxValues)
	}
	for _, node := range nodes {
		text, err := p.text(node, "expect: connections>=28232")
		if err != nil {
			return nil, err
		}
		e, err := result.ParseExpect(text)
		if err != nil {
			return nil, p.fail(node, strings.ReplaceAll(hintOf(err, "expect"), "'", ""), "%v", strings.TrimPrefix(err.Error(), "--"))
		}
		all = append(all, Expect{of, e})
	}
	return all, nil
}
