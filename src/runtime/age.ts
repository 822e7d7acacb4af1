const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Milliseconds of `90d`, `12h`, `30m` or `60s`: one number of at most five digits with one unit. Undefined for anything else. */
export function parseAge(text: string): number | undefined {
  const { number = '', unit } = /^(?<number>[1-9]\d{0,4})(?<unit>[dhms])$/.exec(text)?.groups ?? {};
  return unit === 'd' || unit === 'h' || unit === 'm' || unit === 's' ? Number(number) * units[unit] : undefined;
}
