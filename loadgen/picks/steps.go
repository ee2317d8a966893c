package picks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// TopSteps is how many of the most frequent steps a Sequence keeps.
const TopSteps = 5

// Step is a difference between two picks that follow one another, and its share
// of all such differences.
type Step struct {
	Step  int
	Share float64
}

// Runs are stretches of two and more picks, each the same step above the last.
type Runs struct {
	Count   int
	Longest int // in picks; 0: there is none
}

// steps finds the most frequent steps, and the median distance.
func steps(seq []uint16) (top []Step, median int) {
	if len(seq) < 2 {
		return nil, 0
	}
	count := map[int]int{}
	distances := make([]int, 0, len(seq)-1)
	for i := 1; i < len(seq); i++ {
		d := int(seq[i]) - int(seq[i-1])
		count[d]++
		distances = append(distances, max(d, -d))
	}
	slices.Sort(distances)
	most := slices.SortedFunc(maps.Keys(count), func(a, b int) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(max(a, -a), max(b, -b)), cmp.Compare(b, a))
	})
	for _, d := range most[:min(len(most), TopSteps)] {
		top = append(top, Step{d, share(count[d], len(seq)-1)})
	}
	return top, distances[len(distances)/2]
}

func runs(seq []uint16, step int) Runs {
	var r Runs
	length := 1
	for i := 1; i <= len(seq); i++ {
		if i < len(seq) && int(seq[i])-int(seq[i-1]) == step {
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
}

// leastGuessed is from how many picks on there is something to guess by each rule.
const leastGuessed = 3

func guess(seq []uint16, usable int) *Guess {
	if len(seq) < leastGuessed {
		return nil
	}
	var one, two, last int
	for i := 1; i < len(seq); i++ {
		d := int(seq[i]) - int(seq[i-1])
		if d == 1 {
			one++
		}
		if d == 2 {
			two++
		}
		if i > 1 && d == int(seq[i-1])-int(seq[i-2]) {
			last++
		}
	}
	n := len(seq) - 1
	g := &Guess{PlusOne: share(one, n), PlusTwo: share(two, n), LastStep: share(last, n-1), Chance: share(1, max(1, usable))}
	top, _ := steps(seq)
	for _, rule := range []struct {
		name  string
		share float64
	}{
		{"last + 1", g.PlusOne},
		{"last + 2", g.PlusTwo},
		{fixed(top[0].Step), top[0].Share},
		{"last + last step", g.LastStep},
	} {
		if g.By == "" || rule.share > g.Best {
			g.By, g.Best = rule.name, rule.share
		}
	}
	return g
}

// fixed names the guess by one step.
func fixed(step int) string {
	if step < 0 {
		return fmt.Sprintf("last - %d", -step)
	}
	return fmt.Sprintf("last + %d", step)
}

func share(part, whole int) float64 { return float64(part) / float64(whole) }
