package reports

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"html/template"

	"lastport/reports/result"
)

// saved is the result file within the page: gzip, in base64.
type saved struct {
	Name string
	Size string
	Data template.URL // "": it is too large to be kept in the page
}

// Bounds of the result file that a page carries, in bytes: packed, and as it is.
// What is larger is not encoded to find that out.
const (
	mostSaved    = 1 << 20
	mostUnpacked = 12 << 20
)

var errTooLarge = errors.New("more than a page carries")

// bounded is a buffer that refuses more than so many bytes.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(text []byte) (int, error) {
	if b.Len()+len(text) > b.most {
		return 0, errTooLarge
	}
	return b.Buffer.Write(text)
}

// savedFile packs the document as it is kept in a file.
func savedFile(d result.Document) saved {
	f := saved{Name: result.FileName}
	if leastSize(d) > mostUnpacked {
		return f
	}
	var file bytes.Buffer
	if err := result.Encode(&file, d); err != nil {
		return saved{} // it holds a number that JSON has no form for
	}
	f.Size = size(int64(file.Len()))
	if file.Len() > mostUnpacked {
		return f
	}
	packed := &bounded{most: mostSaved}
	z := gzip.NewWriter(packed)
	_, err := z.Write(file.Bytes())
	if closeErr := z.Close(); err != nil || closeErr != nil {
		return f // it is too large
	}
	f.Data = template.URL("data:application/gzip;base64," + base64.StdEncoding.EncodeToString(packed.Bytes())) //nolint:gosec // base64 of our own
	return f
}

// leastSize is less than a document takes in a file, in bytes: the texts and the
// lists that make a result large.
func leastSize(d result.Document) int {
	switch d := d.(type) {
	case *result.Result:
		return leastSizeOf(d)
	case *result.Set:
		n := 0
		for _, r := range d.Runs {
			n += leastSizeOf(r)
		}
		return n
	}
	return 0 // such a document holds no list of what was measured
}

func leastSizeOf(r *result.Result) int {
	const leastRow, leastBand, leastPoint, leastWarning = 150, 130, 130, 50 // bytes of one of which all numbers are 0
	n := leastRow*len(r.Timeline) + leastPoint*len(r.AtOccupancy) + leastWarning*len(r.Warnings)
	for _, b := range r.Occupancy {
		n += leastBand + len(b.HDR)
	}
	for _, t := range r.Latency.All() {
		if t.Summary != nil {
			n += len(t.Summary.HDR)
		}
	}
	return n
}
