package suite

import (
	_ "embed" // of the standard matrix
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Matrix is what a bench is to compare: ways of using ports, the first of which
// is what the others are compared with.
type Matrix struct {
	Name string // the file's, or StandardName
	Ways []Way
	// Repeat is how often a run is made whose result is the machine's.
	Repeat int
}

// StandardName is the name of the matrix that comes with lastport.
const StandardName = "standard"

//go:embed standard.yaml
var standard string

// StandardText is the standard matrix as a file.
func StandardText() string { return standard }

// Standard is the matrix that a bench compares if none is given.
func Standard() (Matrix, error) { return ParseMatrix(StandardName, []byte(standard)) }

// Bounds of a matrix. A row is one of the table, and makes three runs or more.
const (
	MaxRows   = 200
	MaxFile   = 1 << 20 // bytes of a file
	maxNodes  = 20_000  // values of the file, each as often as an alias repeats it
	maxRepeat = 100
	maxValues = 200 // of a list
	maxWords  = 200 // characters of a name or a price
)

// ParseMatrix reads a matrix as docs/matrix.md describes it: YAML, of which only
// what has a meaning here is taken. name is the file's, for errors. They are of
// type *FileError, and name the line.
func ParseMatrix(name string, text []byte) (Matrix, error) {
	p := parser{file: name, left: maxNodes}
	m := Matrix{Name: name, Repeat: defaultRepeat}
	top, err := p.document(text)
	if err != nil {
		return m, err
	}
	var defaults, rows, expect *yaml.Node
	err = p.mapping(top, rowsForm, topKeys(), func(key string, v *yaml.Node) (err error) {
		switch key {
		case "defaults":
			defaults = v
		case "rows":
			rows = v
		case "expect":
			expect = v
		case "repeat":
			m.Repeat, err = p.number(v, 1, maxRepeat, repeatForm)
		}
		return err
	})
	if err != nil {
		return m, err
	}
	if rows == nil {
		return m, p.fail(top, rowsForm, "there are no rows")
	}
	all, err := p.expectations(expect)
	if err != nil {
		return m, err
	}
	m.Ways, err = p.ways(defaults, rows)
	for i := range m.Ways {
		m.Ways[i].Expect = append(m.Ways[i].Expect, all...)
	}
	return m, err
}

const defaultRepeat = 3

// Lines that a matrix may have.
const (
	rowsForm   = "rows: [{name: default}, {close: server-fin}]"
	repeatForm = "repeat: 3"
)

func topKeys() []string { return []string{"defaults", "rows", "repeat", "expect"} }

// ways reads the rows, each over the defaults, and multiplies their lists.
func (p *parser) ways(defaults, rows *yaml.Node) (ways []Way, err error) {
	var usual spec
	if defaults != nil {
		if usual, err = p.spec(defaults, spec{}); err != nil {
			return nil, err
		}
		if s, ok := usual.find("name"); ok {
			return nil, p.failAt(s.line, rowsForm, "defaults have no name: each row has its own")
		}
	}
	list, err := p.sequence(rows, rowsForm)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, p.fail(rows, rowsForm, "there are no rows")
	}
	lines := map[string]int{}
	for _, node := range list {
		row, err := p.spec(node, usual)
		if err != nil {
			return nil, err
		}
		if n, product := row.product(); len(ways)+n > MaxRows {
			return nil, p.failAt(row.line, "fewer values in a list, or a matrix for each part",
				"%s%d rows here, and %d above: at most %d", product, n, len(ways), MaxRows)
		}
		more, err := p.multiply(row)
		if err != nil {
			return nil, err
		}
		for i := range more {
			w := &more[i]
			if old, twice := lines[w.Name]; twice {
				return nil, p.failAt(w.Line, "name: another", "a row is called %q already, in line %d", w.Name, old)
			}
			lines[w.Name] = w.Line
			if err := p.checkExpect(w); err != nil {
				return nil, err
			}
		}
		ways = append(ways, more...)
	}
	return ways, nil
}

// title joins the words of a row's name.
func title(words []string) string {
	if len(words) == 0 {
		return "default"
	}
	return strings.Join(words, ", ")
}

// FileError is a matrix that cannot be understood.
type FileError struct {
	File    string
	Line    int // 0: the file as a whole
	Problem string
	hint    string
	err     error // what the problem was, if it was found elsewhere
}

// Error names file and line.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Problem
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
}

// Hint is a line as the file may have it.
func (e *FileError) Hint() string { return e.hint }

// Unwrap returns the error of the part that cannot do what the file asks for.
func (e *FileError) Unwrap() error { return e.err }

// Usage is false: the command line is right.
func (e *FileError) Usage() bool { return false }
