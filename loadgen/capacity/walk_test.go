package capacity

import (
	"math/rand/v2"
	"testing"

	"lastport/loadgen/ports"
)

// kernelWalk is the search of __inet_hash_connect, port by port, over size
// ports of which those in free are not taken. It returns the index of the port
// that it finds, or -1, and how many steps it took within its parity.
func kernelWalk(size, offset int, free []bool) (port, steps int) {
	remaining := size
	if remaining > 1 {
		remaining &^= 1
	}
	for _, start := range []int{offset, offset + 1} {
		if start > offset && remaining == 1 {
			break
		}
		at := start
		for i := 0; i < remaining; i, at = i+2, at+2 {
			if at >= size {
				at -= remaining
			}
			if free[at] {
				return at, i
			}
		}
	}
	return -1, 0
}

// fill opens until the search fails, with the kernel's way of moving the offset
// on (table_perturb), and returns how many ports it got.
func fill(size int, usable []bool, rng *rand.Rand) int {
	free := append([]bool(nil), usable...)
	perturb := rng.IntN(1 << 16)
	for n := 0; ; n++ {
		even := max(size&^1, 1)
		port, steps := kernelWalk(size, (perturb%even)&^1, free)
		if port < 0 {
			return n
		}
		free[port] = false
		perturb += max(steps, rng.IntN(8)*2) + 2
	}
}

// Every size to 8 with every subset of its ports usable: what the walk reaches
// is in the interval, and both bounds are met.
func TestUnreachedAgreesWithTheKernelsWalk(t *testing.T) {
	const low, runs = 40000, 200
	rng := rand.New(rand.NewPCG(1, 2))
	for size := 1; size <= 8; size++ {
		system := ports.Range{Low: low, High: low + uint16(size) - 1}
		for subset := range 1 << size {
			free := make([]bool, size)
			var rs []ports.Range
			for i := range size {
				if free[i] = subset>>i&1 == 1; free[i] {
					rs = append(rs, ports.Range{Low: low + uint16(i), High: low + uint16(i)})
				}
			}
			usable := ports.Of(rs...)
			lowest, highest := size, 0
			for range runs {
				n := fill(size, free, rng)
				lowest, highest = min(lowest, n), max(highest, n)
			}
			least, most := unreached(system, usable)
			if lowest != usable.Size()-most || highest != usable.Size()-least {
				t.Errorf("%d ports, usable %v: the walk reaches %d to %d, predicted %d to %d",
					size, usable, lowest, highest, usable.Size()-most, usable.Size()-least)
			}
		}
	}
}
