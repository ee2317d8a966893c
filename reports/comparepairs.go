package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// kind is the runs of one side that were made alike: the repeats of one run.
type kind struct {
	key  string
	runs []*result.Result
}

// kindsOf groups runs in the order in which their kinds come first.
func kindsOf(runs []*result.Result) (kinds []kind) {
	for _, r := range runs {
		key := kindKey(r)
		if i := slices.IndexFunc(kinds, func(k kind) bool { return k.key == key }); i >= 0 {
			kinds[i].runs = append(kinds[i].runs, r)
			continue
		}
		kinds = append(kinds, kind{key, []*result.Result{r}})
	}
	return kinds
}

// kindKey is what the repeats of a run have in common: all that was asked for but
// what is expected, and the seed.
func kindKey(r *result.Result) string {
	var b strings.Builder
	for _, f := range append(spaceFields(r), askedFields(r)...) {
		fmt.Fprintf(&b, "%q=%q\n", f[0], f[1])
	}
	return b.String()
}

func spaceKey(r *result.Result) string { return fmt.Sprintf("%q", spaceFields(r)) }

// spaceFields are what old and new must share: numbers of another scenario, or of
// another space, say nothing about each other.
func spaceFields(r *result.Result) [][2]string {
	c := &r.Config
	return [][2]string{
		{"scenario", r.Run.Scenario},
		{"mode", modeOf(*c)},
		{"proto", cmp.Or(c.Proto, "tcp")},
		{"range", c.Range},
		{"exclude", c.Exclude},
		{"sources", strconv.Itoa(r.Space.Sources)},
		{"targets", strconv.Itoa(r.Space.Targets)},
		{"nat_range", c.NATRange},
		{"nat_addresses", strconv.Itoa(len(c.NATAddresses))},
	}
}

// askedFields are what else was asked of a run: it may be what one compares.
func askedFields(r *result.Result) [][2]string {
	c := &r.Config
	whole := func(n int64) string { return nonZero(n, func(n int64) string { return strconv.FormatInt(n, 10) }) }
	timeouts := map[string]string{}
	for state, ns := range c.NATTimeoutsNS {
		timeouts[state] = strconv.FormatInt(ns, 10)
	}
	return [][2]string{
		{"strategy", c.Strategy},
		{"window_size", whole(int64(c.WindowSize))},
		{"window_moves", optional(c.WindowMoves, strconv.Itoa)},
		{"tradeoff", whole(int64(c.Tradeoff))},
		{"close", c.Close},
		{"sysctl", sysctlsOf(c.Sysctls)},
		{"peer_sysctl", sysctlsOf(c.PeerSysctls)},
		{"place", c.Place},
		{"target", strings.Join(c.Targets, ",")},
		{"source", strings.Join(c.Sources, ",")},
		{"connections", whole(c.Connections)},
		{"attempts", whole(c.Attempts)},
		{"rate", c.Rate},
		{"concurrency", whole(int64(c.Concurrency))},
		{"requests", whole(int64(c.Requests))},
		{"hold_ns", whole(c.HoldNS)},
		{"timeout_ns", whole(c.TimeoutNS)},
		{"duration_ns", whole(c.DurationNS)},
		{"user_timeout_ns", whole(c.UserTimeoutNS)},
		{"linger_ns", whole(c.LingerNS)},
		{"held", c.Held},
		{"workers", whole(int64(c.Workers))},
		{"engine", c.Engine},
		{"ends", c.Ends},
		{"nat_address", strings.Join(c.NATAddresses, ",")},
		{"nat_random", strconv.FormatBool(c.NATRandom)},
		{"nat_timeout_ns", sysctlsOf(timeouts)},
		{"clients", whole(int64(c.Clients))},
		{"block", c.Block},
		{"block_in", c.BlockIn},
		{"tries", whole(int64(c.Tries))},
		{"leave", whole(c.Leave)},
		{"command", shellWords(c.Command)},
		{"unrecorded", strconv.FormatBool(c.Unrecorded)},
	}
}

// hostFields are what the place and the machine were.
func hostFields(r *result.Result) [][2]string {
	all := [][2]string{
		{"ports_usable", strconv.Itoa(r.Space.PortsUsable)},
		{"kernel", r.Host.Kernel},
		{"cpus", strconv.Itoa(r.Host.CPUs)},
		{"memory_bytes", strconv.FormatInt(r.Host.MemoryBytes, 10)},
		{"version", r.Tool.Version},
		{"commit", r.Tool.Commit},
	}
	for _, key := range slices.Sorted(maps.Keys(r.Host.Sysctls)) {
		if _, asked := r.Config.Sysctls[key]; !asked {
			all = append(all, [2]string{key, r.Host.Sysctls[key]})
		}
	}
	return all
}

// unlike are the fields whose values old and new do not share. A field that
// one of them lacks has no value there.
func unlike(old, now [][2]string) (all []result.Difference) {
	was := map[string]string{}
	for _, f := range old {
		was[f[0]] = f[1]
	}
	for _, f := range now {
		if was[f[0]] != f[1] {
			all = append(all, result.Difference{Field: f[0], Old: cmp.Or(was[f[0]], "-"), New: cmp.Or(f[1], "-")})
		}
		delete(was, f[0])
	}
	for _, f := range old {
		if v, left := was[f[0]]; left && v != "" {
			all = append(all, result.Difference{Field: f[0], Old: v, New: "-"})
		}
	}
	return all
}

// differences are what is not the same in two runs that are compared.
func differences(old, now *result.Result) []result.Difference {
	return append(unlike(askedFields(old), askedFields(now)), unlike(hostFields(old), hostFields(now))...)
}

// pairUp finds for each kind of run its like on the other side: the same in all
// that was asked for, or else of the same name over the same space. One kind on
// each side are compared whatever they differ in but their space.
func pairUp(old, now []kind) (pairs []pair, onlyOld, onlyNew []string, err error) {
	if len(old) == 1 && len(now) == 1 {
		a, b := old[0].runs, now[0].runs
		if d := unlike(spaceFields(a[0]), spaceFields(b[0])); len(d) > 0 {
			return nil, nil, nil, &IncomparableError{Why: "old and new are not runs of one scenario over one space", Differs: d, hint: asOld(a[0])}
		}
		return []pair{{sharedName(a[0], b[0]), a, b}}, nil, nil, nil
	}
	pairs, restOld, restNew := match(old, now, func(k kind) string { return k.key })
	alike, restOld, restNew := match(restOld, restNew, func(k kind) string { return kindName(k.runs[0]) + spaceKey(k.runs[0]) })
	pairs = append(pairs, alike...)
	if len(pairs) == 0 {
		d := append(unlike(spaceFields(old[0].runs[0]), spaceFields(now[0].runs[0])), unlike(askedFields(old[0].runs[0]), askedFields(now[0].runs[0]))...)
		return nil, nil, nil, &IncomparableError{
			Why: "several kinds of runs, and no kind is in both; of the first of each", Differs: d,
			hint: "name the folder of one run on each side",
		}
	}
	return pairs, kindNames(restOld), kindNames(restNew), nil
}

// match takes out the kinds whose key is on both sides once.
func match(old, now []kind, key func(kind) string) (pairs []pair, restOld, restNew []kind) {
	at := map[string][]int{}
	for i, k := range old {
		at[key(k)] = append(at[key(k)], i)
	}
	times := map[string]int{}
	for _, k := range now {
		times[key(k)]++
	}
	taken := make([]bool, len(old))
	for _, k := range now {
		i := at[key(k)]
		if len(i) != 1 || times[key(k)] != 1 {
			restNew = append(restNew, k)
			continue
		}
		pairs = append(pairs, pair{kindName(k.runs[0]), old[i[0]].runs, k.runs})
		taken[i[0]] = true
	}
	for i, k := range old {
		if !taken[i] {
			restOld = append(restOld, k)
		}
	}
	return pairs, restOld, restNew
}

func kindNames(kinds []kind) (names []string) {
	for _, k := range kinds {
		names = append(names, kindName(k.runs[0]))
	}
	return names
}

// asOld is how a run over the space of the old one begins. What a file says is
// quoted, and a scenario of no verb is not there to be typed.
func asOld(old *result.Result) string {
	if !makesRuns(old.Run.Scenario) {
		return "name two results of one verb over one range"
	}
	cfg, c := old.Config, command{"lastport", old.Run.Scenario}
	c.flag("range", cfg.Range)
	c.flag("exclude", cfg.Exclude)
	if cfg.Proto == "udp" {
		c.flag("proto", cfg.Proto)
	}
	c.flag("mode", modeOf(cfg))
	if cfg.NATRange != "" {
		c.flag("place", "nat")
		c.flag("nat-range", cfg.NATRange)
		c.number("nat-addresses", int64(len(cfg.NATAddresses)))
	}
	if old.Space.Sources > 1 {
		c.flag("source", flagList(cfg.Sources, address))
	}
	if old.Space.Targets > 1 {
		c.flag("target", flagList(cfg.Targets, endpoint))
	}
	return c.String()
}

// kindName names a kind of run: "fill connect linux client-rst".
func kindName(r *result.Result) string { return sharedName(r, r) }

// sharedName names two runs by the words that they share.
func sharedName(old, now *result.Result) string {
	name := word(now.Run.Scenario)
	kept := "close"
	if modeOf(now.Config) != "" {
		kept = "mode"
	}
	for _, axis := range []string{"strategy", "profile", kept, "rate", "sysctl"} {
		if part := runName(now, axis); part != "" && part == runName(old, axis) {
			name += " " + part
		}
	}
	return name
}
