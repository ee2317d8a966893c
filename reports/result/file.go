package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// FileName is the name of the result in a run's folder.
const FileName = "result.json"

// What Read takes at most. A full-range run is about 1 MB and a few ten
// thousand values; a comma stands before each value but the first of a list, so
// their number bounds the memory that a hostile file can ask for.
const (
	maxFileBytes = 256 << 20
	maxCommas    = 4 << 20
)

// Encode writes a document as it is kept in a file: JSON, indented by two
// spaces, ending in a newline. NaN and infinite numbers are an error.
func Encode(w io.Writer, d Document) error {
	text, err := encode(d)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func encode(d Document) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // "connections>=28232" stays readable; whoever embeds it in HTML escapes it
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	return buf.Bytes(), nil
}

// Read reads the run in a file, or in the result.json of a folder.
func Read(path string) (*Result, error) {
	d, err := ReadAny(path)
	if err != nil {
		return nil, err
	}
	r, ok := d.(*Result)
	if !ok {
		return nil, &FileError{Op: "read", Path: path, Err: fmt.Errorf("%w: it holds %s, want %s", errSchema, SetSchema, Schema)}
	}
	return r, nil
}

// ReadAny reads the document in a file, or in the result.json of a
// folder. Errors are of type *FileError.
func ReadAny(path string) (Document, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &FileError{Op: "read", Path: path, Err: err}
	}
	defer f.Close() //nolint:errcheck // nothing was written
	d, err := Decode(f)
	if err != nil {
		return nil, &FileError{Op: "read", Path: path, Err: err}
	}
	return d, nil
}

// Decode reads a run, a set, a comparison, a checkup, a plan, a list of ranges or a look at ports. It ignores fields that it does not know, and
// refuses a schema that it does not know, text that is cut off or no JSON, and
// what is too large to be a result.
func Decode(r io.Reader) (Document, error) {
	text, err := readBounded(r, maxFileBytes)
	if err != nil {
		return nil, err
	}
	d, err := documentOf(text)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, explain(err, len(text))
	}
	if s, ok := d.(*Set); ok {
		if err := s.check(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// readBounded reads at most limit bytes, and refuses what holds more.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	case bytes.Count(text, []byte{','}) > maxCommas:
		return nil, fmt.Errorf("%w: more than %d values", errTooLarge, maxCommas)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, errEmpty
	}
	return text, nil
}

// documentOf returns an empty document of the schema that the text names.
func documentOf(text []byte) (Document, error) {
	var head struct {
		Schema *string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, explain(err, len(text))
	}
	switch {
	case head.Schema == nil:
		return nil, fmt.Errorf("%w: it has no schema, want %s or %s", errSchema, Schema, SetSchema)
	case *head.Schema == Schema:
		return new(Result), nil
	case *head.Schema == SetSchema:
		return new(Set), nil
	case *head.Schema == CheckupSchema:
		return new(Checkup), nil
	case *head.Schema == ComparisonSchema:
		return new(Comparison), nil
	case *head.Schema == PlanSchema:
		return new(Plan), nil
	case *head.Schema == RangesSchema:
		return new(Ranges), nil
	case *head.Schema == WatchSchema:
		return new(Watch), nil
	}
	return nil, fmt.Errorf("%w: schema %.60q, want %s or %s", errSchema, *head.Schema, Schema, SetSchema)
}

// check refuses a set whose runs are not all runs.
func (s *Set) check() error {
	for i, r := range s.Runs {
		if r == nil || r.Schema != Schema {
			return fmt.Errorf("%w: run %d of the set is not %s", errSchema, i+1, Schema)
		}
	}
	return nil
}

// explain turns a JSON error into what is wrong with the file.
func explain(err error, size int) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(size):
		return fmt.Errorf("%w after %d bytes: %w", errCutOff, size, err)
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: byte %d: %w", errNoise, syntax.Offset, err)
	case errors.As(err, &typ):
		return fmt.Errorf("%w: %.60s in field %.60q at byte %d", errType, typ.Value, typ.Field, typ.Offset)
	}
	return fmt.Errorf("%w: %w", errNoise, err)
}
