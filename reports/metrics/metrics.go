// Package metrics shows documents as Prometheus metrics: a look at a host's ports,
// and a run as far as it has come. Names and units follow Prometheus's
// conventions (base units, _total, _ratio, _seconds), and how many series there are
// is bounded.
//
// It measures nothing and serves nothing: a Source has the newest document, and who
// listens for a scraper is the command's business.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// namespace stands before every name.
const namespace = "lastport"

// family describes metrics of one name.
func family(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// gauge is a number that goes up and down.
func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

// counter is a number that only grows.
func counter(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

// truth is 1 or 0.
func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// seconds is a time of the file in seconds.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// describe sends what the families are.
func describe(ch chan<- *prometheus.Desc, all ...*prometheus.Desc) {
	for _, d := range all {
		ch <- d
	}
}
