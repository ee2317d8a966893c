package doctor

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// TestThreadsAreEnoughAndNoMore: n tables hold the connections and one more,
// n-1 do not.
func TestThreadsAreEnoughAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Uint64Range(0, 1<<21).Draw(t, "limit")
		wanted := rapid.Int64Range(1, 65535).Draw(t, "wanted")
		each := (int64(limit) - fdsElsewhere) / fdsEach
		switch n := threads(limit, wanted); {
		case n == 0 && each > 0 && maxThreads*each > wanted:
			t.Fatalf("%d tables of %d are said not to hold %d", maxThreads, limit, wanted)
		case n > 0 && (n*each <= wanted || (n-1)*each > wanted || n > maxThreads):
			t.Fatalf("%d tables of %d for %d", n, limit, wanted)
		}
	})
}

// TestWhatItAsksForIsEnough: with the limit that the check tells to set, the
// check is fine.
func TestWhatItAsksForIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := healthy()
		f.NoFile.Value = NoFile{rapid.Uint64Range(0, 300).Draw(t, "limit"), 1 << 20}
		f.put(keyRange, fmt.Sprint(rapid.IntRange(1024, 60000).Draw(t, "low"), 65535))
		c := checkNoFile(f)
		if c.Status == result.Fine {
			return
		}
		if _, err := fmt.Sscanf(c.Change[0], "ulimit -n %d", &f.NoFile.Value.Soft); err != nil {
			t.Fatal(err)
		}
		if again := checkNoFile(f); again.Status != result.Fine {
			t.Fatalf("after %q: %+v", c.Change[0], again)
		}
	})
}

// TestAnySettingsAreJudged: whatever settings hold, every check comes to a
// status and none panics.
func TestAnySettingsAreJudged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := healthy()
		value := rapid.OneOf(rapid.SampledFrom([]string{"", "0", "-1", "1", "2", "1 1", "9223372036854775807", "65535 1", "1 65535", "0-65535"}), rapid.String())
		for _, key := range Keys() {
			if rapid.Bool().Draw(t, "change "+key) {
				f.put(key, value.Draw(t, key))
			}
		}
		f.SockStat.Value = kernel.SockStat{TimeWait: rapid.Int64Range(0, 1<<40).Draw(t, "time wait")}
		for _, c := range Examine(f).Checks {
			if c.Status == "" || c.Found == "" || len(c.Undo) > 0 != (len(c.Change) > 0) || len(c.Keep) != len(c.Forget) || len(c.Keep) > len(c.Change) {
				t.Fatalf("%+v", c)
			}
		}
	})
}
