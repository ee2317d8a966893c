package server

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// deadline is an entry of the model: a plain list in the order of the ends.
type deadline struct {
	fd int
	at int64
}

func without(list []deadline, fd int) []deadline {
	return slices.DeleteFunc(list, func(d deadline) bool { return d.fd == fd })
}

func TestDeadlinesAgreeWithAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := deadlines{after: time.Duration(rapid.Int64Range(1, 20).Draw(t, "after"))}
		var model []deadline
		now := int64(0)
		fds := rapid.IntRange(0, 12)
		add := func(fd int) {
			d.add(fd, now)
			model = append(without(model, fd), deadline{fd, now + int64(d.after)})
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) { add(fds.Draw(t, "fd")) },
			"remove": func(t *rapid.T) {
				fd := fds.Draw(t, "fd")
				d.remove(fd)
				model = without(model, fd)
			},
			"expire": func(t *rapid.T) {
				now += rapid.Int64Range(0, 25).Draw(t, "time")
				var got, want []int
				for len(model) > 0 && model[0].at <= now {
					want, model = append(want, model[0].fd), model[1:]
				}
				var again []int
				for fd := range d.due(now) {
					if got = append(got, fd); rapid.Bool().Draw(t, "again") {
						again = append(again, fd)
						d.add(fd, now)
					} else {
						d.remove(fd)
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("at %d the time is over of %v, want %v", now, got, want)
				}
				for _, fd := range again {
					model = append(model, deadline{fd, now + int64(d.after)})
				}
			},
			"": func(t *rapid.T) {
				at, ok := d.next()
				if ok != (len(model) > 0) || ok && at != model[0].at {
					t.Fatalf("the next is at %d, %t; want the first of %v", at, ok, model)
				}
			},
		})
	})
}

// Without a time nothing is kept, so that a listener without limits pays nothing.
func TestNoTimeIsNeverOver(t *testing.T) {
	var d deadlines
	d.add(1000, 1)
	d.remove(1000)
	d.add(5, 1)
	if _, ok := d.next(); ok || d.links != nil {
		t.Errorf("%+v: want nothing in it", d)
	}
	for fd := range d.due(1 << 62) {
		t.Fatalf("the time of %d is over", fd)
	}
}

func TestDeadlinesDoNotAllocate(t *testing.T) {
	d := deadlines{after: 10}
	now := int64(0)
	cycle := func() {
		now += 3
		for fd := range 100 {
			d.add(fd, now)
		}
		for fd := range d.due(now + 10) {
			d.remove(fd)
		}
	}
	cycle()
	if allocs := testing.AllocsPerRun(100, cycle); allocs != 0 {
		t.Errorf("%.1f allocations, want none", allocs)
	}
}
