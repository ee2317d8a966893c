package place

import "strings"

// nearest finds the setting that was probably meant: one with the same last
// element, or with the fewest letters to change, at most a third of them. It
// returns "" if there is none.
func nearest(key string, in store) string {
	best, distance := "", len(key)/3+1
	last := key[strings.LastIndexByte(key, '.')+1:]
	for _, candidate := range in.list() {
		if candidate[strings.LastIndexByte(candidate, '.')+1:] == last {
			return candidate
		}
		if d := editDistance(key, candidate, distance); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance counts the bytes to insert, remove or replace to turn a into b
// (Levenshtein's distance); it gives up with limit if it is no less.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], limit)
}
