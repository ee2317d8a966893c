// Package pace says when the next attempt is due. It is pure arithmetic: the
// time is handed in and out as nanoseconds since the run began, and no clock is
// read and nothing waits here.
//
// What an attempt does is package scenario's. The idea of a pure pacer is
// vegeta's (lib/pacer.go); unlike there, a due time never depends on how late
// earlier attempts were, which is what keeps an open loop honest.
package pace

import (
	"fmt"
	"math"
	"math/bits"
)

// Pacer is a schedule of attempts. It has no state, so workers may share it.
type Pacer interface {
	// Due returns when attempt n, counted from 0, is due. It never decreases with
	// n, and is math.MaxInt64 where the time does not fit.
	Due(n int64) int64
	// Rate returns the attempts per second that are due around the time t; 0 if
	// there is no schedule.
	Rate(t int64) float64
}

// Closed is the closed loop: each attempt is due as soon as there is someone to
// make it.
type Closed struct{}

// Due returns 0: at once.
func (Closed) Due(int64) int64 { return 0 }

// Rate returns 0: there is no schedule.
func (Closed) Rate(int64) float64 { return 0 }

// The bounds of a constant rate, in attempts per second. Rates are kept in
// millionths, and beyond a billion due times would fall together.
const (
	MinPerSecond = 1e-6
	MaxPerSecond = 1e9
)

const micros = 1e6 // millionths in one attempt per second

// Constant is an open loop at one rate. The zero value is invalid: use
// NewConstant.
type Constant struct {
	perMegasecond uint64 // attempts in a million seconds, so that Due is exact
}

// NewConstant returns the pacer for a rate from MinPerSecond to MaxPerSecond,
// rounded to a millionth of an attempt per second. Another rate is wrong usage.
func NewConstant(perSecond float64) (Constant, error) {
	if !(MinPerSecond <= perSecond && perSecond <= MaxPerSecond) { // so that NaN fails too
		return Constant{}, &rateError{perSecond}
	}
	return Constant{perMegasecond: uint64(math.Round(perSecond * micros))}, nil
}

// Due returns n seconds divided by the rate, rounded down. It is computed in
// 128 bits, so that it does not drift: an attempt is due at the same moment
// whether the run is a second or a month old.
func (c Constant) Due(n int64) int64 {
	if n <= 0 || c.perMegasecond == 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(n), 1e9*micros)
	if hi >= c.perMegasecond { // the quotient needs more than 64 bits
		return math.MaxInt64
	}
	due, _ := bits.Div64(hi, lo, c.perMegasecond)
	return int64(min(due, math.MaxInt64))
}

// Rate returns the attempts per second.
func (c Constant) Rate(int64) float64 { return float64(c.perMegasecond) / micros }

// rateError is a rate that nobody can keep.
type rateError struct{ perSecond float64 }

func (e *rateError) Error() string {
	return fmt.Sprintf("rate %v: not between %.6f and %.0f attempts per second", e.perSecond, MinPerSecond, MaxPerSecond)
}

// Hint returns what to type instead.
func (e *rateError) Hint() string { return "--rate 100" }

// Usage says that the caller asked for something that cannot be.
func (e *rateError) Usage() bool { return true }
