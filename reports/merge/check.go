package merge

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"lastport/reports/result"
)

// DamagedError says which result contradicts itself, or cannot be understood.
type DamagedError struct {
	From string
	Err  error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("merge: %s: %v", e.From, e.Err) }

// Unwrap returns what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// Hint says what to type.
func (e *DamagedError) Hint() string {
	return "copy the file again, or leave it out and merge the others with --partial"
}

// check finds what adding up would spread: numbers that a run cannot have.
func check(r *result.Result) error {
	outcomes := tally{}
	total := int64(0)
	for _, c := range r.Outcomes.All() {
		if c.N < 0 {
			return fmt.Errorf("outcomes.%s is %d", c.Name, c.N)
		}
		total = outcomes.plus("outcomes", total, c.N)
	}
	if outcomes.err != nil || total != r.Attempts {
		return fmt.Errorf("its outcomes do not add up to its %d attempts", r.Attempts)
	}
	if r.Run.Started.IsZero() {
		return errors.New("it does not say when it began")
	}
	if took := r.Run.Ended.Sub(r.Run.Started); took > maxSpread {
		return fmt.Errorf("it took %v: a clock was wrong", took)
	}
	return checkTimes(r)
}

// checkTimes wants moments in their order.
func checkTimes(r *result.Result) error {
	if len(r.Timeline) > result.MaxRows {
		return fmt.Errorf("its timeline has %d rows, and at most %d are kept", len(r.Timeline), result.MaxRows)
	}
	last := int64(0)
	for _, row := range r.Timeline {
		if row.TNS <= last || row.TNS > int64(maxSpread) {
			return fmt.Errorf("timeline: %d ns after %d ns", row.TNS, last)
		}
		last = row.TNS
	}
	if r.PortStates == nil {
		return nil
	}
	if n := len(r.PortStates.Moments); n > result.MaxMoments {
		return fmt.Errorf("port_states has %d moments, and at most %d are kept", n, result.MaxMoments)
	}
	if r.PortStates.EveryNS < 0 || r.PortStates.EveryNS > int64(maxSpread) {
		return fmt.Errorf("port_states.every_ns is %d", r.PortStates.EveryNS)
	}
	for _, m := range r.PortStates.Moments {
		if m.TNS < 0 || m.TNS > int64(maxSpread) {
			return fmt.Errorf("port_states: a moment at %v", time.Duration(m.TNS))
		}
	}
	return nil
}

// tally adds up and keeps the first sum that does not fit.
type tally struct{ err error }

func (t *tally) plus(what string, a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		if t.err == nil {
			t.err = fmt.Errorf("%s: the sum is beyond 64 bits: no run counts so far", what)
		}
		return 0
	}
	return a + b
}

// sum adds up what each of a list says.
func sum[T any](t *tally, what string, of []*T, get func(*T) int64) (total int64) {
	for _, one := range of {
		total = t.plus(what, total, get(one))
	}
	return total
}

// sumAll adds up what each of a list says; nil if one of them does not.
func sumAll[T any](t *tally, what string, of []*T, get func(*T) *int64) *int64 {
	total := int64(0)
	for _, one := range of {
		n := get(one)
		if n == nil {
			return nil
		}
		total = t.plus(what, total, *n)
	}
	return &total
}

// sumAny is sumAll where what is absent is none; nil if nobody has any.
func sumAny[T any](t *tally, what string, of []*T, get func(*T) *int64) *int64 {
	have := slices.DeleteFunc(slices.Clone(of), func(one *T) bool { return get(one) == nil })
	if len(have) == 0 {
		return nil
	}
	return sumAll(t, what, have, get)
}

// every returns what each run has of something; nil if one has none.
func every[T any](runs []*result.Result, get func(*result.Result) *T) (all []*T) {
	for _, r := range runs {
		one := get(r)
		if one == nil {
			return nil
		}
		all = append(all, one)
	}
	return all
}

// shared is what all of a list say alike; the zero value where they do not.
func shared[T any, V comparable](of []*T, get func(*T) V) (v V, same bool) {
	for i, one := range of {
		if i > 0 && get(one) != v {
			var none V
			return none, false
		}
		v = get(one)
	}
	return v, true
}
