package reports

import (
	"encoding/json"
	"fmt"
	"strings"

	"lastport/reports/result"
)

// whole lists every value of a part of the file under its name there, so that
// nothing of a configuration is left out.
func whole(part any) []fact {
	text, err := json.Marshal(part)
	if err != nil {
		return nil // numbers that JSON has no form for: no file holds them
	}
	var tree map[string]any
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		return nil
	}
	var all []fact
	for _, name := range sortedKeys(tree) {
		all = flatten(all, name, tree[name])
	}
	return all
}

// mostFacts bounds the list of what a configuration holds.
const mostFacts = 400

// flatten lists a value, those of an object each under its path. The depth is
// that of the file's own types: unknown fields are not among them.
func flatten(all []fact, name string, value any) []fact {
	if len(all) >= mostFacts {
		return all
	}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			all = flatten(all, name+"."+key, v[key])
		}
		return all
	case []any:
		var words []string
		for _, item := range v[:min(len(v), maxItems)] {
			words = append(words, fmt.Sprint(item))
		}
		if more := len(v) - maxItems; more > 0 {
			words = append(words, "… and "+count(int64(more))+" more")
		}
		value = strings.Join(words, ", ")
	}
	return append(all, fact{shown(name), quoteEmpty(shown(fmt.Sprint(value)))})
}

// configuration is all that was asked and where, folded.
func configuration(r *result.Result) []section {
	return []section{
		{Title: "Whole configuration", Folded: true, Blocks: []block{{Facts: whole(r.Config)}}},
		{Title: "Whole host", Folded: true, Blocks: []block{{Facts: whole(r.Host)}}},
	}
}
