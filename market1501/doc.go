// Package market1501 turns a folder in the layout of Market-1501 (Zheng et al.,
// "Scalable Person Re-identification: A Benchmark", ICCV 2015) into training
// batches, and features into the figures of its protocol.
//
// A dataset is opened once, its splits are decoded into bytes, batches of
// normalised floats are cut from those, and what a network makes of the query
// and gallery images is judged by [Evaluate]:
//
//	Open → Dataset → Split.Load → Images → Batcher.Fill → (a network) → Features → Evaluate → Result
//
// Where there is no dataset, [Synthesize] draws one in the same layout.
//
// # Layout and names
//
// A dataset has three folders of JPEG or PNG files: bounding_box_train, query and
// bounding_box_test (the gallery). Their pixels are those that Pillow decodes. The file 0002_c1s1_000451_03.jpg shows
// identity 2, seen by camera 1 in sequence 1, frame 451, detection 3. Two
// identities are special: -1 is junk, a detection too poor to count for or
// against anybody, and is left out; 0 is a distractor, a false detection or a
// person nobody looks for, and stays in the gallery.
//
// Other datasets have other folders, names and rules, which package layout knows
// and [Opener] tells apart; whatever has none of them can be listed in a CSV file.
package market1501
