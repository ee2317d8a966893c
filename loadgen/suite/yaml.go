package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"lastport/loadgen/ports"
)

// parser walks the nodes of a matrix. Every value is asked for by its type, and
// no key passes that nobody asked for.
type parser struct {
	file string
	left int // nodes that may still be looked at; aliases count as what they stand for
}

func (p *parser) failAt(line int, hint, format string, args ...any) error {
	return &FileError{File: p.file, Line: line, Problem: fmt.Sprintf(format, args...), hint: hint}
}

func (p *parser) fail(n *yaml.Node, hint, format string, args ...any) error {
	return p.failAt(n.Line, hint, format, args...)
}

// wants says what a key takes, and what it has got. form is an accepted line.
func (p *parser) wants(n *yaml.Node, form, got, want string) error {
	key, _, _ := strings.Cut(form, ":")
	return p.fail(n, form, "%s: %s, want %s", key, got, want)
}

// document reads the one document of the text.
func (p *parser) document(text []byte) (*yaml.Node, error) {
	const hint = "lastport bench --print-matrix"
	if len(text) > MaxFile {
		return nil, p.failAt(0, hint, "%d bytes: a matrix has at most %d", len(text), MaxFile)
	}
	if at := firstBad(text); at >= 0 {
		return nil, p.failAt(1+bytes.Count(text[:at], []byte("\n")), hint, "not text in UTF-8")
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, p.failAt(0, hint, "there is nothing in it")
	case err != nil:
		return nil, p.syntax(err)
	}
	switch err := d.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, p.syntax(err)
	default:
		return nil, p.fail(&second, "a file for each", "a second document")
	}
	return doc.Content[0], nil
}

// firstBad is where text has what no text has, or -1.
func firstBad(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return i
		}
		i += n
	}
	return -1
}

// syntax is an error of the YAML reader, which has the line in its text.
func (p *parser) syntax(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits
		text = m[2]
	}
	return p.failAt(line, "lastport bench --print-matrix", "no YAML: %s", text)
}

// follow is what a node stands for.
func (p *parser) follow(n *yaml.Node) (*yaml.Node, error) {
	if p.left--; p.left < 0 {
		return nil, p.fail(n, "fewer aliases (*)", "more than %d values, each as often as an alias repeats it", maxNodes)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return nil, p.fail(n, "the value without it", "a tag %s: a matrix has none", shorten(n.Tag))
	}
	for range 8 { // an alias cannot be anchored, so one step does
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n, nil
}

// mapping gives each value to take, and refuses keys that are not known or come
// twice.
func (p *parser) mapping(n *yaml.Node, form string, keys []string, take func(key string, v *yaml.Node) error) error {
	return p.pairs(n, form, func(key string, k, v *yaml.Node) error {
		if !slices.Contains(keys, key) {
			hint := "one of " + strings.Join(keys, ", ")
			if near, ok := ports.Nearest(key, keys); ok {
				hint = formOf(near)
			}
			if key == "<<" {
				hint = "what rows share belongs into defaults:"
			}
			return p.fail(k, hint, "unknown key %q", shorten(key))
		}
		return take(key, v)
	})
}

// pairs gives each key and value to take.
func (p *parser) pairs(n *yaml.Node, form string, take func(key string, k, v *yaml.Node) error) error {
	m, err := p.follow(n)
	if err != nil {
		return err
	}
	if m.Kind != yaml.MappingNode {
		return p.wants(n, form, kindOf(m), "keys and values")
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		k := m.Content[i]
		key, err := p.text(k, form)
		if err != nil {
			return err
		}
		if line, twice := seen[key]; twice {
			return p.fail(k, "one "+shorten(key)+":", "the key %q is there twice, first in line %d", shorten(key), line)
		}
		seen[key] = k.Line
		if err := take(key, k, m.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// sequence is the elements of a list.
func (p *parser) sequence(n *yaml.Node, form string) ([]*yaml.Node, error) {
	s, err := p.follow(n)
	if err != nil {
		return nil, err
	}
	if s.Kind != yaml.SequenceNode {
		return nil, p.wants(n, form, kindOf(s), "a list")
	}
	return s.Content, nil
}

// scalar is a single value.
func (p *parser) scalar(n *yaml.Node, form string) (*yaml.Node, error) {
	s, err := p.follow(n)
	switch {
	case err != nil:
		return nil, err
	case s.Kind != yaml.ScalarNode || s.ShortTag() == "!!null":
		return nil, p.wants(n, form, kindOf(s), "one value")
	}
	return s, nil
}

// text is a word, or a number taken as one.
func (p *parser) text(n *yaml.Node, form string) (string, error) {
	s, err := p.scalar(n, form)
	if err != nil {
		return "", err
	}
	switch s.ShortTag() {
	case "!!str", "!!int", "!!float", "!!merge":
		return s.Value, nil
	}
	return "", p.wants(n, form, kindOf(s), "text")
}

// number is a whole number within its bounds.
func (p *parser) number(n *yaml.Node, low, high int, form string) (int, error) {
	s, err := p.scalar(n, form)
	if err != nil {
		return 0, err
	}
	v, err := strconv.Atoi(s.Value)
	if s.ShortTag() != "!!int" || err != nil || v < low || v > high {
		return 0, p.wants(n, form, strconv.Quote(shorten(s.Value)), fmt.Sprintf("a whole number from %d to %d", low, high))
	}
	return v, nil
}

// kindOf names what a node is, for errors.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return strconv.Quote(shorten(n.Value))
}

// shorten keeps an error to a line.
func shorten(text string) string {
	const most = 60
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
