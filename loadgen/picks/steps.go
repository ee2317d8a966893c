package picks

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// TopSteps is how many of the most frequent steps a Sequence keeps.
const TopSteps = 5

// Step is how many usable ports a pick is above the one before it, the shorter way
// around the range: from its last port to its first is +1. Share is that of all
// steps. To or from a port that is not usable it is the difference of the two.
type Step struct {
	Step  int
	Share float64
}

// Runs are stretches of two and more picks, each the same step above the last.
type Runs struct {
	Count   int
	Longest int // in picks; 0: there is none
}

// steps returns the step to each pick but the first.
func (x *index) steps(seq []uint16) []int {
	if len(seq) < 2 {
		return nil
	}
	taken := make([]int, len(seq)-1)
	for i := range taken {
		taken[i] = x.step(seq[i], seq[i+1])
	}
	return taken
}

func (x *index) step(from, to uint16) int {
	low, usable := x.rank(from)
	high, both := x.rank(to)
	if !usable || !both {
		return int(to) - int(from)
	}
	return x.short(high - low)
}

// short is a step the shorter way around the range: above -size/2, and at most
// size/2.
func (x *index) short(step int) int {
	if x.size == 0 {
		return step
	}
	around := ((step % x.size) + x.size) % x.size
	if 2*around > x.size {
		around -= x.size
	}
	return around
}

func distances(taken []int) []int {
	far := make([]int, len(taken))
	for i, d := range taken {
		far[i] = max(d, -d)
	}
	return far
}

// medianOf sorts what it is given; 0 if that is nothing.
func medianOf(values []int) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	slices.Sort(values)
	return float64(values[(n-1)/2]+values[n/2]) / 2
}

// frequent finds the most frequent steps.
func frequent(taken []int) (top []Step) {
	count := map[int]int{}
	for _, d := range taken {
		count[d]++
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b int) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(max(a, -a), max(b, -b)), cmp.Compare(b, a))
	})
	for _, d := range most[:min(len(most), TopSteps)] {
		top = append(top, Step{d, share(count[d], len(taken))})
	}
	return top
}

func runs(taken []int, step int) Runs {
	var r Runs
	length := 1
	for i := 0; i <= len(taken); i++ {
		if i < len(taken) && taken[i] == step {
			length++
			continue
		}
		if length > 1 {
			r.Count++
			r.Longest = max(r.Longest, length)
		}
		length = 1
	}
	return r
}

// Guess is how often somebody who knows the picks so far guesses the next one
// right: what RFC 6056, section 3.1, wants to be rare. Shares are of all picks that
// could be guessed.
type Guess struct {
	PlusOne  float64 // by last + 1
	PlusTwo  float64 // by last + 2
	LastStep float64 // by last + the step before it
	Best     float64 // by the best of these, or by one fixed step, known in hindsight
	By       string  // how the best guesses: "last + 2"
	Chance   float64 // by naming any usable port
	// P is the chance that some rule is right as often as the best one is, if the
	// last pick tells nothing: a binomial tail times the rules tried (Bonferroni).
	P float64
}

// leastGuessed is from how many steps on there is something to guess by each rule.
const leastGuessed = 2

func guess(taken []int, at *index) *Guess {
	n := len(taken)
	if n < leastGuessed {
		return nil
	}
	var one, two, last int
	for i, d := range taken {
		if d == at.short(1) {
			one++
		}
		if d == at.short(2) {
			two++
		}
		if i > 0 && d == taken[i-1] {
			last++
		}
	}
	g := &Guess{PlusOne: share(one, n), PlusTwo: share(two, n), LastStep: share(last, n-1), Chance: share(1, max(1, at.size))}
	top := frequent(taken)[0]
	for _, rule := range []struct {
		name  string
		share float64
	}{
		{"last + 1", g.PlusOne},
		{"last + 2", g.PlusTwo},
		{fixed(top.Step), top.Share},
		{lastStep, g.LastStep},
	} {
		if g.By == "" || rule.share > g.Best {
			g.By, g.Best = rule.name, rule.share
		}
	}
	return g
}

// lastStep names the guess that a step comes twice.
const lastStep = "last + last step"

// byLuck is Guess.P. Who knows that one parity comes first guesses among its ports
// alone: that much is the parity's merit and not the step's. Held picks do not come
// again, so there is one port less to guess among. Every step around the range was
// tried, and the last one again.
func (s *Sequence) byLuck(phase Phase, first uint16, at *index) float64 {
	among := at.size
	if s.oneParityFirst() {
		among = at.ofParity(first)
	}
	if phase == Held {
		among--
	}
	among = max(1, among)
	steps := s.Picks - 1
	if s.Guess.By == lastStep {
		steps--
	}
	right := int(math.Round(s.Guess.Best * float64(steps)))
	return min(1, float64(at.size+1)*atLeast(right, steps, share(1, among)))
}

// fixed names the guess by one step.
func fixed(step int) string {
	if step < 0 {
		return fmt.Sprintf("last - %d", -step)
	}
	return fmt.Sprintf("last + %d", step)
}

func share(part, whole int) float64 { return float64(part) / float64(whole) }
