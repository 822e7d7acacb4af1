/** The one of `names` that `name` most likely was to be, if one is near: at most a third of its characters differ, but no more than three. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const most = Math.min(3, Math.ceil(name.length / 3));
  const [nearest] = names
    .map((candidate) => ({ candidate, distance: distanceBetween(name, candidate) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((one, other) => one.distance - other.distance);
  return nearest?.candidate;
}

/** Levenshtein's distance: how many characters must be put in, taken out or replaced. */
function distanceBetween(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replace = cell(previous, j - 1) + (one[i - 1] === other[j - 1] ? 0 : 1);
      current.push(Math.min(replace, cell(previous, j) + 1, cell(current, j - 1) + 1));
    }
    previous = current;
  }
  return cell(previous, other.length);
}

function cell(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
