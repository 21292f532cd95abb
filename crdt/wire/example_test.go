package wire_test

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/rollcall-dev/rollcall/crdt"
	"github.com/rollcall-dev/rollcall/crdt/wire"
)

// A set sends a delta, and another decodes and merges it. The elements are
// strings; those of other types are written by functions of one's own.
func Example() {
	a := crdt.NewORSet[string](crdt.Replica{Node: "a", Epoch: 1})
	b := crdt.NewORSet[string](crdt.Replica{Node: "b", Epoch: 1})
	data, err := wire.Marshal(func(e *msgpack.Encoder) error {
		return wire.EncodeDelta(e, a.Add("alice"), wire.EncodeString)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d bytes\n", len(data))

	var delta crdt.Delta[string]
	err = wire.Unmarshal(data, func(d *msgpack.Decoder) (err error) {
		delta, err = wire.DecodeDelta(d, wire.DecodeString)
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b.Merge(delta).Added)
	// Output:
	// 17 bytes
	// [alice]
}

func ExampleUnmarshal() {
	err := wire.Unmarshal([]byte{0x05, 0x00}, func(d *msgpack.Decoder) error {
		_, err := wire.DecodeUint(d)
		return err
	})
	fmt.Println(err)
	// Output: wire: malformed input: 1 bytes left over
}
