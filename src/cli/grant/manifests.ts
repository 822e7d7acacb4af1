import { createHash } from 'node:crypto';
import { group } from '../../api/v1/names.ts';
import type { KubeBody } from '../../kube/client.ts';
import { CliError } from '../context.ts';
import { roles, type Subject } from '../who-can/rbac.ts';
import { subjectLabel } from '../who-can/resolve.ts';
import { rulesOf, type Things, type Verb } from './verbs.ts';

/** To whom, as the options say it. */
export interface Receivers {
  readonly to?: readonly string[];
  readonly toGroup?: readonly string[];
  readonly toServiceaccount?: readonly string[];
}

/** @throws CliError */
export function subjectsOf(
  { to = [], toGroup = [], toServiceaccount = [] }: Receivers,
  namespace: string,
): readonly Subject[] {
  const subjects = [
    ...to.map((name): Subject => ({ kind: 'User', name })),
    ...toGroup.map((name): Subject => ({ kind: 'Group', name })),
    ...toServiceaccount.map((text): Subject => serviceAccount(text, namespace)),
  ];
  if (subjects.length === 0) {
    throw new CliError('say to whom: --to USER, --to-group GROUP or --to-serviceaccount NAMESPACE/NAME', 2);
  }
  return subjects.toSorted((a, b) => subjectLabel(a).localeCompare(subjectLabel(b)));
}

function serviceAccount(text: string, own: string): Subject {
  const parts = text.split('/');
  const [namespace = '', name = ''] = parts.length === 1 ? [own, text] : parts;
  if (parts.length > 2 || namespace === '' || name === '') {
    throw new CliError(`"${text}" is no service account: write NAMESPACE/NAME`, 2);
  }
  return { kind: 'ServiceAccount', name, namespace };
}

export interface GrantQuestion {
  readonly verb: Verb;
  readonly things: Things;
  readonly subjects: readonly Subject[];
  readonly namespace: string;
}

export interface Grant {
  readonly name: string;
  readonly role: KubeBody;
  readonly binding: KubeBody;
}

/** A Role and its binding. The same grant has the same name each time, so that it is made once and can be taken back. */
export function grantOf({ verb, things, subjects, namespace }: GrantQuestion): Grant {
  const names = things.names ?? ['*'];
  const identity = JSON.stringify([verb, things.resource, names, subjects.map(subjectLabel)]);
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 8);
  const name = `keyferry-${verb}-${hash}`;
  const metadata = {
    name,
    namespace,
    labels: { 'app.kubernetes.io/managed-by': 'keyferry', [`${group}/grant`]: verb },
  };
  return {
    name,
    role: { metadata, rules: rulesOf(verb, things) },
    binding: {
      metadata,
      roleRef: { apiGroup: roles.group, kind: roles.kind, name },
      subjects: subjects.map(({ kind, ...subject }) =>
        kind === 'ServiceAccount' ? { kind, ...subject } : { kind, apiGroup: roles.group, ...subject },
      ),
    },
  };
}
