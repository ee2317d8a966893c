package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lastport/cmd/lastport/manual"
)

// notes say of the verbs and their flags what takes more words than a help text
// has.
//
//go:embed notes/*.md
var notes embed.FS

// docsVerb writes the manual. It is hidden, because the manual is for those who
// use lastport and this for those who build it.
func (a *app) docsVerb() *cobra.Command {
	var dir, form string
	c := &cobra.Command{
		Use:    "docs",
		Short:  "write the manual",
		Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			files, err := manualFiles(c.Root(), form)
			if err != nil {
				return err
			}
			return writeFiles(dir, files)
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "folder `DIR` to write to")
	c.Flags().StringVar(&form, "form", "markdown", "`FORM` of the pages: markdown or man")
	return c
}

// manualFiles is the manual: what belongs into each file of the folder.
func manualFiles(root *cobra.Command, form string) (map[string]string, error) {
	sub, err := fs.Sub(notes, "notes")
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	pages, err := manual.Pages(root, sub)
	if err != nil {
		return nil, err
	}
	files := make(map[string]string, len(pages))
	for _, p := range pages {
		switch form {
		case "markdown":
			files[p.File()] = p.Markdown()
		case "man":
			files[p.ManFile()] = p.Man("lastport " + version)
		default:
			return nil, usagef("--form man", "--form %q: not one of markdown, man", form)
		}
	}
	return files, nil
}

// writeFiles writes files below a folder, which need not be there.
func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}
