package merge_test

import (
	"reflect"
	"slices"
	"testing"

	"lastport/reports/merge"
	"lastport/reports/result"
)

// TestEveryCountIsAddedUp fills every number of the sides of a run, a different one
// in each field: it is the sum in the whole, or is named here with the reason.
func TestEveryCountIsAddedUp(t *testing.T) {
	parts := bareShards(2)
	for i, p := range parts {
		r := p.Run
		r.Server, r.Requests, r.TimeWait, r.Witness = &result.Server{}, &result.Requests{}, &result.TimeWait{}, &result.Witness{}
		r.NAT = &result.NAT{Addresses: []result.NATAddress{{Address: "198.19.255.1"}}}
		r.OnHost, r.Observer, r.Timeline = &result.OnHost{}, &result.Observer{}, []result.Row{{States: &result.States{}}}
		r.Server.States = &result.States{}
		n := int64(10 * i)
		for _, s := range sides(r) {
			number(reflect.ValueOf(s), &n)
		}
		r.Attempts = r.Outcomes.Sum()
		r.Timeline[0].TNS = 1e8
		r.Run.Started = begun()
	}
	whole := merged(t, parts)
	absent := []string{
		"Server.Overflows", "Server.Strangers", // a server elsewhere may be the same for all
		"NAT.Tracked", "NAT.MaxTracked", // each gateway's own
		"NATAddress.Ports", // distinct ones: of each gateway by itself
	}
	most := []string{"NAT.TimeoutNS", "OnHost.TimeWaitForNS", "OnHost.WaitedNS", "Row.P99NS"}
	for i, s := range sides(whole) {
		v, a, b := reflect.ValueOf(s).Elem(), reflect.ValueOf(sides(parts[0].Run)[i]).Elem(), reflect.ValueOf(sides(parts[1].Run)[i]).Elem()
		for f := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(f).Name
			got, is := whole64(v.Field(f))
			first, counts := whole64(a.Field(f))
			second, _ := whole64(b.Field(f))
			if !counts || name == "Row.TNS" {
				continue
			}
			want := first + second
			switch {
			case slices.Contains(absent, name):
				if is {
					t.Errorf("%s is %d, want it absent", name, got)
				}
				continue
			case slices.Contains(most, name):
				want = max(first, second)
			}
			if got != want {
				t.Errorf("%s of %d and %d is %d, want %d", name, first, second, got, want)
			}
		}
	}
}

// sides are the parts of a result that count.
func sides(r *result.Result) []any {
	all := []any{&r.Outcomes, r.Server, r.Requests, r.TimeWait, r.Witness, r.NAT, r.OnHost, r.Observer}
	return append(all, &r.NAT.Addresses[0], &r.Timeline[0], r.Timeline[0].States, r.Server.States)
}

// number gives every whole number of 64 bits in a struct, behind a pointer too, a
// value of its own.
func number(v reflect.Value, n *int64) {
	for i := range v.Elem().NumField() {
		*n++
		switch f := v.Elem().Field(i); f.Interface().(type) {
		case int64:
			f.SetInt(*n)
		case *int64:
			f.Set(reflect.ValueOf(ptr(*n)))
		}
	}
}

// whole64 is the number of a field, and whether it is one that is there.
func whole64(f reflect.Value) (int64, bool) {
	switch v := f.Interface().(type) {
	case int64:
		return v, true
	case *int64:
		if v != nil {
			return *v, true
		}
	}
	return 0, false
}

// TestEachTimingIsItsOwn: none is added to another's.
func TestEachTimingIsItsOwn(t *testing.T) {
	parts := bareShards(2)
	for i, p := range parts {
		s := func(n int64) *result.Summary { return histogramOf(n+int64(i), 1).Summary() }
		p.Run.Latency = result.Latency{Connect: s(1), Response: s(3), Bind: s(5), Close: s(7), Failure: s(9), Request: s(11)}
	}
	for i, timed := range merged(t, parts).Latency.All() {
		if want := int64(3 + 4*i); timed.Summary == nil || timed.Summary.Count != want {
			t.Errorf("%s: %+v, want a count of %d", timed.Name, timed.Summary, want)
		}
	}
}

// TestReuse: delays are added up, the ends of them are exact, and of the residuals
// that which is farthest off is the whole's.
func TestReuse(t *testing.T) {
	parts := bareShards(3)
	for i, p := range parts {
		r := p.Run
		r.Run.Scenario = "reuse"
		delays := result.NewHistogram()
		u := &result.Reuse{Lost: 1, Probes: 7, AtOnce: 2, ResolutionNS: int64(i)}
		if i < 2 { // in the last shard none came back
			delays.Record(int64(1_000_001 + 1_000_000*i))
			u.Count, u.MinNS, u.MaxNS = 1, int64(1_000_001+1_000_000*i), int64(1_000_001+1_000_000*i)
			u.P50NS, u.HDR = u.MaxNS, delays.Encode()
		}
		r.Reuse = u
		r.Residual.Reuse = ptr([]float64{0.1, -0.5, 0}[i])
		r.Measured.Recovered = ptr(i > 0)
	}
	r := merged(t, parts)
	u := *r.Reuse
	u.HDR = ""
	p50, _ := result.DecodeHistogram(r.Reuse.HDR)
	if want := (result.Reuse{Count: 2, MinNS: 1_000_001, P50NS: p50.Quantile(0.5), MaxNS: 2_000_001, ResolutionNS: 2, AtOnce: 6, Lost: 3, Probes: 21}); u != want {
		t.Errorf("%+v\nwant %+v", u, want)
	}
	if *r.Residual.Reuse != -0.5 || *r.Measured.Recovered {
		t.Errorf("residual %v, recovered %v", *r.Residual.Reuse, *r.Measured.Recovered)
	}
	for _, p := range parts {
		*p.Run.Reuse = result.Reuse{Lost: 1}
	}
	if u := *merged(t, parts).Reuse; u != (result.Reuse{Lost: 3}) {
		t.Errorf("where no port came back there is %+v", u)
	}
	parts[1].Run.Reuse.Count = 1 // and no histogram
	if _, err := merge.Shards(parts, false); err == nil {
		t.Error("a delay without a histogram was merged")
	}
}
