package layout_test

import (
	"fmt"
	"log"

	"github.com/reidbench/reidbench/market1501/layout"
)

func ExampleMost() {
	found, ok := layout.Most([]string{"0000_000_01_0303morning_0008_0.jpg", "holiday.jpg"})
	if !ok {
		log.Fatal("no name of any layout")
	}
	name, err := found.Parse("0000_000_01_0303morning_0008_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Title, "identity", name.PID, "camera", name.CamID)
	// Output: MSMT17 identity 0 camera 1
}
