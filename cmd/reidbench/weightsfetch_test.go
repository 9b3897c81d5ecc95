package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/weights/sources"
)

// weightsFile is one of the format, with one tensor.
func weightsFile() []byte {
	header := `{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(data, header...), 0, 0, 0, 0)
}

// hub is a mirror that announces the digest of what it has, and leads elsewhere for it.
func hub(t *testing.T, data []byte) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/store/") {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return
		}
		sum := sha256.Sum256(data)
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		http.Redirect(w, r, "/store"+r.URL.Path, http.StatusFound)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestWeightsFetch(t *testing.T) {
	server, out := hub(t, weightsFile()), filepath.Join(t.TempDir(), "pretrained")
	fetch := []string{"weights", "fetch", "hrnet-w32", "hrnet_w18", "--out", out, "--mirror", server.URL}
	for _, there := range []string{"", "is there, "} {
		right := "SHA-256 as the server says"
		if there != "" {
			right = "no SHA-256 is known to check it by"
		}
		want := "hrnet_w32.ms_in1k.safetensors: " + there + "0.0 MB, " + right + "\n" +
			"hrnet_w18.ms_aug_in1k.safetensors: " + there + "0.0 MB, " + right + "\n" +
			"To begin with them: reidbench run hrnet-w32 hrnet_w18 --weights " + out + "\n"
		if diff := cmp.Diff(want, succeed(t, fetch...)); diff != "" {
			t.Errorf("printed (-want +got):\n%s", diff)
		}
	}
	succeed(t, "weights", "inspect", filepath.Join(out, "hrnet_w32.ms_in1k.safetensors"))

	restricted := succeed(t, "weights", "fetch", "timm/vit_base_patch16_224.mae", "--out", out, "--mirror", server.URL)
	for _, want := range []string{
		"SHA-256 as the server says, licence cc-by-nc-4.0\n", "reidbench run vit-b16 --weights " + out + "\n",
	} {
		if !strings.Contains(restricted, want) {
			t.Errorf("%q lacks %q", restricted, want)
		}
	}
	elsewhere := succeed(t, "weights", "fetch", "timm/hrnet_w18.ms_in1k", "--out", out, "--mirror", server.URL)
	want := "--weights hrnet_w18=" + filepath.Join(out, "hrnet_w18.ms_in1k.safetensors")
	if !strings.Contains(elsewhere, want) {
		t.Errorf("%q, where two files are called like the model, lacks %q", elsewhere, want)
	}
}

func TestWeightsFetchJSON(t *testing.T) {
	data := weightsFile()
	sum := sha256.Sum256(data)
	server, out := hub(t, data), t.TempDir()
	o := reidbench(t, "weights", "fetch", "tnt-s", "vt-resnet50-1f1r", "timm/legacy_xception.tf_in1k", "--json",
		"--out", out, "--mirror", server.URL)
	var got fetchedJSON
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil {
		t.Fatal(err)
	}
	if o.code != exitFound || !strings.Contains(o.stderr, "another digest") {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}
	for i := range got.Files {
		got.Files[i].Error, _, _ = strings.Cut(got.Files[i].Error, ": SHA-256")
	}
	want := fetchedJSON{
		Format: fetchFormat, Folder: out,
		Files: []fetchedFileJSON{{
			Models: []string{"xception", "xception-standard"}, Library: "timm", Name: "legacy_xception.tf_in1k",
			File: "xception-43020ad28.pth", State: "failed", Licence: "apache-2.0",
			Error: "fetch " + server.URL + "/rwightman/pytorch-image-models/releases/download/v0.1-cadene/" +
				"xception-43020ad28.pth: another digest",
		}, {
			Models: []string{"tnt-s"}, Library: "timm", Name: "tnt_s_legacy_patch16_224.in1k",
			File: "tnt_s_patch16_224.in1k.safetensors", State: "fetched", Bytes: int64(len(data)),
			SHA256: hex.EncodeToString(sum[:]), Verified: "server", Licence: "apache-2.0",
		}},
		Without: []withoutJSON{{"vt-resnet50-1f1r", sources.WhyAbsent("vt-resnet50-1f1r")}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestWeightsFetchFails(t *testing.T) {
	page := []byte("<!DOCTYPE html><html>Too many have asked for this file.</html>")
	for _, test := range []struct {
		name   string
		args   string
		code   int
		stderr string // a part of it
	}{
		{"a web page", "hrnet-w32", exitFound, "web page"},
		{"another size", "resnet50", exitFound, "another size: 62 bytes, not 102530810"},
		{"what nobody publishes", "vt-resnet50-1f1r", exitFound, "not all of the models have public weights"},
		{"unknown model", "resnet5", exitMisuse, `did you mean "resnet50"?`},
		{"unknown file", "timm/resnet50", exitMisuse, `no file is called "timm/resnet50"`},
		{"a mirror of another kind", "osnet --mirror ftp://mirror.invalid", exitMisuse, "mirror: not an address"},
		{"a mirror of no form", "osnet --mirror http://%zz", exitMisuse, "mirror: parse"},
		{"nothing to fetch", "", exitMisuse, "requires at least 1 arg"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := []string{"weights", "fetch", "--out", t.TempDir(), "--mirror", hub(t, page).URL}
			o := reidbench(t, append(args, strings.Fields(test.args)...)...)
			if o.code != test.code || !strings.Contains(o.stderr, test.stderr) {
				t.Errorf("exit code %d, want %d; %q, want %q", o.code, test.code, o.stderr, test.stderr)
			}
		})
	}
}

// TestWeightsFetchInterrupted: what has come stays for the same command.
func TestWeightsFetchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write(make([]byte, 10))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	o := reidbenchUntil(ctx, "weights", "fetch", "hrnet-w32", "--out", t.TempDir(), "--mirror", server.URL)
	if o.code != exitFound || !strings.Contains(o.stderr, "interrupted; the same command goes on") {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}
}

// TestWeightsFetchAsksTheProxy of the environment, for another host than this one.
func TestWeightsFetchAsksTheProxy(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(proxy.Close)
	command := program(t, "weights", "fetch", "torchreid/inceptionv4", "--out", t.TempDir())
	command.Env = append(command.Env, "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	text, err := command.CombinedOutput()
	var failure *exec.ExitError
	if !errors.As(err, &failure) || failure.ExitCode() != exitFound || !bytes.Contains(text, []byte("404 Not Found")) {
		t.Errorf("%v: %s", err, text)
	}
	want := "http://data.lip6.fr/cadene/pretrainedmodels/inceptionv4-8e4777a0.pth"
	if len(asked) != 1 || <-asked != want {
		t.Errorf("the proxy was not asked for %s", want)
	}
}

func TestWeightsFetchToAFile(t *testing.T) {
	out := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(out, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if o := reidbench(t, "weights", "fetch", "osnet", "--out", out); o.code != exitFound {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}
}
