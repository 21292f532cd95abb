// Package cases has what is measured: a file for each heading of the table, in
// the order of the table. A case is a value of plan.Case; adding one to All is all
// it takes.
//
// What the sides do is said in the verbs of package node. Figures are converted to
// the unit of their row here.
package cases
