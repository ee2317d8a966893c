package result

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// LogWriter writes a HdrHistogram interval log, version 1.3, the form that the
// HdrHistogram tools of all languages read: one line an interval and tag.
//
// The lines are made here and not by hdrhistogram-go, whose start and base
// times are whole seconds.
type LogWriter struct {
	w io.Writer
}

// NewLogWriter writes the head of a log that counts from start, to the
// millisecond.
func NewLogWriter(w io.Writer, start time.Time) (*LogWriter, error) {
	seconds := float64(start.UnixMilli()) / 1e3
	_, err := fmt.Fprintf(w, "#[Histogram log format version 1.3]\n"+
		"#[StartTime: %.3f (seconds since epoch), %s]\n"+
		"#[BaseTime: %.3f (seconds since epoch)]\n"+
		`"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`+"\n",
		seconds, start.UTC().Format("2006-01-02T15:04:05.000Z"), seconds)
	if err != nil {
		return nil, fmt.Errorf("write histogram log: %w", err)
	}
	return &LogWriter{w: w}, nil
}

// Append writes the values of one interval, which began startNS after the
// log's start and lasted lengthNS. The tag names what was timed ("connect"):
// no comma, space or line break. Lines belong in the order of their starts. The
// maximum is written in milliseconds, as the tools do by default.
func (l *LogWriter) Append(tag string, startNS, lengthNS int64, h *Histogram) error {
	if tag == "" || strings.ContainsAny(tag, ", \r\n") {
		return fmt.Errorf("write histogram log: tag %q: want a word without comma, space or line break", tag)
	}
	// One write a line, so that a log that is cut off by a kill ends between lines.
	line := fmt.Sprintf("Tag=%s,%.3f,%.3f,%.6f,%s\n",
		tag, float64(startNS)/1e9, float64(lengthNS)/1e9, float64(h.Max())/1e6, h.Encode())
	if _, err := io.WriteString(l.w, line); err != nil {
		return fmt.Errorf("write histogram log: %w", err)
	}
	return nil
}
