package pointwise

// mix64 is the output function of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014): a bijection of 64-bit words whose every input bit flips every output bit about half of the time.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// golden is what SplitMix64 counts by.
const golden = 0x9e3779b97f4a7c15

// counterHash returns the random word number index of the stream that key and step name. It keeps no state: the same
// arguments give the same word, in any order and on any thread.
func counterHash(key, step, index uint64) uint64 {
	return mix64(streamSeed(key, step) + (index+1)*golden)
}

// streamSeed is the part of counterHash that does not depend on the index.
func streamSeed(key, step uint64) uint64 {
	return mix64(mix64(key+golden) ^ (step+1)*golden)
}
