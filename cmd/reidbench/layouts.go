package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/market1501/layout"
)

// registerData gives a command the flags that name a dataset.
func registerData(command *cobra.Command, data, layoutName *string) {
	command.Flags().StringVar(data, "data", "", "`folder` of a dataset, or a .csv that lists images")
	registerLayout(command, layoutName)
}

func registerLayout(command *cobra.Command, name *string) {
	command.Flags().StringVar(name, "layout", "", layoutUsage())
}

func layoutUsage() string {
	names := namesOf(layout.All(), func(l layout.Layout) string { return l.Name })
	return "`names` of images: " + strings.Join(names, ", ") + "; none: as most are"
}

// describeLayouts explains what datasets may look like.
func describeLayouts() string {
	lines := []string{"Names of images, told apart by themselves:"}
	for _, l := range layout.All() {
		lines = append(lines, fmt.Sprintf("  %-10s  %-35s %s", l.Name, l.Example, l.Title))
	}
	return strings.Join(lines, "\n") + `
They are .jpg, .jpeg or .png, in folders called bounding_box_train, query and
bounding_box_test, or image_train, image_query and image_test, or, of MSMT17, in its own
folders with list_train.txt, list_query.txt and list_gallery.txt beside them. Of MSMT17,
list_val.txt is not trained on. -1 is junk, everywhere; 0 is a distractor in the first
two layouts, and a person elsewhere.

A .csv file lists images of any name, from its own folder on:
  path,pid,camid,split
  cam3/000017.png,12,3,train
where split is train, query or gallery. Pid -1 is junk; a distractor is an identity that
no query has.`
}
