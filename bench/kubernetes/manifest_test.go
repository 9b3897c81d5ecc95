package kubernetes

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/reidbench/reidbench/bench/internal/golden"
	"github.com/reidbench/reidbench/models"
)

// job has those fields of batch/v1's Job, by their names in the API's reference, that a manifest may set.
type job struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct {
		Name   string
		Labels map[string]string
	}
	Spec struct {
		CompletionMode       string `yaml:"completionMode"`
		Completions          int
		Parallelism          int
		BackoffLimitPerIndex *int `yaml:"backoffLimitPerIndex"`
		PodFailurePolicy     struct {
			Rules []rule
		} `yaml:"podFailurePolicy"`
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				RestartPolicy                 string `yaml:"restartPolicy"`
				TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
				SecurityContext               struct {
					FSGroup int `yaml:"fsGroup"`
				} `yaml:"securityContext"`
				Containers []container
				Volumes    []struct {
					Name                  string
					PersistentVolumeClaim struct {
						ClaimName string `yaml:"claimName"`
					} `yaml:"persistentVolumeClaim"`
				}
			}
		}
	}
}

type rule struct {
	Action      string
	OnExitCodes *struct {
		ContainerName string `yaml:"containerName"`
		Operator      string
		Values        []int
	} `yaml:"onExitCodes"`
	OnPodConditions []struct{ Type, Status string } `yaml:"onPodConditions"`
}

type container struct {
	Name, Image   string
	WorkingDir    string `yaml:"workingDir"`
	Command, Args []string
	Resources     struct{ Requests, Limits map[string]string }
	VolumeMounts  []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

// parse reads the documents, and takes no field that job does not have.
func parse(t *testing.T, text []byte) []job {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var jobs []job
	for {
		var j job
		err := decoder.Decode(&j)
		if errors.Is(err, io.EOF) {
			return jobs
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		jobs = append(jobs, j)
	}
}

func manifest(t *testing.T, patterns ...string) Manifest {
	t.Helper()
	list, err := models.Match(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return Manifest{
		Name: "reidbench", Image: "registry.example/reidbench:1", Claim: "store", Models: list, Teacher: "resnet50",
	}
}

func written(t *testing.T, m Manifest) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestManifest(t *testing.T) {
	m := manifest(t, "resnet50", "osnet", "deit-t16-distiled-*")
	m.Seeds, m.CPUs, m.Memory, m.Limit = 3, 8, "24Gi", 4
	m.Flags = []string{"--data=Market-1501-v15.09.15", "--out=runs", "--recipe=paper", "--seeds=3"}
	text := written(t, m)
	golden.Compare(t, "manifest.yaml", string(text))

	jobs := parse(t, text)
	if len(jobs) != 2 {
		t.Fatalf("%d jobs, want those with labels alone and the distilled ones", len(jobs))
	}
	for i, want := range []struct {
		name   string
		models []string
		awaits bool
	}{
		{"reidbench", []string{"resnet50", "osnet"}, false},
		{"reidbench-distilled", []string{"deit-t16-distiled-hard", "deit-t16-distiled-soft"}, true},
	} {
		j := jobs[i]
		if j.Metadata.Name != want.name || j.Spec.CompletionMode != "Indexed" ||
			j.Spec.Completions != 3*len(want.models) || j.Spec.Parallelism != 4 {
			t.Errorf("job %s: %+v", want.name, j.Spec)
		}
		// batch/v1: a pod failure policy is for pods that are not restarted in their place.
		if j.Spec.Template.Spec.RestartPolicy != "Never" || j.Spec.BackoffLimitPerIndex == nil {
			t.Errorf("job %s: pods are restarted %q", want.name, j.Spec.Template.Spec.RestartPolicy)
		}
		c := j.Spec.Template.Spec.Containers[0]
		if got := c.Args[:len(want.models)]; !slices.Equal(got, want.models) ||
			c.Args[len(c.Args)-1] != "--task=$(JOB_COMPLETION_INDEX)" {
			t.Errorf("job %s: arguments %q", want.name, c.Args)
		}
		if got := slices.Contains(c.Args, "--await-teacher"); got != want.awaits {
			t.Errorf("job %s: waits for a teacher: %v, want %v", want.name, got, want.awaits)
		}
		for kind, amounts := range map[string]map[string]string{
			"requests": c.Resources.Requests, "limits": c.Resources.Limits,
		} {
			if diff := cmp.Diff(map[string]string{"cpu": "8", "memory": "24Gi"}, amounts); diff != "" {
				t.Errorf("job %s, %s (-want +got):\n%s", want.name, kind, diff)
			}
		}
		for _, r := range j.Spec.PodFailurePolicy.Rules {
			if r.OnExitCodes != nil && slices.Contains(r.OnExitCodes.Values, 75) && r.Action != "Ignore" {
				t.Errorf("job %s: exit code 75 leads to %s", want.name, r.Action)
			}
			if r.OnExitCodes != nil && r.OnExitCodes.ContainerName != c.Name {
				t.Errorf("job %s: a rule is about the container %q", want.name, r.OnExitCodes.ContainerName)
			}
		}
	}
}

func TestPartsThatAreLeftOut(t *testing.T) {
	jobs := parse(t, written(t, manifest(t, "osnet")))
	if len(jobs) != 1 || jobs[0].Spec.Parallelism != 1 ||
		len(jobs[0].Spec.Template.Spec.Containers[0].Resources.Limits) != 0 {
		t.Errorf("one model, nothing said of resources: %+v", jobs)
	}
	jobs = parse(t, written(t, manifest(t, "deit-t16-distiled-hard")))
	if len(jobs) != 1 || slices.Contains(jobs[0].Spec.Template.Spec.Containers[0].Args, "--await-teacher") {
		t.Errorf("a student whose teacher is not among the models: %+v", jobs)
	}
}

// TestQuoting has flags arrive as they are, whatever YAML and Kubernetes make of their characters.
func TestQuoting(t *testing.T) {
	m := manifest(t, "osnet")
	m.Image = `a: "b" # c`
	m.Flags = []string{
		"--data=it's a \"folder\"\t\\ of 行人: {x} $(JOB_COMPLETION_INDEX)", "--out=#runs", "--recipe=\U0001F6B6",
	}
	c := parse(t, written(t, m))[0].Spec.Template.Spec.Containers[0]
	var got []string
	for _, arg := range c.Args[1 : len(c.Args)-1] {
		got = append(got, strings.ReplaceAll(arg, "$$", "$")) // as kubelet does
	}
	if diff := cmp.Diff(m.Flags, got); diff != "" || c.Image != m.Image {
		t.Errorf("image %q, flags (-want +got):\n%s", c.Image, diff)
	}
}

func TestWhatKubernetesWouldRefuse(t *testing.T) {
	for _, test := range []struct {
		change func(*Manifest)
		want   string
	}{
		{func(m *Manifest) { m.Name = "Reid_Bench" }, "lower-case"},
		{func(m *Manifest) { m.Name = strings.Repeat("a", 43) }, "lower-case"},
		{func(m *Manifest) { m.Image = "" }, "no image"},
		{func(m *Manifest) { m.Claim = "" }, "no volume claim"},
		{func(m *Manifest) { m.Memory = "24GB" }, "24GB"},
		{func(m *Manifest) { m.Models = nil }, "no models"},
	} {
		m := manifest(t, "osnet")
		test.change(&m)
		var out bytes.Buffer
		if err := m.Write(&out); !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), test.want) ||
			out.Len() > 0 {
			t.Errorf("error %v with %d bytes of output, want ErrManifest that says %q", err, out.Len(), test.want)
		}
	}
}
