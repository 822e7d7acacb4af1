/** Numbers of versions as a text: `1-4,7`. Ascending, without overlaps. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** The most ranges that are told apart: beyond, the lowest grow together, so that nobody can fill a status with them. */
const MAX_RANGES = 200;

/** What can't be read is left out. */
export function parseRanges(text: string | undefined): readonly NumberRange[] {
  const parts = (text ?? '').split(',').map((part) => /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part));
  return parts.flatMap((match) => {
    if (match === null) return [];
    const from = Number(match[1]);
    return [{ from, to: match[2] === undefined ? from : Number(match[2]) }];
  });
}

export function formatRanges(ranges: readonly NumberRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

export function inRanges(ranges: readonly NumberRange[], number: number): boolean {
  return ranges.some(({ from, to }) => from <= number && number <= to);
}

export function withNumbers(ranges: readonly NumberRange[], numbers: readonly number[]): readonly NumberRange[] {
  const all = [...ranges, ...numbers.map((number) => ({ from: number, to: number }))].toSorted(
    (a, b) => a.from - b.from,
  );
  const merged: NumberRange[] = [];
  for (const range of all) {
    const last = merged.at(-1);
    if (last === undefined || range.from > last.to + 1) merged.push(range);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return bounded(merged);
}

function bounded(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const [first] = ranges;
  if (first === undefined || ranges.length <= MAX_RANGES) return ranges;
  const cut = ranges.length - MAX_RANGES;
  const last = ranges[cut] ?? first;
  return [{ from: first.from, to: last.to }, ...ranges.slice(cut + 1)];
}
