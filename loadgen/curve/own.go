package curve

import (
	_ "embed" // for the measured curves
	"encoding/json"
	"fmt"
)

// Own are curves that were measured in one go, and where.
type Own struct {
	Measured string  `json:"measured"` // the day, in UTC
	Kernel   string  `json:"kernel"`
	CPU      string  `json:"cpu"`
	Tool     string  `json:"tool"` // the version of lastport
	Curves   []Curve `json:"curves"`
}

// measured is what 'make curve' has written. It is never changed.
//
//go:embed curves.json
var measured []byte

// Measured returns the curves that lastport brings along.
func Measured() (*Own, error) {
	own := new(Own)
	if err := json.Unmarshal(measured, own); err != nil {
		return nil, fmt.Errorf("the measured curves: %w", err)
	}
	return own, nil
}

// Read looks up what is to be known; false where nothing near enough was measured:
// another strategy or protocol, or more or fewer ports than any fill had. Between
// two fills it reads both.
func (o *Own) Read(q Query) (Reading, bool) {
	low, top := o.around(q)
	switch {
	case low != nil && top != nil && low.Ports < top.Ports:
		return between(low, top, q), true
	case low != nil && (top != nil || q.Flat):
		return low.read(q), true
	case top != nil && q.Flat:
		return top.read(q), true
	}
	return Reading{}, false
}

// around finds the strategy's nearest curves with at most, and with at least as
// many ports; nil where there is none.
func (o *Own) around(q Query) (low, top *Curve) {
	for i := range o.Curves {
		c := &o.Curves[i]
		if c.Strategy != q.Strategy || c.Proto != q.Proto {
			continue
		}
		if c.Ports <= q.Ports && (low == nil || c.Ports > low.Ports) {
			low = c
		}
		if c.Ports >= q.Ports && (top == nil || c.Ports < top.Ports) {
			top = c
		}
	}
	return low, top
}

// Where says in words what the curves come from.
func (o *Own) Where() string {
	return fmt.Sprintf("measured %s on Linux %s, %s; other machines have other times, but much the same ratios", o.Measured, o.Kernel, o.CPU)
}
