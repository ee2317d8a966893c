package capacity

import (
	"fmt"
	"time"
)

// explain says in plain sentences how the course comes about.
func (c Course) explain(a Answer, rate float64, taken Interval[time.Duration]) []string {
	back := Interval[time.Duration]{round(taken.Min), round(taken.Max)}
	ports := a.Connections.String() + " ports"
	if a.Pools > 1 {
		ports += fmt.Sprintf(" (of %d pools)", a.Pools)
	}
	if c.Sustained {
		return []string{fmt.Sprintf("%v attempts per second need %s of %s: each is back after %s", rate, c.Needs, ports, back)}
	}
	why := []string{c.scarcity(ports, rate, back)}
	if c.FirstNoPort != nil && c.Attempts > c.Needs.Min {
		why = append(why, fmt.Sprintf(
			"each port serves one attempt in %s, and ports come back in the order and the rhythm in which they were taken", back))
	}
	return why
}

// scarcity says how the attempts and the ports that are too few for them meet.
func (c Course) scarcity(ports string, rate float64, back Interval[time.Duration]) string {
	f := c.FirstNoPort
	switch {
	case f == nil:
		return fmt.Sprintf("%d attempts do not use up %s, though %v per second would need %s to go on for ever",
			c.Attempts, ports, rate, c.Needs)
	case f.Certain:
		after := Interval[time.Duration]{round(f.After.Min), round(f.After.Max)}
		return fmt.Sprintf("attempt %s finds no port: %v attempts per second use up %s in %s, and none is back before %v",
			f.Attempt, rate, ports, after, back.Min)
	}
	return fmt.Sprintf("%v attempts per second need %s of %s: "+
		"whether and when one finds none depends on the moments at which ports come back",
		rate, c.Needs, ports)
}
