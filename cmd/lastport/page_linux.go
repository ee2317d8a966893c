package main

import (
	"errors"
	"os"
	"path/filepath"

	"lastport/reports"
	"lastport/reports/result"
)

// pageFile is the report of a set as a page, beside its result.
const pageFile = "report.html"

// page leaves the page of a set in its folder, and ends with its path: it is what
// one mails to a colleague.
func (a *app) page(folder string, s *result.Set) error {
	path := filepath.Join(folder, pageFile)
	f, err := os.Create(path)
	if err != nil {
		return outError(folder, err)
	}
	if err := errors.Join(reports.HTML(f, s), f.Close()); err != nil {
		return outError(folder, err)
	}
	a.ui.page(path)
	return nil
}
