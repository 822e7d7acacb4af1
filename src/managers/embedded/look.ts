import type { Sessions } from '../sessions.ts';
import { fullEmbeddedName } from './names.ts';

/** A secret that is kept in the cluster changed: whoever reads it there looks at it now. */
export function lookAtSecret(sessions: Pick<Sessions, 'sessions'>, namespace: string, name: string): void {
  for (const [, session] of sessions.sessions()) {
    if (session.backend === 'embedded') session.source.look(fullEmbeddedName(namespace, name), 'everything');
  }
}
