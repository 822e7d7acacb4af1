import { ManagerError } from '../../errors.ts';
import type { SecretValue } from '../../secret-value.ts';
import type { SealingTarget } from './sealing-target.ts';

/**
 * To be asked before anything is made or done for a value that can't be put.
 * @throws ManagerError InvalidValue for an empty one, LimitExceeded for one that is too large
 */
export function checkSize(name: string, value: SecretValue, { valueBytes }: Pick<SealingTarget, 'valueBytes'>): void {
  if (value.size === 0) throw new ManagerError('InvalidValue', `the value for secret ${name} is empty`);
  if (value.size <= valueBytes) return;
  const fix = "it can be raised by embedded.limits.valueBytes of the cluster's manager";
  const text = `the value for secret ${name} has ${value.size} bytes: at most ${valueBytes} are taken; ${fix}`;
  throw new ManagerError('LimitExceeded', text);
}
