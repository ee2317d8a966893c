package main

import (
	"strings"
	"testing"
	"time"
)

func TestLoopSample(t *testing.T) {
	s, err := loopSample("connections=57000 seconds=2.000000\n")
	if err != nil || s.rate != 28500 || s.took != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{"", "57000 2", "connections=x seconds=1\n", "connections=1 seconds=0\n", "connections=1\n"} {
		if _, err := loopSample(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestSampleOf(t *testing.T) {
	const head = `{"schema":"lastport/result/v1",`
	s, err := sampleOf(head + `"measured":{"connections":5,"rate_per_s":7.5,"fill_ns":2000000000},"config":{"connections":5}}`)
	if err != nil || s.rate != 7.5 || s.took != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	for text, want := range map[string]string{
		``:                      "read its result",
		head + `"measured":{}}`: "no rate",
		head + `"measured":{"connections":4,"rate_per_s":1},"config":{"connections":5},"verdict":{"text":"out of memory"}}`: "did not open 5 connections: out of memory",
	} {
		if _, err := sampleOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// What the generators print, by their versions in Debian 12.
func TestPeerSample(t *testing.T) {
	said := map[string]string{
		"wrk":     "  29000 requests in 2.00s, 4.00MB read\nRequests/sec:  14500.12\nTransfer/sec:      2.00MB\n",
		"ab":      "Time taken for tests:   2.0 seconds\nRequests per second:    14500.12 [#/sec] (mean)\n",
		"httperf": "Total: connections 30000\n\nConnection rate: 14500.12 conn/s (0.1 ms/conn, <=1 concurrent connections)\n",
	}
	for _, g := range generators() {
		if s, err := peerSample(g, said[g.name]); err != nil || s.rate != 14500.12 {
			t.Errorf("%s: %+v, %v", g.name, s, err)
		}
		if _, err := peerSample(g, "unable to connect"); err == nil {
			t.Errorf("%s: a rate out of nothing", g.name)
		}
	}
}

func TestPeerNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	l := &lab{options: &options{duration: time.Second}, scratch: t.TempDir()}
	a := l.peer(generators()[0], 1)
	if a.absent == nil || !strings.Contains(a.absent.Error(), "not installed") {
		t.Errorf("%v", a.absent)
	}
}

func TestNotBuilt(t *testing.T) {
	l := &lab{options: &options{bin: t.TempDir()}}
	if a := l.loop("1", "2", "churn", "split"); a.absent == nil || !strings.Contains(a.absent.Error(), "make limit") {
		t.Errorf("%v", a.absent)
	}
}

func TestLastError(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "lastport: --engine uring: not built\nhint: --engine direct\n": "--engine uring: not built",
		"enginebench: start x: no such file\n": "start x: no such file", "one\ntwo\n\n": "two",
	} {
		if got := lastError(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
