import { ManagerError } from '../errors.ts';
import type { SecretManager } from '../manager.ts';
import type { ManagerSettings } from '../registry.ts';

/** The AWS manager of a manager object. */
export function awsManagerFactory(settings: ManagerSettings): SecretManager {
  throw new ManagerError('ManagerUnavailable', `${settings.kind} ${settings.name} can't be used yet`);
}
