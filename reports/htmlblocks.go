package reports

import (
	"slices"
	"strconv"
	"strings"
)

// blocks keeps what is put on a page as sections, so that HTML says in the same
// words what text says. Text that a terminal would obey, and marks that turn the
// direction of writing, are replaced as there.
type blocks struct {
	title    *string // the page's heading, until a block takes it
	sections []section
}

// section is a heading and what stands below it.
type section struct {
	ID     string // unique on the page
	Title  string
	Folded bool // shown when it is asked for
	Blocks []block
}

// block is one of its fields; the others are nil.
type block struct {
	Para   *paragraph
	Facts  []fact
	Items  []item
	Table  *grid
	Figure *figure
}

// paragraph is a sentence, perhaps behind a word that says what kind it is.
type paragraph struct{ Tone, Label, Text string }

// fact is a named value.
type fact struct{ Name, Value string }

// item is a name and a number, what they mean and what to do about it.
type item struct{ Tone, Name, Number, Means, Todo string }

// grid is a table. The first cell of a row names it.
type grid struct {
	Caption string
	Head    []string
	Rows    []gridRow
}

// gridRow is a row; Sub: it belongs to the one above.
type gridRow struct {
	Sub   bool
	Cells []cell
}

type cell struct{ Tone, Text string }

// add puts a block into the section, which is a new one if it has a title.
func (b *blocks) add(blk block) {
	if *b.title != "" || len(b.sections) == 0 {
		b.headline(*b.title)
		*b.title = ""
	}
	last := &b.sections[len(b.sections)-1]
	if n := len(last.Blocks); n > 0 && last.Blocks[n-1].takes(blk) {
		last.Blocks[n-1].Facts = append(last.Blocks[n-1].Facts, blk.Facts...)
		last.Blocks[n-1].Items = append(last.Blocks[n-1].Items, blk.Items...)
		return
	}
	last.Blocks = append(last.Blocks, blk)
}

// takes says whether another block only lengthens the list that this one is.
func (b *block) takes(next block) bool {
	return b.Facts != nil && next.Facts != nil || b.Items != nil && next.Items != nil
}

func (b *blocks) headline(title string) {
	b.sections = append(b.sections, section{Title: shown(title)})
}

// line is a sentence in several tones, of which the first counts.
func (b *blocks) line(spans []span) {
	var words []string
	tn := plain
	for _, s := range spans {
		words = append(words, s.text)
		if tn == plain {
			tn = s.tone
		}
	}
	if text := shown(strings.Join(words, "")); text != "" {
		b.add(block{Para: &paragraph{Tone: tn.class(), Text: text}})
	}
}

func (b *blocks) para(label span, text string) {
	name := strings.TrimSuffix(shown(label.text), ":")
	if text = shown(text); name+text == "" {
		return
	}
	if it := b.lastItem(); it != nil && name == "hint" {
		it.Todo = text
		return
	}
	b.add(block{Para: &paragraph{Tone: label.tone.class(), Label: name, Text: text}})
}

// lastItem is what the page ends in, if it is an item: a hint belongs to it.
func (b *blocks) lastItem() *item {
	if *b.title != "" || len(b.sections) == 0 {
		return nil
	}
	all := b.sections[len(b.sections)-1].Blocks
	if len(all) == 0 || all[len(all)-1].Items == nil {
		return nil
	}
	items := all[len(all)-1].Items
	return &items[len(items)-1]
}

func (b *blocks) fact(name, value string) {
	b.add(block{Facts: []fact{{shown(name), shown(value)}}})
}

func (b *blocks) meaning(name span, n int64, means, todo string) {
	b.add(block{Items: []item{{name.tone.class(), shown(name.text), count(n), shown(means), shown(todo)}}})
}

func (b *blocks) table(t table) { b.add(block{Table: gridOf(t)}) }

func gridOf(t table) *grid {
	g := &grid{}
	for _, h := range t.head {
		g.Head = append(g.Head, shown(h))
	}
	for _, row := range t.rows {
		r := gridRow{Sub: strings.HasPrefix(row[0].text, "  ")}
		for _, s := range row {
			r.Cells = append(r.Cells, cell{s.tone.class(), shown(s.text)})
		}
		g.Rows = append(g.Rows, r)
	}
	return g
}

// shown is text as HTML shows it: of a bounded length, without the blanks that
// align it in a terminal.
func shown(text string) string {
	return strings.Join(strings.Fields(clean(shorten(text, maxText))), " ")
}

// class is the tone's name in the style sheet.
func (t tone) class() string {
	return [...]string{"plain", "good", "caution", "bad", "dim", "strong"}[t]
}

// recorded returns what put lays on a page, as sections.
func recorded(put func(*page)) []section {
	p := &page{width: defaultWidth, style: Style{Details: true}}
	b := &blocks{title: &p.title}
	p.blocks = b
	put(p)
	return slices.DeleteFunc(b.sections, func(s section) bool { return s.Title == "" && len(s.Blocks) == 0 })
}

// numbered gives each section an ID that is unique under the prefix.
func numbered(prefix string, sections []section) []section {
	for i := range sections {
		sections[i].ID = prefix + "-" + strconv.Itoa(i+1)
	}
	return sections
}
