package merge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// host is what the shards' hosts have in common. What is a number in every
// result is the least of theirs; settings that differ are absent.
func (w *whole) host() result.Host {
	all := every(w.runs, func(r *result.Result) *result.Host { return &r.Host })
	h := result.Host{
		Kernel: kernels(all), CPUs: all[0].CPUs, Limits: all[0].Limits,
		Sysctls: common(all, func(h *result.Host) map[string]string { return h.Sysctls }),
		Changed: common(all, func(h *result.Host) map[string]result.Change { return h.Changed }),
		Differs: common(all, func(h *result.Host) map[string]result.Change { return h.Differs }),
		Gateway: common(all, func(h *result.Host) map[string]string { return h.Gateway }),
	}
	h.Place, _ = shared(all, func(h *result.Host) string { return h.Place })
	h.HZ, _ = shared(all, func(h *result.Host) int { return h.HZ })
	h.MemoryBytes, _ = shared(all, func(h *result.Host) int64 { return h.MemoryBytes })
	for _, one := range all {
		h.CPUs, h.Limits.NoFile = min(h.CPUs, one.CPUs), min(h.Limits.NoFile, one.Limits.NoFile)
	}
	if peers := every(w.runs, func(r *result.Result) *result.PeerHost { return r.Host.Peer }); peers != nil {
		h.Peer = &result.PeerHost{
			Sysctls: common(peers, func(h *result.PeerHost) map[string]string { return h.Sysctls }),
			Changed: common(peers, func(h *result.PeerHost) map[string]result.Change { return h.Changed }),
			Differs: common(peers, func(h *result.PeerHost) map[string]result.Change { return h.Differs }),
		}
	}
	return h
}

// kernels names every kernel once.
func kernels(of []*result.Host) string {
	var names []string
	for _, h := range of {
		names = append(names, h.Kernel)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// common is what all maps say alike.
func common[T any, V comparable](of []*T, get func(*T) map[string]V) map[string]V {
	same := maps.Clone(get(of[0]))
	for _, one := range of[1:] {
		other := get(one)
		maps.DeleteFunc(same, func(key string, v V) bool { w, has := other[key]; return !has || w != v })
	}
	return same
}

// unlikeHosts names in what the hosts of the shards differ, with the values.
func (w *whole) unlikeHosts() (all []string) {
	differ := func(name string, get func(*result.Result) string) {
		var values []string
		for _, r := range w.runs {
			values = append(values, fmt.Sprintf("%.60s", cmp.Or(get(r), "not set")))
		}
		slices.Sort(values)
		if values = slices.Compact(values); len(values) > 1 {
			all = append(all, name+" ("+list(values)+")")
		}
	}
	differ("lastport", func(r *result.Result) string {
		return strings.Join([]string{r.Tool.Version, r.Tool.Commit, r.Tool.Go}, " ")
	})
	differ("kernel", func(r *result.Result) string { return r.Host.Kernel })
	differ("processors", func(r *result.Result) string { return strconv.Itoa(r.Host.CPUs) })
	differ("bytes of memory", func(r *result.Result) string { return strconv.FormatInt(r.Host.MemoryBytes, 10) })
	differ("usable ports", func(r *result.Result) string { return strconv.Itoa(r.Space.PortsUsable) })
	keys := map[string]bool{}
	for _, r := range w.runs {
		for key := range r.Host.Sysctls {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		differ(key, func(r *result.Result) string { return r.Host.Sysctls[key] })
	}
	return all
}

// engine is what all shards used; why auto took another one is said if all say
// it alike.
func (w *whole) engine() *result.Engine {
	all := every(w.runs, func(r *result.Result) *result.Engine { return r.Engine })
	if all == nil {
		return nil
	}
	e := &result.Engine{}
	e.Asked, _ = shared(all, func(e *result.Engine) string { return e.Asked })
	e.Used, _ = shared(all, func(e *result.Engine) string { return e.Used })
	e.Why, _ = shared(all, func(e *result.Engine) string { return e.Why })
	return e
}
