package scenario

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What a tag carries comes back, up to the bounds of the command line: 78 hours
// and 65,535 requests.
func TestTagsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queued{
			conn:     rapid.Uint32().Draw(t, "conn"),
			due:      rapid.Int64Range(0, 1<<dueBits-1).Draw(t, "due"),
			requests: rapid.IntRange(0, 65535).Draw(t, "requests"),
		}
		if got := untag(q.conn, q.tag()); got != q {
			t.Fatalf("%+v came back as %+v", q, got)
		}
	})
}

// A queue is what a list would be, whatever is put and taken.
func TestQueueIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var list []queued
		n := uint32(0)
		check := func() {
			head, ok := q.head()
			if q.len() != len(list) || ok != (len(list) > 0) || ok && head != list[0] {
				t.Fatalf("%d queued, head %+v, want %d: %+v", q.len(), head, len(list), list)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(*rapid.T) {
				n++
				q.put(queued{conn: n})
				list = append(list, queued{conn: n})
			},
			"take": func(t *rapid.T) {
				v, ok := q.take()
				if ok != (len(list) > 0) || ok && v != list[0] {
					t.Fatalf("took %+v, want the head of %+v", v, list)
				}
				list = list[min(1, len(list)):]
			},
			"": func(*rapid.T) { check() },
		})
	})
}

// What is inserted comes out by its time, and what is due at the same time in
// the order in which it came.
func TestInsertKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var list []queued
		n := uint32(0)
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				n++
				v := queued{conn: n, due: rapid.Int64Range(0, 20).Draw(t, "due")}
				q.insert(v)
				list = append(list, v)
				slices.SortStableFunc(list, func(a, b queued) int { return int(a.due - b.due) })
			},
			"take": func(t *rapid.T) {
				v, ok := q.take()
				if ok != (len(list) > 0) || ok && v != list[0] {
					t.Fatalf("took %+v, want the head of %+v", v, list)
				}
				list = list[min(1, len(list)):]
			},
		})
	})
}

func TestAgendaGivesOutByTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a agenda
		var list []int64
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				at := rapid.Int64().Draw(t, "at")
				a.put(timed{at: at, index: int(at)})
				list = append(list, at)
				slices.Sort(list)
			},
			"take": func(t *rapid.T) {
				if len(list) == 0 {
					return // the check below finds the agenda empty, too
				}
				head := a.head()
				if v := a.take(); v != head || v.at != list[0] || v.index != int(v.at) {
					t.Fatalf("took %+v, head %+v, want %d", v, head, list[0])
				}
				list = list[1:]
			},
			"": func(t *rapid.T) {
				if a.len() != len(list) {
					t.Fatalf("%d on the agenda, want %d", a.len(), len(list))
				}
			},
		})
	})
}

// In a steady state nothing is allocated.
func TestQueueIsUsedAgain(t *testing.T) {
	var q queue
	for i := range 100 {
		q.put(queued{conn: uint32(i)})
	}
	if n := testing.AllocsPerRun(1000, func() {
		v, _ := q.take()
		q.insert(v)
	}); n != 0 {
		t.Errorf("%v allocations for each put and take", n)
	}
}
