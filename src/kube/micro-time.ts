/**
 * A time as Leases and Events want it: RFC 3339 in UTC with six fractional digits (the API server refuses three).
 *
 * @param ms milliseconds since the epoch
 */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
