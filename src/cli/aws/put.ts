import { ManagerError } from '../../managers/errors.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { type CliContext, CliError } from '../context.ts';
import { printObject } from '../output.ts';
import { takeValue, type ValueOptions } from '../take-value.ts';
import type { AwsPlace } from './place.ts';

export interface AwsPutOptions extends ValueOptions {
  readonly create?: boolean;
  readonly showOnce?: boolean;
}

/** What a secret in the cluster can be made with, and one in AWS can't. */
const notInAws = ['type', 'description', 'rotateAfter', 'writeOnly', 'label'] as const;
type NotInAws = (typeof notInAws)[number];

/** @throws CliError where an option is given that means nothing in AWS */
export function refuseClusterOptions(options: Partial<Record<NotInAws, unknown>>): void {
  const given = notInAws.filter((option) => options[option] !== undefined);
  if (given.length === 0) return;
  const flags = given.map((option) => `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  throw new CliError(
    `${flags.join(', ')} is for secrets that are kept in the cluster: in AWS use aws secretsmanager create-secret or tag-resource`,
    2,
  );
}

/** `keyferry put NAME --manager aws/NAME`. */
export async function putAws(
  context: CliContext,
  place: AwsPlace,
  name: string,
  options: AwsPutOptions,
): Promise<void> {
  const { io, signal } = context;
  const { namespace } = await context.cluster();
  const full = place.names.full(name, namespace);
  // First of all: who is told so after having typed a value has typed it for nothing.
  const found = await latestOf(place, full, signal);
  if (found === undefined && options.create !== true) {
    throw new CliError(`${await missing(place, name, full, signal)} To make it: add --create`);
  }
  const { value } = await takeValue(io, options, undefined);
  const version = await place.aws.put(full, value, signal);
  report(context, place, full, version, options.showOnce === true ? value : undefined);
}

/** The version that is latest now; an empty id where there is none yet. Undefined where there is no such secret. @throws ManagerError */
export async function latestOf(place: AwsPlace, full: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await place.aws.detail(full, signal)).latest ?? '';
  } catch (error) {
    if (error instanceof ManagerError && error.reason === 'SecretNotFound') return undefined;
    throw error;
  }
}

/** That there is no such secret, and which one was probably meant. Who may not list gets no suggestion. */
export async function missing(place: AwsPlace, name: string, full: string, signal: AbortSignal): Promise<string> {
  const query = { prefix: place.names.prefix('', ''), tags: new Map<string, string>() };
  const names = await place.aws.list(query, signal).then(
    (found) => found.map((secret) => place.names.short(secret)),
    () => [],
  );
  const near = nearestName(name, names);
  return `there is no secret ${full} in AWS (${place.title}).${near === undefined ? '' : ` Did you mean ${near}?`}`;
}

function report(
  context: CliContext,
  { title }: AwsPlace,
  secret: string,
  version: string,
  shown: SecretValue | undefined,
): void {
  const data = { manager: title, secret, version, ...(shown !== undefined && { value: shown.asString() }) };
  printObject(context, data, () => {
    const done = `Version ${version} of secret ${secret} in AWS (${title}) is latest.`;
    if (shown === undefined) return `${done}\n`;
    context.io.note(done);
    return `${shown.asString()}\n`;
  });
}
