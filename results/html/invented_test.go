package html

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reidbench/reidbench/results"
)

// inventedPage is a page of runs that never happened: all rows but a few, OSNet with three seeds, one that has failed,
// one under way, one beside the tables, and names that need to be escaped.
func inventedPage(t *testing.T) Page {
	t.Helper()
	recipe, err := results.NewRecipe("paper", map[string]any{"head_epochs": 10, "epochs": 150, "batch": 64,
		"lr": 5e-4, "lr_step": 50, "lr_gamma": 0.1, "weight_decay": 5e-4, "forward_macs": 0})
	if err != nil {
		t.Fatal(err)
	}
	var p Page
	var records []results.Record
	costs := make(map[string]results.Cost)
	add := func(i int, model, row string, seed uint64, accuracy, paramsM, macsG float64) {
		cost := results.Cost{PaperParams: int64(paramsM * 1e6), PaperMACs: int64(macsG * 1e9)}
		if row != "" {
			costs[row] = cost
		}
		r := results.Record{
			Format: results.Format, Model: model, Row: row, State: results.StateDone, Recipe: recipe, Seed: seed,
			Epochs: 160, Cost: cost,
			Dataset: results.Dataset{Name: "Market-<1501>", Fingerprint: "0123456789abcdef", Identities: 751,
				Train: 12936, Query: 3368, Gallery: 15913},
			Machine: results.Machine{CPU: "Imaginary CPU", ISA: "avx512", Cores: 64, Go: "go1.26", OS: "linux",
				Arch: "amd64"},
			Final: &results.Metrics{Rank1: accuracy, Rank5: (1 + accuracy) / 2, Rank10: (3 + accuracy) / 4,
				MAP: accuracy * accuracy, MINP: accuracy / 3},
			Memory: results.Memory{PlannedBytes: int64((0.3 + 0.6*math.Sqrt(macsG)) * (1 << 30)),
				PeakBytes: int64((0.4 + 0.6*math.Sqrt(macsG)) * (1 << 30))},
			Timing: results.Timing{Started: time.Unix(1e9, 0), WallSeconds: 3600 * (1 + 20*macsG),
				ImagesPerSecond: 30 / (0.05 + macsG)},
			Inference: &results.Inference{
				Threads: 64, Precision: "fp32", Latency: results.Latency{P50: 1 + 6*macsG + paramsM/20, Runs: 500},
				PlannedBytes: int64(paramsM * 1e7), Batch: 32, ImagesPerSecond: 300 / (0.05 + macsG),
			},
		}
		if i == 11 {
			r.State, r.Reason, r.Final = results.StateFailed, "out of memory at step 7 <script>alert(1)</script>", nil
		}
		records = append(records, r)
	}
	for i, row := range results.Published() {
		offset := 0.02*math.Sin(float64(7*i)) - 0.01
		run := Run{Model: row.Model, Seed: 1, Epochs: 160, Epoch: 160}
		network := Network{Model: row.Model, Stages: inventedStages(row)}
		p.Networks = append(p.Networks, network)
		if i%9 == 8 {
			costs[row.Name] = results.Cost{PaperParams: int64(row.ParamsM.Value() * 1e6),
				PaperMACs: int64(row.MACsG.Value() * 1e9)}
			continue // not run
		}
		if i == 3 {
			run.Epoch = 71
			p.Runs = append(p.Runs, inventedCurves(run, 0.5))
			continue // under way
		}
		p.Networks[len(p.Networks)-1].Profile = inventedProfile(network)
		seeds := 1
		if row.Model == "OSNet" {
			seeds = 3
		}
		for seed := range seeds {
			accuracy := row.Rank1.Value()/100 + offset + 0.004*float64(seed*seed)
			add(i, strings.ToLower(row.Model), row.Name, uint64(seed+1), accuracy, row.ParamsM.Value(),
				row.MACsG.Value())
			run.Seed = uint64(seed + 1)
			p.Runs = append(p.Runs, inventedCurves(run, accuracy))
		}
		p.Ranked = append(p.Ranked, inventedLists(row.Model, i))
	}
	add(0, "tiny<net>", "", 1, 0.4, 0.061, 0.001)
	p.Missing = "The images of some runs' datasets are not at hand."
	if p.Report, err = results.NewReport(records, costs); err != nil {
		t.Fatal(err)
	}
	return p
}

// inventedCurves fall and rise towards the accuracy.
func inventedCurves(r Run, accuracy float64) Run {
	for epoch := 1; epoch <= r.Epoch; epoch++ {
		x := float64(epoch)
		wave := 0.05 * math.Sin(x*accuracy*9+float64(r.Seed))
		r.Loss = append(r.Loss, Sample{x, 6.6*math.Exp(-x/40/accuracy) + 0.3 + wave})
		r.Correct = append(r.Correct, Sample{x, 1 - math.Exp(-x/50)})
		if epoch%10 == 0 {
			r.MAP = append(r.MAP, Sample{x, accuracy*accuracy*(1-math.Exp(-x/45)) + wave/10})
			r.Rank1 = append(r.Rank1, Sample{x, accuracy*(1-math.Exp(-x/35)) + wave/10})
		}
	}
	return r
}

func inventedStages(row results.Row) []Stage {
	macs := int64(row.MACsG.Value() * 1e9)
	if row.Table == results.Transformers {
		stages := []Stage{{Name: "patch_embed", Height: 16, Width: 8, MACs: macs / 40}}
		for _, block := range []string{"blocks.0", "blocks.1", "blocks.2", "blocks.3"} {
			stages = append(stages, Stage{Name: block, Height: 1, Width: 129, Tokens: true, MACs: macs / 4})
		}
		return stages
	}
	return []Stage{
		{Name: "conv1", Height: 128, Width: 64, MACs: macs / 20},
		{Name: "layer1", Height: 64, Width: 32, MACs: macs / 6},
		{Name: "layer2", Height: 32, Width: 16, MACs: macs / 4}, {Name: "layer3", Height: 16, Width: 8, MACs: macs / 3},
		{Name: "layer4", Height: 8, Width: 4, MACs: macs / 5},
	}
}

func inventedProfile(n Network) *results.Profile {
	p := &results.Profile{Batch: 64, Threads: 64, Steps: 4}
	for i, s := range n.Stages {
		seconds := float64(s.MACs) / 2e9 * (1 + 1/float64(i+1))
		p.Stages = append(p.Stages, results.StageTime{Stage: s.Name, Forward: seconds, Backward: 2 * seconds})
	}
	return p
}

func inventedLists(model string, seed int) Ranked {
	r := Ranked{Model: model}
	for k, place := range []string{"best", "median", "worst"} {
		list := RankedList{Place: place, AP: 1 - 0.45*float64(k), Query: inventedPicture(seed, k, 0)}
		for i := range 10 {
			picture := inventedPicture(seed, k, i+1)
			picture.Match = (i+k*seed)%(k+1) == 0 && k < 2
			list.Nearest = append(list.Nearest, picture)
		}
		r.Lists = append(r.Lists, list)
	}
	return r
}

// inventedPicture is noise around a colour, which compresses as badly as a photograph.
func inventedPicture(seed, list, place int) Picture {
	p := Picture{Name: "query/0007_c3s1_000451_03.jpg", PID: int32(seed + place), CamID: int32(1 + place%6),
		Distance: 7.5 + float64(place)/3}
	if place == 5 {
		p.PID, p.JPEG = 0, nil
		return p
	}
	p.JPEG = inventedJPEGs()[list*11+place]
	return p
}

var inventedJPEGs = sync.OnceValue(func() [][]byte {
	var all [][]byte
	state := uint32(1)
	for i := range 33 {
		img := image.NewRGBA(image.Rect(0, 0, 48, 96))
		for y := range 96 {
			for x := range 48 {
				state = state*1664525 + 1013904223
				noise := uint8(state >> 28)
				img.Set(x, y, color.RGBA{uint8(40*i+x) + noise, uint8(60*i/11+y) + noise, uint8(70*i) + noise, 255})
			}
		}
		var encoded bytes.Buffer
		if err := jpeg.Encode(&encoded, img, nil); err != nil {
			panic(err)
		}
		all = append(all, encoded.Bytes())
	}
	return all
})
