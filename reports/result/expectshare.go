package result

import (
	"fmt"
	"math"
	"strings"
)

// checkShare refuses a share that a field cannot have: such an expectation holds
// always, or never, and most often a percent sign is missing. The problem is empty
// for one that may be meant; value is the one that would be.
func checkShare(name string, k kind, text string, want float64) (problem, value string) {
	if k != share {
		return "", ""
	}
	percent := strings.HasSuffix(text, "%")
	low, high, bounds := 0.0, 1.0, "from 0% to 100%"
	if strings.HasPrefix(name, "residual.") { // a distance: below by all at most, above by any
		low, bounds = -1, "-100% or more, and one above 1 takes a percent sign"
		if percent {
			high = math.Inf(1)
		}
	}
	if want >= low && want <= high {
		return "", ""
	}
	value = k.sample()
	if !percent && want/100 >= low && want/100 <= high {
		value = text + "%"
	}
	return fmt.Sprintf("value %q is %.6g%%, and %s is %s", text, want*100, name, bounds), value
}
