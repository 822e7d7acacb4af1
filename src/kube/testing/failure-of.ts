import { KubeError } from '../errors.ts';

/** The error that a call fails with. A call that succeeds, or fails otherwise, fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof KubeError) {
    return error;
  }
  throw error;
}
