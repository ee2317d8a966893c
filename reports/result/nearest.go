package result

// nearest returns the word that is fewest edits (an inserted, removed or
// changed byte) away from s, and false if that is more than a third of s.
func nearest(s string, words []string) (string, bool) {
	best, least := "", len(s)/3+1
	for _, w := range words {
		if d := editDistance(s, w); d < least {
			best, least = w, d
		}
	}
	return best, best != ""
}

// editDistance is the Levenshtein distance of two byte strings.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
