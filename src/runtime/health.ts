/** What a check found. `message` says, where it is not ok, what is wrong; it is shown by the probes. */
export interface CheckResult {
  readonly ok: boolean;
  readonly message: string;
}

/** Looks at something and says at once how it is. Must be cheap: probes call it every few seconds. */
export type Check = () => CheckResult;

export const healthy: CheckResult = { ok: true, message: '' };

export function unhealthy(message: string): CheckResult {
  return { ok: false, message };
}
