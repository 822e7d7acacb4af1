import { maxSecretObjectLength } from '../v1/embedded-name.ts';
import { celString, objectNameForm } from '../v1/parts.ts';
import { grantHint, maySecret } from './expressions.ts';
import type { Validation, Variable } from './policy.ts';

/** How many secrets of one reference are asked about. Each takes a validation of its own: CEL's budget allows two questions to the authorizer in one. */
const maxNamedSecrets = 20;

const indexes = Array.from({ length: maxNamedSecrets }, (_, index) => index);

/**
 * The secrets that a reference names, in lower case, each once: `variables.secret0` and so on, for the entries of which `counts` holds (CEL, of an
 * `entry`). The order is by name, as for managers.
 */
export function namedSecretVariables(counts: string): readonly Variable[] {
  const from = (source: 'extract' | 'versions'): string =>
    `object.spec.dataFrom.map(entry, ${counts} && has(entry.${source}), entry.${source}.secret.lowerAscii())`;
  return [
    {
      name: 'entries',
      expression: 'has(object.spec.data) ? object.spec.data.map(key, object.spec.data[key]) : []',
    },
    {
      name: 'secrets0',
      expression: `variables.entries.map(entry, ${counts}, entry.secret.lowerAscii()) + (has(object.spec.dataFrom) ? ${from('extract')} + ${from('versions')} : [])`,
    },
    ...indexes.flatMap((index) => [
      {
        name: `secret${index}`,
        expression: `variables.secrets${index}.size() == 0 ? '' : variables.secrets${index}.min()`,
      },
      {
        name: `secrets${index + 1}`,
        expression: `variables.secrets${index}.filter(secret, secret != variables.secret${index})`,
      },
    ]),
    {
      name: 'finds',
      expression: `has(object.spec.dataFrom) && object.spec.dataFrom.exists(entry, ${counts} && has(entry.find))`,
    },
    // The objects of such secrets have a hash in their names, which CEL can't make.
    {
      name: 'hashed',
      expression: `variables.secrets0.filter(secret, secret.size() > ${maxSecretObjectLength} || !secret.matches(${celString(objectNameForm)}))`,
    },
    // Asked once, and only of who is not let through otherwise.
    { name: 'mayAll', expression: maySecret('access') },
  ];
}

export interface NamedSecretsRule {
  /** CEL: lets the writer through without. */
  readonly otherwise: string;
  /** CEL: who may not do what, as far as `secret NAME there`. */
  readonly mayNot: string;
  /** CEL: what else to ask for, put behind the command. */
  readonly orAskFor: string;
}

/** The writer must hold `access` on each of those secrets. */
export function mayAccessNamed({ otherwise, mayNot, orAskFor }: NamedSecretsRule): readonly Validation[] {
  const rule = (met: string, lacks: string, grants: string, asks = ''): Validation => ({
    expression: `${met} || ${otherwise} || variables.mayAll${asks}`,
    messageExpression: `${mayNot} + ${lacks} + ' Ask for: ' + ${grantHint('access', grants)} + ${orAskFor}`,
  });
  const all = `'"*"'`;
  return [
    rule('!variables.finds', "'every secret there, which find needs.'", all),
    rule(
      'variables.hashed.size() == 0',
      `'every secret there, which secret "' + variables.hashed[0] + '" needs, as its object has another name.'`,
      all,
    ),
    rule(
      `variables.secrets${maxNamedSecrets}.size() == 0`,
      `'every secret there, which a reference to more than ${maxNamedSecrets} of them needs. Split it.'`,
      all,
    ),
    ...indexes.map((index) => {
      const [left, secret] = [`variables.secrets${index}`, `variables.secret${index}`];
      return rule(
        `${left}.size() == 0`,
        `'secret ' + ${secret} + ' there.'`,
        secret,
        ` || ${maySecret('access', secret)}`,
      );
    }),
  ];
}
