package flops

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// beside names the models that the reference lists though the tables do not print them.
var beside = []string{"LeNet", "MobileNetV1"}

// references are the models of the published tables, and those beside them.
func references(t *testing.T) []models.Model {
	t.Helper()
	list := models.Rows()
	for _, name := range beside {
		m, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// referenceName is a model's name in testdata.
func referenceName(m models.Model) string {
	if m.Row == "" {
		for _, name := range beside {
			if strings.EqualFold(name, m.Name) {
				return name
			}
		}
	}
	return strings.TrimSuffix(m.Row, "(256,128)")
}

// costs is a line of testdata/costs.json, which was counted on the PyTorch networks.
type costs struct {
	FeatureDim int `json:"feature_dim"`
	Figures
}

// TestCosts holds every row's totals against PyTorch's, exactly and in both conventions.
func TestCosts(t *testing.T) {
	data, err := os.ReadFile("testdata/costs.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]costs
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, m := range references(t) {
		t.Run(m.Name, func(t *testing.T) {
			figures, err := Measure(m)
			if err != nil {
				t.Fatal(err)
			}
			g, err := m.Graph(IdentityCount)
			if err != nil {
				t.Fatal(err)
			}
			got := costs{FeatureDim: g.Features.Shape.C, Figures: figures}
			if diff := cmp.Diff(want[referenceName(m)], got); diff != "" {
				t.Errorf("costs differ (-reference +counted):\n%s", diff)
			}
		})
		delete(want, referenceName(m))
	}
	for name := range want {
		t.Errorf("no model is called %s", name)
	}
}

// layerFile is the reference of a row; rows of the same network share one.
func layerFile(name string) string {
	name, _, _ = strings.Cut(name, "-Distiled")
	if name == "ViT-B16" {
		name = "DeiT-B16"
	}
	return filepath.Join("testdata", "layers", name+".csv")
}

// TestLayers holds every counted layer of every row against PyTorch's: its name, output
// shape, params and MACs in both conventions, call by call.
func TestLayers(t *testing.T) {
	for _, m := range references(t) {
		t.Run(m.Name, func(t *testing.T) {
			want, wantProducts := readLayers(t, layerFile(referenceName(m)))
			g, err := m.Graph(IdentityCount)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Count(g)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			calls := map[string]int{}
			products := map[string]int64{}
			for _, c := range r.Costs {
				if c.MatMulMACs > 0 {
					for module := range wantProducts {
						if strings.HasPrefix(c.Node.Name, module) {
							products[module] += c.MatMulMACs
							break
						}
					}
					continue
				}
				if c.Node == g.Classifier || unlisted(m, c.Node) || c.Params+c.MACs()+c.PaperMACs == 0 {
					continue
				}
				name := c.Node.Module
				calls[name]++
				got[fmt.Sprintf("%s#%d", name, calls[name])] = line(extents(t, dims(c.Node)...), c.Params, c.MACs(),
					c.PaperMACs)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("layers differ (-reference +counted):\n%s", diff)
			}
			if diff := cmp.Diff(wantProducts, products); diff != "" {
				t.Errorf("MACs of activation by activation differ (-reference +counted):\n%s", diff)
			}
		})
	}
}

// unlisted reports whether the reference's list of modules leaves a node out: bare parameters
// are no module, and torchvision's Inception v3 calls its branches' pools as functions. The
// published MACs of that row do contain those pools, so TestCosts sees them.
func unlisted(m models.Model, n *graph.Node) bool {
	switch n.Op.(type) {
	case graph.ClassToken, graph.Position, graph.ChannelScale:
		return true
	case graph.AvgPool:
		return m.Row == "Inceptionv3"
	}
	return false
}

func line(shape string, params, macs, paperMACs any) string {
	return fmt.Sprintf("%s params=%v macs=%v paper=%v", shape, params, macs, paperMACs)
}

func dims(n *graph.Node) []string {
	return []string{strconv.Itoa(n.Shape.H), strconv.Itoa(n.Shape.W), strconv.Itoa(n.Shape.C)}
}

// extents are the dimensions of a layer's output apart from those of one, in ascending order:
// what PyTorch's shapes and the graph's have in common.
func extents(t *testing.T, dims ...string) string {
	t.Helper()
	var list []int
	for _, dim := range dims {
		n, err := strconv.Atoi(dim)
		if err != nil {
			t.Fatal(err)
		}
		if n != 1 {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return fmt.Sprint(list)
}

func readLayers(t *testing.T, path string) (layers map[string]string, products map[string]int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	layers, products = map[string]string{}, map[string]int64{}
	calls := map[string]int{}
	for _, r := range records[1:] {
		name, kind, shape, params, macs, paperMACs := r[0], r[1], r[2], r[3], r[4], r[5]
		if kind == "matmul" {
			n, err := strconv.ParseInt(macs, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			products[name] += n
			continue
		}
		calls[name]++
		layers[fmt.Sprintf("%s#%d", name, calls[name])] = line(extents(t, strings.Split(shape, "x")...), params, macs,
			paperMACs)
	}
	return layers, products
}
