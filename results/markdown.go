package results

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/reidbench/reidbench/results/visible"
)

// Markdown writes the report for GitHub. Accuracy and cost of each published table are two tables, since a page is too
// narrow for both side by side.
func (r *Report) Markdown(w io.Writer) error {
	var page bytes.Buffer
	for _, fact := range r.Setup {
		fmt.Fprintf(&page, "- **%s:** %s\n", fact.Label, escapeMarkdown(fact.Text))
	}
	fmt.Fprintln(&page)
	if r.Caveat != "" {
		fmt.Fprintf(&page, "%s\n\n", r.Caveat)
	}
	fmt.Fprintln(&page, escapeMarkdown(r.Legend()))

	for _, t := range r.Tables {
		fmt.Fprintf(&page, "\n### %s\n", t.Table.Title())
		for _, columns := range t.markdownParts() {
			columns = append([]column{modelColumn}, columns...)
			titles, rows := t.cells(columns, escapeMarkdown)
			fmt.Fprintln(&page)
			if err := writeTable(&page, markdownStyle(), columns, titles, rows, nil); err != nil {
				return err
			}
		}
		for i, n := range t.Notes() {
			if i == 0 {
				fmt.Fprintln(&page)
			}
			fmt.Fprintf(&page, "- \\* %s: %s\n", escapeMarkdown(n.Models), escapeMarkdown(n.Text))
		}
	}
	_, err := w.Write(page.Bytes())
	return err
}

func (t ReportTable) markdownParts() [][]column {
	if t.Table == "" {
		return [][]column{append(t.accuracy(), t.cost()...)}
	}
	return [][]column{t.accuracy(), t.cost()}
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
