package servers

import (
	"context"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// ErrDivision is returned by Calculate for a division by zero.
var ErrDivision = errors.New("division by zero")

// Operands is the input of each of the calculator's tools.
type Operands struct {
	A float64 `json:"a" jsonschema:"the first operand"`
	B float64 `json:"b" jsonschema:"the second operand"`
}

// Number is the output of each of the calculator's tools.
type Number struct {
	Result float64 `json:"result" jsonschema:"the result of the operation"`
}

// Calculate applies one of the calculator's four operations. It is what the
// tools do, and what the calculator's process does with a message.
func Calculate(operation string, a, b float64) (float64, error) {
	switch operation {
	case "add":
		return a + b, nil
	case "subtract":
		return a - b, nil
	case "multiply":
		return a * b, nil
	case "divide":
		if b == 0 {
			return 0, ErrDivision
		}
		return a / b, nil
	}
	return 0, fmt.Errorf("no operation %q: there are add, subtract, multiply and divide", operation)
}

// newCalculator returns a server with one tool for each operation.
func newCalculator() *mcp.Server {
	server := newServer("calculator", "Calculator")
	for operation, does := range map[string]string{
		"add":      "Adds b to a.",
		"subtract": "Subtracts b from a.",
		"multiply": "Multiplies a by b.",
		"divide":   "Divides a by b.",
	} {
		tool := &mcp.Tool{Name: operation, Description: does}
		mcp.AddTool(server, tool, func(_ context.Context, _ *mcp.CallToolRequest, in Operands) (*mcp.CallToolResult, Number, error) {
			result, err := Calculate(operation, in.A, in.B)
			return nil, Number{Result: result}, err
		})
	}
	return server
}
