/**
 * True where resource version `a` is certainly older than `b`. Kubernetes promises since 1.35 that versions of one resource are
 * decimal numbers that may be compared; earlier releases behave so. What is not such a number is opaque and never called older.
 */
export function isOlderVersion(a: string, b: string): boolean {
  if (!decimal.test(a) || !decimal.test(b)) {
    return false;
  }
  return a.length === b.length ? a < b : a.length < b.length;
}

/** No leading zeros, so that the longer one is the greater one: versions exceed what a number holds exactly. */
const decimal = /^(0|[1-9]\d*)$/;
