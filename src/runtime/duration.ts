const units = [
  { unit: 'h', ms: 3_600_000 },
  { unit: 'm', ms: 60_000 },
  { unit: 's', ms: 1_000 },
  { unit: 'ms', ms: 1 },
] as const;

/** Go's own syntax without signs, fractions, and units below a millisecond; the units stand in falling order. */
const pattern = /^(?:(?<h>\d+)h)?(?:(?<m>\d+)m(?!s))?(?:(?<s>\d+)s)?(?:(?<ms>\d+)ms)?$/;

/** What a valid duration looks like, for messages and help texts. */
export const durationExample = '500ms, 30s, 10m or 1h30m';

/**
 * Milliseconds of a duration such as `500ms`, `30s`, `10m` or `1h30m`: whole numbers with the units h, m, s and ms, each at most once and in
 * this order. `0` is `0s`.
 * @throws RangeError for anything else. Its message quotes `text`.
 */
export function parseDuration(text: string): number {
  if (text === '0') {
    return 0;
  }
  const groups = text === '' ? undefined : pattern.exec(text)?.groups;
  if (groups === undefined) {
    throw new RangeError(`"${text}" is not a duration: write it like ${durationExample}`);
  }
  const total = units.reduce((sum, { unit, ms }) => sum + Number(groups[unit] ?? 0) * ms, 0);
  if (!Number.isSafeInteger(total)) {
    throw new RangeError(`"${text}" is too long for a duration`);
  }
  return total;
}

/**
 * The shortest text that `parseDuration` reads as `ms` milliseconds: `90_000` is `1m30s`.
 * @throws RangeError when `ms` is not a whole number from 0.
 */
export function formatDuration(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new RangeError(`${ms} is not a whole number of milliseconds`);
  }
  let rest = ms;
  let text = '';
  for (const { unit, ms: size } of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    text += count > 0 ? `${count}${unit}` : '';
  }
  return text === '' ? '0s' : text;
}
