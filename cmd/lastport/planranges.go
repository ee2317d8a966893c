package main

import (
	"strings"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// systemOf returns the system of a named range, nil if it is Linux's or none's.
func systemOf(name string) *capacity.System {
	p, ok := ports.Lookup(name)
	if !ok || p.Source == "" || strings.HasPrefix(p.System, "Linux") {
		return nil
	}
	return &capacity.System{
		Name: name, Reuse: p.Reuse, PerTarget: int64(p.PerTarget), Gateway: strings.HasSuffix(p.Name, "-nat"),
	}
}

// namedRanges lists the profiles.
func namedRanges() *result.Ranges {
	list := &result.Ranges{Schema: result.RangesSchema}
	for _, p := range ports.Profiles() {
		list.Ranges = append(list.Ranges, result.NamedRange{
			Name: p.Name, Aliases: p.Aliases, System: p.System, Ports: p.Ranges.String(), Size: p.Ranges.Size(),
			ReuseNS: int64(p.Reuse), PerTarget: p.PerTarget, PerVM: p.PerVM, Source: p.Source, Note: p.Note,
		})
	}
	return list
}
