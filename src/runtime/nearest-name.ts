/** Names are other people's input: so many are looked at, and longer ones are not. */
const MOST_NAMES = 300;
const LONGEST_NAME = 128;

/** The one of `names` that `name` is most likely a slip of, where there is one: at most a third of it differs, case aside. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const wanted = name.toLowerCase();
  let limit = Math.min(3, Math.max(1, Math.floor(name.length / 3)));
  let nearest: string | undefined;
  for (const candidate of candidates(names, name.length, limit)) {
    const difference = editDistance(wanted, candidate.toLowerCase(), limit);
    if (difference > limit) continue;
    nearest = candidate;
    limit = difference - 1;
  }
  return nearest;
}

/** Those that are about as long as the name, in order: the same name is found on every call. */
function candidates(names: Iterable<string>, length: number, limit: number): readonly string[] {
  const near: string[] = [];
  for (const candidate of names) {
    if (Math.abs(candidate.length - length) <= limit) near.push(candidate);
    if (near.length === MOST_NAMES) break;
  }
  return near.toSorted();
}

/**
 * How many characters must be added, removed or replaced to come from one to the other (Levenshtein); more than `limit` where it is more. Cells that are
 * further than `limit` from the diagonal are left out: no way through them is short enough.
 */
function editDistance(from: string, to: string, limit: number): number {
  let row = new Map(Array.from({ length: Math.min(to.length, limit) + 1 }, (_, column) => [column, column]));
  const at = (cells: ReadonlyMap<number, number>, column: number): number => cells.get(column) ?? limit + 1;
  for (let line = 1; line <= from.length; line += 1) {
    const next = new Map<number, number>();
    if (line <= limit) next.set(0, line);
    for (let column = Math.max(1, line - limit); column <= Math.min(to.length, line + limit); column += 1) {
      const replaced = at(row, column - 1) + (to[column - 1] === from[line - 1] ? 0 : 1);
      next.set(column, Math.min(replaced, at(row, column) + 1, at(next, column - 1) + 1));
    }
    row = next;
  }
  return at(row, to.length);
}
