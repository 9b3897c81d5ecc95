// Package jpeg decodes JPEG files (ITU-T T.81 | ISO/IEC 10918-1) to the bytes that
// libjpeg-turbo decodes with its defaults, and with it Pillow: whoever trained or
// published a network saw these pixels, and a network's features follow them.
//
// The standard leaves to the decoder how exactly the inverse transform is computed,
// how subsampled chroma becomes pixels and how colours are rounded. Here that is
// libjpeg's "islow" transform, its triangle filters ("fancy upsampling") and its
// conversion in 16 fractional bits. Where the standard says what a file must be, but
// libjpeg reads it nevertheless, so does this package: missing Huffman tables are the
// standard's own (Annex K.3.3), segments that end early are filled with grey, lost
// restart markers are resynchronised, and of a progressive file whose scans do not
// tell everything the missing coefficients are estimated from neighbouring blocks.
// Where libjpeg's behaviour depends on its version, it is 2.1.5's.
//
// As Pillow does, it refuses a file that ends before its image does. Unlike libjpeg, it
// refuses arithmetic coding. Lossless and hierarchical files, 12 bits a sample and a
// number of components other than 1, 3 and 4 are refused by all three.
package jpeg
