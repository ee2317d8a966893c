package doctor

import (
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// predict answers, for the host as it is, how many connections an ordinary
// program can have at once to one target that is not on loopback, and how many
// it can open per second for long when it closes by FIN. Nothing is answered
// that rests on a setting that could not be read.
func predict(f *Facts) (*result.Space, *result.Predicted) {
	system, err := f.system()
	if err != nil {
		return nil, nil
	}
	all := ports.Of(system)
	s, err := strategy.New("connect", strategy.Space{Ranges: all})
	if err != nil {
		return nil, nil
	}
	q := capacity.Question{Strategy: s.Traits(), Range: all, SystemRange: system, Held: f.Held.Value, Sources: 1, Targets: 1}
	if q.Reserved, err = f.reserved(); err != nil {
		return nil, nil
	}
	settings, known := f.settings()
	q.Settings = settings
	a := capacity.Predict(q)

	space := &result.Space{
		Ports: system.Size(), PortsUsable: a.Usable.Size(), Sources: 1, Targets: 1, Tuples: a.Tuples,
		Reserved: q.Reserved.Intersect(all).String(),
	}
	p := &result.Predicted{Connections: &result.Interval{Min: a.Connections.Min, Max: a.Connections.Max}}
	if f.Held.Err != nil {
		p.Why = append(p.Why, "ports that listeners hold are not known, and count as free")
	}
	if known {
		p.ReuseNS = &result.Interval{Min: int64(a.Reuse.Min), Max: int64(a.Reuse.Max)}
		p.Why = append(p.Why, a.Why...)
		if a.Rate != nil {
			p.RatePerS = &result.RateInterval{Min: a.Rate.Min, Max: a.Rate.Max}
		}
	}
	return space, p
}

// settings are those that decide when a closed port comes back; known says
// whether all of them could be read.
func (f *Facts) settings() (s capacity.Settings, known bool) {
	reuse, err1 := f.number(keyTWReuse)
	stamps, err2 := f.number(keyTimestamps)
	delay, err3 := f.number(keyTWReuseDelay)
	if absent(err3) { // before Linux 6.14
		delay, err3 = 0, nil
	}
	most, err4 := f.number(keyTWBuckets)
	return capacity.Settings{
		TWReuse: int(reuse), Timestamps: stamps != 0, TWReuseDelay: time.Duration(delay) * time.Millisecond, HZ: f.HZ, MaxTimeWait: &most,
	}, err1 == nil && err2 == nil && err3 == nil && err4 == nil
}
