package pth

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// legacy assembles a legacy file from the object's pickle, the list of keys and the storages.
func legacy(object, keys string, storages ...string) []byte {
	data := string(legacyMagic) + "\x80\x02M\xe9\x03." + "\x80\x02}." + object + keys
	for _, s := range storages {
		data += string(binary.LittleEndian.AppendUint64(nil, uint64(len(s)/4))) + s
	}
	return []byte(data)
}

// floats is the persistent id of a storage of n floats, with a view or N for none.
func floats(key string, n byte, view string) string {
	return "(U\x07storagectorch\nFloatStorage\nU" + string(rune(len(key))) + key + "U\x03cpuK" + string(rune(n)) +
		view + "tQ"
}

// rebuild is a tensor of a storage: first element, shape and strides are one byte each.
func rebuild(storage string, first, size, stride byte) string {
	return "ctorch._utils\n_rebuild_tensor\n(" + storage + "K" + string(rune(first)) + "K" + string(rune(size)) +
		"\x85K" + string(rune(stride)) + "\x85tR"
}

func dict(entries ...string) string {
	return "}(" + strings.Join(entries, "") + "u."
}

const keyA = "](U\x01ae."

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "cmodule\nname%d\n", i)
	}
	return b.String()
}

func TestLegacy(t *testing.T) {
	sixteen := strings.Repeat("x", 16)
	tensorA := rebuild(floats("a", 4, "N"), 0, 4, 1)
	view := "U\x01vK\x01K\x02\x87" // elements 1 and 2
	for _, c := range []struct {
		name   string
		data   []byte
		reason string
	}{
		{"sound", legacy(dict("U\x01w", tensorA), keyA, sixteen), ""},
		{"python 2's ordered dict", legacy("ccollections\nOrderedDict\n](](U\x01w"+tensorA+
			"ee\x85R.", keyA, sixteen), ""},
		{"view", legacy(dict("U\x01w", rebuild(floats("a", 4, view), 0, 2, 1)), keyA, sixteen), ""},
		{
			"beyond a view", legacy(dict("U\x01w", rebuild(floats("a", 4, view), 0, 3, 1)), keyA, sixteen),
			"from element 0 of storage",
		},
		{
			"view beyond",
			legacy(dict("U\x01w", rebuild(floats("a", 4, "U\x01vK\x03K\x02\x87"), 0, 1, 1)), keyA, sixteen),
			"view beyond",
		},
		{
			"beyond its storage", legacy(dict("U\x01w", rebuild(floats("a", 4, "N"), 1, 4, 1)), keyA, sixteen),
			"from element 1 of storage",
		},
		{"stride beyond", legacy(dict("U\x01w", rebuild(floats("a", 4, "N"), 0, 3, 2)), keyA, sixteen), "strides [2]"},
		{
			"repeated", legacy(dict("U\x01w", rebuild(floats("a", 4, "N"), 0, 5, 0)), keyA, sixteen),
			"repeats the 4 elements",
		},
		{"unlisted storage", legacy(dict("U\x01w", tensorA), "].", sixteen), "1 of 1 storages"},
		{"unused storage", legacy("}.", keyA, sixteen), "unused"},
		{"storage listed twice", legacy(dict("U\x01w", tensorA), "](U\x01aU\x01ae.", sixteen), "listed twice"},
		{"key of a strange type", legacy(dict("U\x01w", tensorA), "]K\x01a.", sixteen), "unused"},
		{"other length", legacy(dict("U\x01w", tensorA), keyA, sixteen+
			"xxxx"), "5 elements in the file, 4 in its description"},
		{
			"two sizes",
			legacy(dict("U\x01w", tensorA, "U\x01v", rebuild(floats("a", 5, "N"), 0, 4, 1)), keyA, sixteen),
			"5 of F32 here and 4 of F32 there",
		},
		{"same name twice", legacy(dict("U\x01w", tensorA, "U\x01w", tensorA), keyA, sixteen), `duplicate key "w"`},
		{"version", []byte(string(legacyMagic) + "K\x01."), "version is 1"},
		{"no dict", legacy(tensorA+".", keyA, sixteen), "holds a tensor"},
		{"no tensor", legacy(dict("U\x03netK\x01"), "]."), "no tensor among the 1 keys [net]"},
		{"incomplete parameter", legacy(dict("U\x01w", "ctorch.nn.parameter\nParameter\n)\x81"), "]."), "no tensor"},
		{
			"parameter's state", legacy(dict("U\x01w", "ctorch.nn.parameter\nParameter\n)\x81)b"), "]."),
			"unexpected state",
		},
		{"numbered tensor", legacy(dict("K\x01", tensorA), keyA, sixteen), "key 1, which is a int"},
		{"other persistent object", legacy("U\x06moduleN\x86Q.", "]."), "not that of a storage: refused"},
		{"calling a class", legacy("ctorch\nTensor\n)R.", "]."), "holds a torch.Tensor, which is not read"},
		{"a module's class and its source beside", legacy(dict("U\x03net", dict("U\x01w", tensorA)[:len(dict("U\x01w",
			tensorA))-1], "U\x05model", "(U\x06modulecnet\nNet\nNNtQ)\x81}b"), keyA, sixteen),
			`holds a net.Net, which is not read, under the key "model"`},
		{"python 2's bytes of a numpy scalar beside", legacy(dict("U\x05rank1", "cnumpy.core.multiarray\nscalar\n"+
			"cnumpy\ndtype\nU\x02f4\x85RU\x04\xff\xfe\xfd\xfc\x86R", "U\x03net}U\x01w",
			tensorA+"s"), keyA, sixteen), ""},
		{"what is no tensor, inside", legacy(dict("U\x01w", tensorA, "U\x01v", "cnet\nNet\n)\x81"), keyA, sixteen),
			`state dict with a net.Net under the key "v": refused`},
		{"a tuple as key, inside", legacy(dict("U\x01w", tensorA, ")N"), keyA, sixteen), "key that is a tuple"},
		{"a parameter of what is no tensor, inside", legacy(dict("U\x01w", tensorA, "U\x01v",
			"ctorch._utils\n_rebuild_parameter\ncnet\nNet\n)\x81\x88}\x87R"), keyA, sixteen),
			`state dict with a torch._utils._rebuild_parameter under the key "v": refused`},
		{"names beyond all use", legacy("("+manyNames(1001)+"t.", "]."), "more than 1000 names: refused"},
		{"storage of an unknown type", legacy(dict("U\x03net}U\x01w", tensorA+"s", "U\x01q",
			"(U\x07storagectorch\nQInt8Storage\nU\x01bU\x03cpuK\x04NtQ"), "](U\x01aU\x01be.", sixteen, sixteen),
			"storage of type torch.QInt8Storage: refused"},
		{"calling a storage type", legacy("ctorch.cuda\nHalfStorage\n)R.", "]."), "calling F16 storage type: refused"},
		{
			"state of a function", legacy("ccollections\nOrderedDict\nNb.", "]."),
			"state of a collections.OrderedDict: refused",
		},
		{
			"python 2's ordered dict of no pairs", legacy("ccollections\nOrderedDict\n](]e\x85R.", "]."),
			"OrderedDict: unexpected arguments",
		},
		{
			"negative place",
			legacy(dict("U\x01w", "ctorch._utils\n_rebuild_tensor\n("+floats("a", 4, "N")+
				"J\xff\xff\xff\xffK\x01\x85K\x01\x85tR"), keyA, sixteen),
			"from element -1",
		},
		{
			"negative stride",
			legacy(dict("U\x01w", "ctorch._utils\n_rebuild_tensor\n("+floats("a", 4, "N")+
				"K\x03K\x02\x85J\xff\xff\xff\xff\x85tR"), keyA, sixteen),
			"negative stride",
		},
		{
			"arguments", legacy("ctorch._utils\n_rebuild_tensor_v2\n)R.", "]."),
			"_rebuild_tensor_v2: unexpected arguments",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.reason != "" {
				wantError(t, c.data, c.reason)
				return
			}
			f, err := read(c.data)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Tensors) != 1 || f.Tensors[0].Name != "w" || !f.Legacy {
				t.Errorf("%+v", f)
			}
		})
	}
}
