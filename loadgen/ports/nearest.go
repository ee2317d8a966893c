package ports

import (
	"slices"
	"strings"
)

// Nearest returns the word among the given ones that was probably meant: the
// one that word begins, or else the one with the fewest typing slips (letters
// put in, left out, changed or swapped with a neighbour), at most one slip for
// every three letters, and at least one. Case does not count. The first of
// equals wins; false means that nothing is near.
func Nearest(word string, among []string) (string, bool) {
	word = strings.ToLower(word)
	const long = 64 // no word of ours is longer, and the cost grows with the length
	if word == "" || len(word) > long {
		return "", false
	}
	best, fewest := "", max(1, len(word)/3)+1
	for _, candidate := range among {
		n := slips(word, strings.ToLower(candidate))
		if len(word) > 1 && strings.HasPrefix(strings.ToLower(candidate), word) {
			n = min(n, 1)
		}
		if n < fewest {
			best, fewest = candidate, n
		}
	}
	return best, best != ""
}

// slips is the optimal string alignment distance: Levenshtein's, with the swap
// of two neighbours as one slip, which is the most usual one.
func slips(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1) // rows i-2 and i-1
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			changed := last[j-1]
			if a[i-1] != b[j-1] {
				changed++
			}
			row[j] = slices.Min([]int{last[j] + 1, row[j-1] + 1, changed})
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
