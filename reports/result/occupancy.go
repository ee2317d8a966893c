package result

// Band is connect latency while the occupancy was from From to To (shares).
// From 1 to 1 is the full range: there Count attempts failed.
type Band struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Count int64   `json:"count"`
	P50NS int64   `json:"p50_ns"`
	P99NS int64   `json:"p99_ns"`
	MaxNS int64   `json:"max_ns"`
	HDR   string  `json:"hdr"`
}

// Point is connect latency close to the occupancy At (a share): of the attempts
// that succeeded and began while From ≤ occupancy < To.
type Point struct {
	At    float64 `json:"at"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Count int64   `json:"count"`
	P50NS int64   `json:"p50_ns"`
	P99NS int64   `json:"p99_ns"`
	MaxNS int64   `json:"max_ns"`
}
