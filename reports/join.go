package reports

import (
	"path/filepath"
	"slices"
	"strings"

	"lastport/reports/result"
)

// Join makes one set of the runs of several results, to be rendered side by side:
// each run says in Run.Folder where it is from, by as much of Side.From as tells it
// from the others. The runs themselves stay as they are.
func Join(sides ...Side) *result.Set {
	var runs []*result.Result
	names := lastWords(sides)
	for i, side := range sides {
		for _, r := range side.Runs {
			if r == nil {
				continue
			}
			from := *r
			if len(sides) > 1 && names[i] != "" {
				from.Run.Folder = names[i]
			}
			runs = append(runs, &from)
		}
	}
	set := &result.Set{Schema: result.SetSchema, Planned: len(runs), Runs: runs}
	if len(runs) > 0 {
		set.Axis = differing(runs)
	}
	return set
}

// lastWords names sides by the ends of their paths, as short as they are all
// different; by the whole paths where one is there twice.
func lastWords(sides []Side) []string {
	paths := make([][]string, len(sides))
	most := 1
	for i, side := range sides {
		path := filepath.ToSlash(filepath.Clean(side.From))
		if side.From == "" {
			path = ""
		}
		path = strings.TrimSuffix(path, "/"+result.FileName)
		paths[i] = strings.Split(path, "/")
		most = max(most, len(paths[i]))
	}
	var names []string
	for n := 1; n <= most; n++ {
		names = names[:0]
		for _, words := range paths {
			names = append(names, strings.Join(words[max(0, len(words)-n):], "/"))
		}
		if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) == len(names) {
			break
		}
	}
	return names
}
