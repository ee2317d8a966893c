package merge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// selection is which parts are the shards of one run: by index, each once.
type selection struct {
	count   int
	parts   []Part
	missing []int
	leftOut []result.LeftOut
}

// mergeable are the scenarios whose numbers add up. The order of picks and the
// ports that a path lets through are those of one host.
func mergeable() []string { return []string{"fill", "churn", "reuse"} }

// choose finds the run that most of the parts, which are in order, belong to, and
// its shards.
func choose(parts []Part, partial bool) (*selection, error) {
	refused := &RefusedError{}
	families := map[string][]Part{}
	for _, p := range parts {
		if why := notAShard(p.Run); why != "" {
			refused.add(p.From, why)
			continue
		}
		key := familyKey(p.Run)
		families[key] = append(families[key], p)
	}
	home := largest(families)
	if home == nil {
		if refused.unsure = len(families) > 0; refused.unsure {
			refused.addFamilies(families)
		}
		return nil, refused
	}
	s := &selection{count: home[0].Run.Run.Shard.Count}
	for key, family := range families {
		if key == familyKey(home[0].Run) {
			continue
		}
		for _, p := range family {
			refused.add(p.From, "it is of another run: "+unlike(home[0].Run, p.Run))
		}
	}
	s.parts = once(distinct(home, refused), refused)
	s.missing = missing(s)
	refused.missing, refused.count = s.missing, s.count
	refused.sort()
	if !partial && (len(refused.parts) > 0 || len(s.missing) > 0) {
		return nil, refused
	}
	s.leftOut = refused.parts
	return s, nil
}

// inOrder sorts parts so that the order in which they were named is of no
// account.
func inOrder(a, b Part) int {
	return cmp.Or(
		cmp.Compare(a.From, b.From),
		cmp.Compare(a.Run.Run.ID, b.Run.Run.ID),
		a.Run.Run.Started.Compare(b.Run.Run.Started),
		cmp.Compare(a.Run.Attempts, b.Run.Attempts),
	)
}

// notAShard says why a result is no shard that can be merged; "" if it is one.
func notAShard(r *result.Result) string {
	shard := r.Run.Shard
	switch {
	case r.Merged != nil:
		return "it is merged already; its shards can be merged, with others"
	case shard == nil:
		return "it is a whole run; a part of one is made with --shard"
	case shard.Count < 1 || shard.Count > MaxShards || shard.Index < 0 || shard.Index >= shard.Count:
		return fmt.Sprintf("it says that it is shard %d/%d: of no more than %d the index counts from 0", shard.Index, shard.Count, MaxShards)
	case !slices.Contains(mergeable(), r.Run.Scenario):
		return fmt.Sprintf("it is a %.20s: only those of %s add up", r.Run.Scenario, strings.Join(mergeable(), ", "))
	}
	return ""
}

// largest is the family with most parts; nil if there is no such.
func largest(families map[string][]Part) (home []Part) {
	tie := false
	for _, f := range families {
		switch {
		case len(f) > len(home):
			home, tie = f, false
		case len(f) == len(home):
			tie = true
		}
	}
	if tie {
		return nil
	}
	return home
}

// distinct leaves out a run that is there as two shards: a copy under another
// name, which would count twice. Of such it keeps that with the lower index.
func distinct(family []Part, refused *RefusedError) (kept []Part) {
	first := map[string]Part{}
	for _, p := range family {
		if other, seen := first[p.Run.Run.ID]; !seen || p.Run.Run.Shard.Index < other.Run.Run.Shard.Index {
			first[p.Run.Run.ID] = p
		}
	}
	for _, p := range family {
		is := p.Run.Run
		of := first[is.ID]
		if is.ID != "" && of.Run.Run.Shard.Index != is.Shard.Index {
			refused.add(p.From, fmt.Sprintf("it says that it is shard %d/%d, and is the same run (run.id) as %s, shard %d/%d",
				is.Shard.Index, is.Shard.Count, of.From, of.Run.Run.Shard.Index, is.Shard.Count))
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

// once keeps one part of each shard: that which came to its own end, and of
// several such the one that began last.
func once(family []Part, refused *RefusedError) (kept []Part) {
	best := map[int]Part{}
	for _, p := range family {
		i := p.Run.Run.Shard.Index
		if other, double := best[i]; !double || better(p.Run, other.Run) {
			best[i] = p
		}
	}
	for _, p := range family {
		i := p.Run.Run.Shard.Index
		switch {
		case best[i].Run == p.Run:
		case best[i].From == p.From:
			refused.add(p.From, "it is named twice")
		default:
			refused.add(p.From, fmt.Sprintf("it is shard %d/%d, as %s is", i, p.Run.Run.Shard.Count, best[i].From))
		}
	}
	for _, i := range slices.Sorted(maps.Keys(best)) {
		kept = append(kept, best[i])
	}
	return kept
}

func better(a, b *result.Result) bool {
	if a.Run.Interrupted != b.Run.Interrupted {
		return b.Run.Interrupted
	}
	return a.Run.Started.After(b.Run.Started)
}

// missing are the shards that no part is.
func missing(s *selection) (all []int) {
	next := 0
	for i := range s.count {
		if next < len(s.parts) && s.parts[next].Run.Run.Shard.Index == i {
			next++
			continue
		}
		all = append(all, i)
	}
	return all
}

// familyKey is what the shards of one run have in common.
func familyKey(r *result.Result) string {
	key := ""
	for _, f := range familyFields(r) {
		key += f[0] + "=" + f[1] + "\n"
	}
	return key
}

// familyFields are the scenario, the number of shards, and every flag but the
// seed, in their order. Where results go and which form a report has are no
// part of a config.
func familyFields(r *result.Result) (all [][2]string) {
	all = [][2]string{
		{"scenario", r.Run.Scenario}, {"shard.count", strconv.Itoa(r.Run.Shard.Count)}, {"repeat", strconv.Itoa(r.Run.Repeat)},
	}
	config := r.Config
	config.Seed = 0
	text, _ := json.Marshal(config) // numbers, words, lists and maps of words: it cannot fail
	var flags map[string]json.RawMessage
	_ = json.Unmarshal(text, &flags) // what was just written
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		all = append(all, [2]string{name, string(flags[name])})
	}
	return all
}

// unlike names the fields by which a result is of another run.
func unlike(home, other *result.Result) string {
	const most = 5
	values := map[string][2]string{}
	for side, r := range []*result.Result{home, other} {
		for _, f := range familyFields(r) {
			v := values[f[0]]
			v[side] = f[1]
			values[f[0]] = v
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if v := values[name]; v[0] != v[1] {
			all = append(all, fmt.Sprintf("%s is %.60s, and %.60s in the others", name, cmp.Or(v[1], "not set"), cmp.Or(v[0], "not set")))
		}
	}
	if len(all) > most {
		all = append(all[:most], fmt.Sprintf("and %d fields more", len(all)-most))
	}
	return strings.Join(all, "; ")
}
