// Package wire encodes the types of package crdt in msgpack, compactly: arrays
// without field names, each replica once, sequence numbers as distances.
//
// # Usage
//
// Encode functions write one value to an Encoder and Decode functions read one
// from a Decoder, so that larger messages are built from them; Marshal and
// Unmarshal make a whole message of it. Elements and values of the user's own
// types are written and read by functions of the user's own.
//
//	data, err := wire.Marshal(func(e *msgpack.Encoder) error {
//		return wire.EncodeDelta(e, delta, wire.EncodeString)
//	})
//
// # Guarantees
//
// Every value has exactly one encoding and the decoders accept no other: numbers
// and lengths are in their shortest form, replicas and dots are in order, and
// ranges do not touch. What decodes encodes to the same bytes again. What encodes
// decodes: the encoders hold the same limits as the decoders.
//
// The decoders check a length against its limit before they allocate for it, and
// allocate no more than in proportion to the input that is really there.
//
// # Failure
//
// Input that is truncated, has bytes left over, breaks a limit or is not what an
// encoder writes is refused with an error; nothing of it may be used. No input
// makes a decoder panic.
package wire
