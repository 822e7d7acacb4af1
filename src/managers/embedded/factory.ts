import { ManagerError } from '../errors.ts';
import type { SecretManager } from '../manager.ts';
import type { ManagerSettings } from '../registry.ts';
import { createEmbeddedManager } from './manager.ts';

/**
 * The manager of secrets that are kept in the cluster.
 * @throws ManagerError where this operator keeps none.
 */
export function embeddedManagerFactory({ embedded }: ManagerSettings): SecretManager {
  if (embedded === undefined) {
    const text = 'this operator runs with --embedded=false and keeps no secrets in the cluster: start it without that';
    throw new ManagerError('ManagerUnavailable', text);
  }
  return createEmbeddedManager(embedded);
}
