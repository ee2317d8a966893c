package merge_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"lastport/reports/merge"
	"lastport/reports/result"
)

// FuzzShards merges a shard with one in whose file something stands in place of
// something else. Whatever that makes of it, what comes out is an error or a result
// that can be written and read again, and the same for the other order.
//
// The inputs are what is replaced and not whole files: of those the fuzzer takes minutes to find
// the shortest.
func FuzzShards(f *testing.F) {
	first, second := encoded(f, lean(0)), encoded(f, lean(1))
	add := func(from, by string) {
		at := bytes.Index(second, []byte(from))
		if at < 0 {
			f.Fatalf("%s is not in the file", from)
		}
		f.Add(uint(at), uint(len(from)), by)
	}
	f.Add(uint(0), uint(0), "")
	f.Add(uint(len(second)/2), uint(len(second)), "") // cut off
	add(`"index": 1`, `"index": 0`)
	add(`"count": 2`, `"count": 9223372036854775807`)
	for _, number := range []string{"9223372036854775807", "-9223372036854775808", "NaN", "1e400", "-1"} {
		add(`110`, number)
	}
	add(`"ActiveOpens": 110`, `"ActiveOpens": 9223372036854775807`)
	add(`"rate_per_s": 110`, `"rate_per_s": 1.7e308`)
	add(`2026-01-02`, `9999-01-02`)
	add(`"timeline": [`, `"timeline": `+strings.Repeat("[", 20_000))
	add(`"host": {`, `"host": null, "x": {`)
	add(result.Schema, result.SetSchema)
	f.Fuzz(func(t *testing.T, at, cut uint, by string) {
		at = min(at, uint(len(second)))
		end := at + min(cut, uint(len(second))-at)
		texts := [][]byte{first, slices.Concat(second[:at], []byte(by), second[end:])}
		var parts []merge.Part
		for i, text := range texts {
			d, err := result.Decode(bytes.NewReader(text))
			if r, ok := d.(*result.Result); err == nil && ok {
				parts = append(parts, merge.Part{From: string(rune('a' + i)), Run: r})
			}
		}
		once := outcome(parts, true)
		slices.Reverse(parts)
		if again := outcome(parts, true); again != once {
			t.Fatalf("one order makes\n%s\nanother\n%s", once, again)
		}
		if !strings.HasPrefix(once, "{") {
			return
		}
		d, err := result.Decode(strings.NewReader(once))
		if err != nil {
			t.Fatal(err)
		}
		if again := encoded(t, d.(*result.Result)); string(again) != once {
			t.Fatalf("written\n%s\nread\n%s", once, again)
		}
	})
}

// lean is a shard with one histogram, as each takes a millisecond.
func lean(index int) *result.Result {
	full, r := shard(index, 2), bare(index, 2)
	r.Latency.Failure, r.Ports = full.Latency.Failure, full.Ports
	return r
}
