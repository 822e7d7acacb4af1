import { createHash } from 'node:crypto';
import { ManagerError } from '../errors.ts';
import type { Selector } from '../manager.ts';

const NAME = /^[A-Za-z0-9/_+=.@!-]{1,512}$/;
const ARN = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[A-Za-z0-9/_+=.@!-]{1,519}$/;
/** The six characters that AWS adds to a secret's name in its ARN: other ones when a secret of the same name is created again. */
const ARN_SUFFIX = /-([A-Za-z0-9]{6})$/;

/**
 * Why AWS can't have such a secret in this region, as an error; undefined for a good name. One malformed name makes AWS refuse the whole
 * batch that it is in, so names are judged before.
 */
export function nameError(secret: string, region: string): ManagerError | undefined {
  if (!secret.startsWith('arn:')) {
    if (NAME.test(secret)) return undefined;
    return new ManagerError(
      'SecretNotFound',
      'AWS has no secret of that name: names are 1 to 512 letters, digits and /_+=.@!-',
    );
  }
  const arn = ARN.exec(secret);
  if (arn === null) {
    return new ManagerError(
      'SecretNotFound',
      `${shortened(secret)} is not the ARN of a secret: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`,
    );
  }
  if (arn[1] === region) return undefined;
  return new ManagerError(
    'SecretNotFound',
    `${secret} lies in another region than ${region}: use a manager of its region`,
  );
}

/** The same for versions and stages. */
export function selectorError(secret: string, selector: Selector): ManagerError | undefined {
  if (selector.kind === 'version' && (selector.version.length < 32 || selector.version.length > 64)) {
    const text = `secret ${secret} has no version ${shortened(selector.version)}: AWS' version ids have 32 to 64 characters, for example a UUID`;
    return new ManagerError('VersionNotFound', text);
  }
  if (selector.kind === 'stage' && (selector.stage.length < 1 || selector.stage.length > 256)) {
    return new ManagerError(
      'VersionNotFound',
      `secret ${secret} has no such stage: AWS' stages have 1 to 256 characters`,
    );
  }
  return undefined;
}

/** A secret's names in an answer of AWS. */
export interface AnsweredNames {
  readonly ARN: string;
  readonly Name: string;
}

/** The answer about what was asked for by name, ARN or partial ARN (one without the last hyphen and six characters). */
export function findAnswer<T extends AnsweredNames>(asked: string, answers: readonly T[]): T | undefined {
  if (!asked.startsWith('arn:')) return answers.find((answer) => answer.Name === asked);
  const exact = answers.find((answer) => answer.ARN === asked);
  return exact ?? answers.find((answer) => answer.ARN.replace(ARN_SUFFIX, '') === asked);
}

/** `<version>@<suffix of the ARN>`: the suffix tells a secret from an earlier one of the same name. */
export function identityOf(version: string, arn: string): string {
  const suffix = ARN_SUFFIX.exec(arn)?.[1];
  return `${version}@${suffix ?? createHash('sha256').update(arn).digest('hex').slice(0, 8)}`;
}

function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}...`;
}
