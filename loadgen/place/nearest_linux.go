package place

import (
	"strings"

	"lastport/loadgen/ports"
)

// nearest finds the setting that was probably meant: one with the same last
// element, or else the one that is fewest slips away. It returns "" if there is
// none.
func nearest(key string, in store) string {
	last := key[strings.LastIndexByte(key, '.')+1:]
	all := in.list()
	for _, candidate := range all {
		if candidate[strings.LastIndexByte(candidate, '.')+1:] == last {
			return candidate
		}
	}
	near, _ := ports.Nearest(key, all)
	return near
}
