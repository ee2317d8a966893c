// Package figures writes numbers as every room's sentences and tables have them, so
// that they are the same everywhere. What a sentence says is its room's own.
package figures

import "strconv"

// Grouped writes a number in groups of three digits: "28,232", "-1,000".
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Counted writes a number and a noun, whose plural is by "s": "1 port",
// "28,232 ports".
func Counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Grouped(n) + " " + noun + "s"
}
