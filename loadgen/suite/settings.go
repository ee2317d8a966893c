package suite

import "math"

// Bounds returns what the kernel takes for a setting that decides when a closed
// port comes back: a whole number from low to high. ok is false for any other
// setting, of which only the kernel knows. Source: net/ipv4/sysctl_net_ipv4.c.
func Bounds(key string) (low, high int, ok bool) {
	switch key {
	case KeyTWReuse, KeyTimestamps:
		return 0, 2, true
	case KeyTWReuseDelay:
		return 1, 60_000, true
	case keyFINTimeout:
		return 1, math.MaxInt32 / 1000, true
	case KeyMaxTimeWait:
		return 0, math.MaxInt32, true
	}
	return 0, 0, false
}
