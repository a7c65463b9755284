/** Weighted least squares by normal equations; a little damping keeps terms at nothing that the rows say nothing of. */
export function solve(
  rows: readonly (readonly number[])[],
  wanted: readonly number[],
  weights: readonly number[],
): number[] {
  const count = rows[0]?.length ?? 0
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const left = Array.from({ length: count }, (_, i) =>
    Array.from(
      { length: count },
      (__, j) => sumOf(rows, weights, (row) => (row[i] ?? 0) * (row[j] ?? 0)) + (i === j ? 1e-4 * total : 0),
    ),
  )
  const right = Array.from({ length: count }, (_, i) =>
    sumOf(rows, weights, (row, place) => (row[i] ?? 0) * (wanted[place] ?? 0)),
  )
  return eliminate(left, right)
}

function sumOf(
  rows: readonly (readonly number[])[],
  weights: readonly number[],
  part: (row: readonly number[], place: number) => number,
): number {
  return rows.reduce((sum, row, place) => sum + (weights[place] ?? 0) * part(row, place), 0)
}

/** The damped matrix is positive definite, so no pivot is nothing. */
function eliminate(left: number[][], right: number[]): number[] {
  const count = right.length
  for (let pivot = 0; pivot < count; pivot += 1) {
    for (let row = pivot + 1; row < count; row += 1) {
      const factor = at(left, row, pivot) / at(left, pivot, pivot)
      for (let column = pivot; column < count; column += 1)
        subtract(left[row], column, factor * at(left, pivot, column))
      subtract(right, row, factor * (right[pivot] ?? 0))
    }
  }
  const found = Array.from({ length: count }, () => 0)
  for (let row = count - 1; row >= 0; row -= 1) {
    const known = found.reduce((sum, value, column) => sum + (column > row ? value * at(left, row, column) : 0), 0)
    found[row] = ((right[row] ?? 0) - known) / at(left, row, row)
  }
  return found
}

const at = (matrix: readonly (readonly number[])[], row: number, column: number) => matrix[row]?.[column] ?? 0

function subtract(values: number[] | undefined, place: number, amount: number): void {
  if (values !== undefined) values[place] = (values[place] ?? 0) - amount
}
