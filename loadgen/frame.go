package loadgen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"lastport/reports/result"
)

// Frame is what a run tells while it goes on, from the child to its parent. It
// is one line of JSON.
type Frame struct {
	Progress *Progress      `json:"progress,omitempty"`
	Result   *result.Result `json:"result,omitempty"` // whole, and marked as interrupted unless Final
	Rows     []result.Row   `json:"rows,omitempty"`   // of the timeline, since the last frame with a result
	Log      string         `json:"log,omitempty"`    // of latency.hlog, likewise
	Final    bool           `json:"final,omitempty"`
	Error    *FrameError    `json:"error,omitempty"`
}

// Progress says how far a run is.
type Progress struct {
	Phase    string `json:"phase"`
	TNS      int64  `json:"t_ns"`
	Open     int64  `json:"open"`
	Opened   int64  `json:"opened"`   // so far, whether they are still open or not
	Expected int64  `json:"expected"` // connections at the end, by prediction
	Usable   int64  `json:"usable"`   // of the tuple space: open ÷ usable is the occupancy
	Attempts int64  `json:"attempts"`
	NoPort   int64  `json:"no_port"`
	Failed   int64  `json:"failed"` // for other causes
	LeftNS   int64  `json:"left_ns,omitempty"`
}

// FrameError is an error that ended a run, on its way to the parent.
type FrameError struct {
	Text     string `json:"text"`
	HintText string `json:"hint,omitempty"`
	IsUsage  bool   `json:"usage,omitempty"`
}

func (e *FrameError) Error() string { return e.Text }

// Hint says what to type.
func (e *FrameError) Hint() string { return e.HintText }

// Usage says whether the command line is wrong.
func (e *FrameError) Usage() bool { return e.IsUsage }

// NewFrameError keeps of an error what a person is told.
func NewFrameError(err error) *FrameError {
	f := &FrameError{Text: err.Error()}
	if h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		f.HintText = h.Hint()
	}
	if u, ok := errors.AsType[interface {
		error
		Usage() bool
	}](err); ok {
		f.IsUsage = u.Usage()
	}
	return f
}

// Sink takes the frames of a run. Its calls come from one goroutine.
type Sink interface{ Frame(Frame) error }

// FrameWriter is a Sink that writes frames for ReadFrames.
type FrameWriter struct{ enc *json.Encoder }

// NewFrameWriter makes a sink that writes to w.
func NewFrameWriter(w io.Writer) *FrameWriter { return &FrameWriter{enc: json.NewEncoder(w)} }

// Frame writes one frame.
func (f *FrameWriter) Frame(frame Frame) error {
	if err := f.enc.Encode(frame); err != nil {
		return fmt.Errorf("frame to the parent: %w", err)
	}
	return nil
}

// ReadFrames calls each for every frame until the writer ends. A frame that was
// cut off, because the writer was killed, ends it too.
func ReadFrames(r io.Reader, each func(Frame) error) error {
	dec := json.NewDecoder(r)
	for {
		var frame Frame
		if err := dec.Decode(&frame); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return fmt.Errorf("frame from the child: %w", err)
		}
		if err := each(frame); err != nil {
			return err
		}
	}
}
