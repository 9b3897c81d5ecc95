package results

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/results/visible"
)

// Markdown writes the report for GitHub, with the columns that answer first; with layout.Wide all of them.
func (r *Report) Markdown(w io.Writer, layout Layout) error {
	sections, err := r.printed(layout.Columns)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	writeFacts := func(facts []Fact) {
		for _, fact := range facts {
			fmt.Fprintf(&page, "- **%s:** %s\n", fact.Label, escapeMarkdown(fact.Text))
		}
		if len(facts) > 0 {
			fmt.Fprintln(&page)
		}
	}
	writeFacts(r.ofAll())
	for i, s := range sections {
		if i > 0 {
			fmt.Fprintln(&page)
		}
		if s.title != "" {
			fmt.Fprintf(&page, "### %s\n\n", s.title)
		}
		writeFacts(s.facts)
		for _, text := range []string{s.above, s.legend} {
			if text != "" {
				fmt.Fprintf(&page, "%s\n\n", escapeMarkdown(text))
			}
		}
		if !layout.Wide && len(layout.Columns) == 0 {
			s.columns = slices.DeleteFunc(s.columns, func(c column) bool { return c.yields >= detail })
		}
		if err := s.writeMarkdown(&page); err != nil {
			return err
		}
	}
	for i, n := range r.notes(sections) {
		if i == 0 {
			fmt.Fprintln(&page)
		}
		fmt.Fprintf(&page, "- \\* %s: %s\n", escapeMarkdown(n.Models), escapeMarkdown(n.Text))
	}
	_, err = w.Write(page.Bytes())
	return err
}

// writeMarkdown writes the section's table, the name of each group in a row of its own where there are several.
func (s section) writeMarkdown(w io.Writer) error {
	var titles []string
	for _, c := range s.columns {
		titles = append(titles, strings.ReplaceAll(escapeMarkdown(c.title), "\u00a0", " "))
	}
	var rows [][]string
	for _, row := range s.table(escapeMarkdown).Rows {
		if len(row) == 1 && len(titles) > 1 {
			row = append([]string{"**" + row[0] + "**"}, make([]string, len(titles)-1)...)
		}
		rows = append(rows, row)
	}
	return writeMarkdownTable(w, s.columns, titles, rows)
}

// escapeMarkdown makes a string stand in a table cell as it is.
func escapeMarkdown(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = markdownEscapes.Replace(visible.Line(line))
	}
	return strings.Join(lines, "<br>")
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;",
)
