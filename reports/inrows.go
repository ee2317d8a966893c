package reports

import (
	"net/netip"
	"strconv"
	"strings"
)

// next says whether two entries of a list of addresses follow one another, and
// how the end of a row of such is written.
type next func(a, b string) (end string, follows bool)

// endpoint is next for ADDRESS:PORT, where ports follow one another.
func endpoint(a, b string) (string, bool) {
	from, err := netip.ParseAddrPort(a)
	to, err2 := netip.ParseAddrPort(b)
	follows := err == nil && err2 == nil && from.Addr() == to.Addr() && int(from.Port())+1 == int(to.Port())
	return strconv.Itoa(int(to.Port())), follows
}

// address is next for addresses.
func address(a, b string) (string, bool) {
	from, err := netip.ParseAddr(a)
	to, err2 := netip.ParseAddr(b)
	return b, err == nil && err2 == nil && from.Next() == to
}

// inRows writes a list with each row of entries that follow one another as the
// flags take it: FIRST-LAST.
func inRows(list []string, n next) string {
	var parts []string
	for i := 0; i < len(list); i++ {
		part, last := list[i], ""
		for i+1 < len(list) {
			end, follows := n(list[i], list[i+1])
			if !follows {
				break
			}
			last = end
			i++
		}
		if last != "" {
			part += "-" + last
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}
