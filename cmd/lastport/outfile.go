package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"lastport/reports/result"
)

// writeOut writes the file of -o: other programs see the old one or the new one,
// never a part, and after an error the old one. What is no plain file, such as a
// pipe, and a file in a folder that takes no other, is written where it is.
func writeOut(path string, fill func(io.Writer) error) error {
	mode := fs.FileMode(0o666)
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fillFile(path, os.O_WRONLY, mode, fill)
	case err == nil:
		mode = info.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil { // the file is replaced, and not a link to it
			return err
		}
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp") // one name, so that what a killed program left is used again
	_ = os.Remove(temp)                                                       // made anew, so that no link is followed
	err = fillFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode, fill)
	if errors.Is(err, fs.ErrPermission) && info != nil {
		return fillFile(path, os.O_WRONLY|os.O_TRUNC, mode, fill)
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // the first error says more
	}
	return err
}

// fillFile opens a file and fills it.
func fillFile(path string, flags int, mode fs.FileMode, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, flags, mode)
	if err != nil {
		return err
	}
	err = fill(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr // a full disk may show here first
	}
	return err
}

// notOver refuses -o with a file that the report is made of: it may be the only
// copy of what was measured. Inputs are named as result.ReadRuns takes them.
func (o *output) notOver(inputs ...string) error {
	target, err := os.Stat(o.file)
	if o.file == "" || err != nil {
		return nil
	}
	for _, input := range inputs {
		if input == "" || input == "-" {
			continue
		}
		files := []string{input, filepath.Join(input, result.FileName)}
		entries, _ := os.ReadDir(input) // of what is no folder there are none
		for _, e := range entries {
			files = append(files, filepath.Join(input, e.Name(), result.FileName))
		}
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && os.SameFile(info, target) {
				return usagef("-o with the name of a new file", "-o %s: it would write over %s, which the report is made of", o.file, file)
			}
		}
	}
	return nil
}
