/** The one of `names` that `name` is most likely a slip of, where there is one: at most a third of it differs, case aside. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let limit = Math.min(3, Math.max(1, Math.floor(name.length / 3)));
  let nearest: string | undefined;
  for (const candidate of [...names].toSorted()) {
    if (Math.abs(candidate.length - wanted.length) > limit) continue;
    const difference = editDistance(wanted, candidate.toLowerCase());
    if (difference > limit) continue;
    nearest = candidate;
    limit = difference - 1;
  }
  return nearest;
}

/** How many characters must be added, removed or replaced to come from one to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (to[column - 1] === from[line - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
