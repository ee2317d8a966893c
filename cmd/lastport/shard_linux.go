package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/reports/merge"
	"lastport/reports/result"
)

// addShard adds the flag for a run that is a part of a distributed one.
func (f *runFlags) addShard(fs *pflag.FlagSet) {
	fs.StringVar(&f.shard, "shard", "", "say that the run is a part of a distributed one, an `INDEX/COUNT` from 0/COUNT on, for merge to put together")
}

// part reads --shard. It changes nothing of what a run does: each shard has all
// of the range, on a machine or in a place of its own.
func (f *runFlags) part(c *loadgen.Config, _ place.Host) error {
	if !f.given("shard") {
		return nil
	}
	s, ok := parseShard(f.shard)
	if !ok {
		hint := "--shard 0/3, 1/3 and 2/3"
		if s.Count > 0 && s.Count <= merge.MaxShards {
			hint = fmt.Sprintf("--shard 0/%d to %d/%d", s.Count, s.Count-1, s.Count)
		}
		return usagef(hint, "--shard %q: want INDEX/COUNT, the index from 0 on and below a count of %d at most", f.shard, merge.MaxShards)
	}
	c.Shard = &s
	return nil
}

// parseShard reads "2/3". Where that is no shard, a count that could be read is
// still returned.
func parseShard(text string) (s result.Shard, ok bool) {
	index, count, _ := strings.Cut(text, "/")
	i, indexErr := strconv.ParseUint(index, 10, 31)
	n, countErr := strconv.ParseUint(count, 10, 31)
	s = result.Shard{Index: int(i), Count: int(n)}
	return s, indexErr == nil && countErr == nil && s.Index < s.Count && s.Count <= merge.MaxShards
}
