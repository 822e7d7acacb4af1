const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Milliseconds of `90d`, `12h`, `30m` or `60s`; undefined for anything else, as a former CRD may have let it in. */
export function parseAge(text: string): number | undefined {
  const [, number, unit] = /^([1-9]\d{0,4})([dhms])$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const found = Object.entries(units).find(([name]) => name === unit);
  return found === undefined ? undefined : Number(number) * found[1];
}

/** Whether latest is older than it should be, and in how many milliseconds it will be. */
export function rotationDue(
  rotateAfter: string | undefined,
  latestAt: string | undefined,
  now: number,
): { readonly due: boolean; readonly after: number | undefined } {
  const age = rotateAfter === undefined ? undefined : parseAge(rotateAfter);
  if (age === undefined || latestAt === undefined) return { due: false, after: undefined };
  const left = Date.parse(latestAt) + age - now;
  return left > 0 ? { due: false, after: left } : { due: true, after: undefined };
}
