package loadgen

import "lastport/loadgen/kernel"

// CPUs returns the processors that the run's workers stay on, the i-th worker on
// the i-th of them, counted round; nil if they go where the kernel puts them.
//
// With ends together several workers stay: what is opened on a processor is to
// come back to the same thread. With ends apart the workers of a churn do, if
// there is one for each processor: a listener's thread beside each then finds
// the connection in that processor's cache, which is worth a third of the rate.
// With fewer workers the listener has processors of its own.
func (c *Config) CPUs() ([]int, error) {
	if c.Workers < 2 {
		return nil, nil
	}
	all, err := kernel.CPUs()
	switch {
	case err != nil:
		return nil, err
	case c.Ends == EndsTogether:
		return all[:min(c.Workers, len(all))], nil
	case c.Scenario == "churn" && !c.UDP && c.Workers >= len(all):
		return all, nil
	}
	return nil, nil
}
