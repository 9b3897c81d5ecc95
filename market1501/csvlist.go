package market1501

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/market1501/layout"
)

// CSVLayout is the [Dataset] layout of a list in a CSV file.
const CSVLayout = "csv"

// csvColumns are those that a list must have; others are of no interest.
var csvColumns = [...]string{"path", "pid", "camid", "split"}

// csvSplits are the values of the last of them.
var csvSplits = [...]string{"train", "query", "gallery"}

// openCSV reads a list of images: a header, and a line for each image with its path, relative to the list's folder, its
// identity, its camera and its split. Identity -1 is junk. Every other number is an identity: a distractor is one that
// no query has.
func (o Opener) openCSV(ctx context.Context, file string) (*Dataset, error) {
	if o.Layout != "" {
		return nil, fmt.Errorf("open dataset %s: %w: a list says itself what its images show; a layout is for folders",
			file, layout.ErrUnknown)
	}
	content, err := readList(file)
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	d := &Dataset{Source: file, Root: filepath.Dir(file), Name: filepath.Base(file), Layout: CSVLayout}
	return d, d.readCSV(ctx, file, content)
}

func (d *Dataset) readCSV(ctx context.Context, file string, content []byte) error {
	var images [3]listing
	for i, s := range d.Splits() {
		*s = Split{Folder: csvSplits[i], root: d.Root, place: file + ", " + csvSplits[i]}
		images[i].split = s
	}
	err := eachImage(ctx, file, content, csvColumns[:], func(fields []string, line int) error {
		return addCSV(&images, fields, line)
	})
	if err != nil {
		return fmt.Errorf("open dataset: %w", err)
	}
	for _, s := range d.Splits() {
		s.sort()
	}
	return nil
}

// eachImage visits the lines of a list below its header with what stands in the columns of these titles.
func eachImage(
	ctx context.Context, file string, content []byte, titles []string, visit func(fields []string, line int) error,
) error {
	content = bytes.TrimPrefix(content, []byte("\ufeff")) // as spreadsheets begin it
	table := csv.NewReader(bytes.NewReader(content))
	table.ReuseRecord = true
	table.Comma = separator(content)
	header, err := table.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w: %w", file, ErrList, err)
	}
	column, err := findColumns(header, titles)
	if err != nil {
		return listError(file, 1, "%w", err)
	}
	fields := make([]string, len(titles))
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil { // it names the line
			return fmt.Errorf("%s: %w: %w", file, ErrList, err)
		}
		line, _ := table.FieldPos(0)
		for i, c := range column {
			fields[i] = strings.TrimSpace(row[c])
		}
		if err := visit(fields, line); err != nil {
			return listError(file, line, "%w", err)
		}
	}
}

// separator is what stands between the columns of a list: a comma; a semicolon, as of spreadsheets where a comma is the
// decimal point; or a tab, as of what is copied from one.
func separator(content []byte) rune {
	header, _, _ := bytes.Cut(content, []byte("\n"))
	for _, s := range ",;\t" {
		if bytes.ContainsRune(header, s) {
			return s
		}
	}
	return ','
}

// findColumns returns the place of each of the titles, whatever the case of its letters.
func findColumns(header, titles []string) (column []int, err error) {
	at := map[string]int{}
	for i, title := range header {
		title = strings.ToLower(strings.TrimSpace(title))
		if _, twice := at[title]; twice && slices.Contains(titles, title) {
			return nil, fmt.Errorf("two columns are called %s", title)
		}
		at[title] = i
	}
	for _, title := range titles {
		i, ok := at[title]
		if !ok {
			return nil, fmt.Errorf("no column is called %s: the header names %s, between commas, semicolons or tabs",
				title, strings.Join(titles, ", "))
		}
		column = append(column, i)
	}
	return column, nil
}

// addCSV takes in the image of a line.
func addCSV(images *[3]listing, fields []string, line int) error {
	file, name, err := csvImage(fields)
	if err != nil {
		return err
	}
	split, err := csvSplit(fields[3])
	if err != nil {
		return err
	}
	return images[split].add(file, name, line)
}

// csvImage reads the first three of csvColumns.
func csvImage(fields []string) (file string, name layout.Name, err error) {
	if file, err = listedPath(fields[0]); err != nil {
		return "", name, err
	}
	if name.PID, err = listedNumber("pid", fields[1], JunkPID); err != nil {
		return "", name, err
	}
	name.CamID, err = listedNumber("camid", fields[2], 0)
	return file, name, err
}

// csvSplit reads the last of csvColumns: which of csvSplits it is.
func csvSplit(text string) (int, error) {
	split := slices.Index(csvSplits[:], strings.ToLower(text))
	if split < 0 {
		return 0, fmt.Errorf("split is %q, not one of %s", text, strings.Join(csvSplits[:], ", "))
	}
	return split, nil
}
