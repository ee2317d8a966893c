package main

import "testing"

func TestGoodWorkers(t *testing.T) {
	for _, c := range []struct {
		rate        string
		concurrency int
		attempts    int64
		processors  int
		want        int
	}{
		{"max", 0, 0, 8, 8},
		{"max", 3, 0, 8, 3},
		{"max", 64, 0, 8, 8},
		{"max", 0, 5, 8, 5},
		{"100", 0, 0, 8, 1},
		{"10000", 0, 0, 8, 1},
		{"10001", 0, 0, 8, 2},
		{"40000", 0, 0, 8, 4},
		{"40000", 0, 0, 2, 2},
		{"40000", 0, 1, 2, 1},
		{"1e9", 0, 0, 8, 8},
		{"0.001", 0, 0, 8, 1},
		// What is no rate is refused later, whatever the workers.
		{"many", 0, 0, 8, 1},
		{"NaN", 0, 0, 8, 1},
		{"-5", 0, 0, 8, 1},
		{"inf", 0, 0, 8, 8},
		{"0", 0, 0, 8, 1},
	} {
		f := churnFlags{rate: c.rate, concurrency: c.concurrency}
		f.attempts = c.attempts
		if got := f.goodWorkers(c.processors); got != c.want {
			t.Errorf("--rate %s --concurrency %d --attempts %d on %d processors: %d workers, want %d",
				c.rate, c.concurrency, c.attempts, c.processors, got, c.want)
		}
	}
}
