import { parseAge } from '../../runtime/age.ts';

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
