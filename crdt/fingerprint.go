package crdt

import (
	"encoding/binary"
	"math/bits"
)

// Key is the secret that fingerprints of sets are keyed with. Whoever does not
// know it cannot make two different sets whose fingerprints are equal; a sum of
// unkeyed hashes could be forged by linear algebra.
type Key [16]byte

// Hash returns SipHash-2-4 of two words under the key. (Aumasson, Bernstein,
// "SipHash: a fast short-input PRF", 2012.)
func (k Key) Hash(a, b uint64) uint64 {
	s := newSip(k)
	s.write(a)
	s.write(b)
	return s.finish(16)
}

// HashString returns SipHash-2-4 of a text under the key.
func (k Key) HashString(text string) uint64 {
	s := newSip(k)
	n := len(text)
	for len(text) >= 8 {
		s.write(littleEndian(text))
		text = text[8:]
	}
	return s.finishTail(n, tail(text))
}

func littleEndian(text string) uint64 {
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}

func tail(text string) uint64 {
	var t uint64
	for i := range len(text) {
		t |= uint64(text[i]) << (8 * i)
	}
	return t
}

// hash returns the keyed hash that stands for a replica in fingerprints.
func (r Replica) hash(k Key) uint64 { return k.Hash(k.HashString(r.Node), r.Epoch) }

type sip struct{ v0, v1, v2, v3 uint64 }

func newSip(k Key) sip {
	k0, k1 := binary.LittleEndian.Uint64(k[:8]), binary.LittleEndian.Uint64(k[8:])
	return sip{
		k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573,
	}
}

func (s *sip) round() {
	s.v0 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

func (s *sip) write(word uint64) {
	s.v3 ^= word
	s.round()
	s.round()
	s.v0 ^= word
}

func (s *sip) finish(n int) uint64 { return s.finishTail(n, 0) }

func (s *sip) finishTail(n int, tail uint64) uint64 {
	s.write(uint64(n)<<56 | tail)
	s.v2 ^= 0xff
	s.round()
	s.round()
	s.round()
	s.round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}
