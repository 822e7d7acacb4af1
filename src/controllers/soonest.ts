/** The shortest of some waits, in milliseconds; undefined where nothing is waited for. */
export function soonest(waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
