package merge

import (
	"bytes"
	"encoding/json"
	"math"

	"lastport/reports/result"
)

// blame says of which shard it is that a sum does not fit: of that with the
// largest number in it. What a run counts fits many times over.
func (w *whole) blame(err error) error {
	worst, most := 0, -1.0
	for i, r := range w.runs {
		if n := largestNumber(r); n > most {
			worst, most = i, n
		}
	}
	return &DamagedError{w.parts[worst].From, err}
}

// largestNumber is the greatest size of a number in a result, but for its seeds, which
// are any numbers.
func largestNumber(r *result.Result) float64 {
	plain := *r
	plain.Run.Seed, plain.Config.Seed, plain.Config.Command = 0, 0, nil
	text, err := json.Marshal(&plain)
	if err != nil {
		return math.Inf(1)
	}
	var most float64
	for tokens := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := tokens.Token()
		if err != nil {
			return most // at the end, as it was just written
		}
		if n, ok := token.(float64); ok {
			most = max(most, math.Abs(n))
		}
	}
}
