package merge

import (
	"fmt"

	"lastport/reports/result"
)

// ports joins the maps. Which port was first is each shard's own, and absent.
func (w *whole) ports(res *result.Result) error {
	all := every(w.runs, func(r *result.Result) *result.Ports { return r.Ports })
	if all == nil {
		return nil
	}
	uses := new(result.PortMap)
	for i, p := range all {
		if p.Map == "" {
			return nil
		}
		one, err := result.DecodePortMap(p.Map)
		if err != nil {
			return &DamagedError{w.parts[i].From, fmt.Errorf("ports: %w", err)}
		}
		uses.Merge(one)
	}
	res.Ports = uses.Ports(nil)
	return nil
}
