import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { STSClient } from '@aws-sdk/client-sts';
import type { z } from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { ManagerError } from '../errors.ts';
import { incomplete } from './answers.ts';
import type { Answer, Ask } from './calls.ts';
import type { Parties } from './fault.ts';
import { errorOf, type Subject } from './refusal.ts';

/** A service that can be asked, with the words for its messages. */
export interface Service {
  readonly ask: Ask;
  readonly parties: Parties;
}

/** What every operation of an AWS manager works with. */
export interface AwsSession extends Service {
  readonly secrets: SecretsManagerClient;
  readonly sts: Service & { readonly client: STSClient };
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The region that is asked.
 * @throws ManagerError when neither the manager nor the environment names one.
 */
export async function regionOf(session: AwsSession): Promise<string> {
  let region: string;
  try {
    region = await session.secrets.config.region();
  } catch {
    throw new ManagerError(
      'ManagerUnavailable',
      'no AWS region is known: set aws.region in the manager, or AWS_REGION for the operator',
    );
  }
  if (/^[a-z0-9-]{1,64}$/.test(region)) return region;
  throw new ManagerError('ManagerUnavailable', 'the AWS region is not one: write it as in eu-west-1');
}

/** Calls and checks the answer's form. Throws `ManagerError` for every fault. */
export async function askFor<S extends z.ZodType>(
  service: Service,
  schema: S,
  call: (signal: AbortSignal) => Promise<unknown>,
  subject: Subject,
  signal: AbortSignal,
): Promise<z.infer<S>> {
  const answer = checked(schema, await service.ask(call, signal), service.parties);
  if (answer.ok) return answer.value;
  throw errorOf(answer.fault, subject);
}

/** The answer in the form that the schema gives it; one of another form is a fault. */
export function checked<S extends z.ZodType>(schema: S, answer: Answer<unknown>, parties: Parties): Answer<z.infer<S>> {
  if (!answer.ok) return answer;
  const parsed = schema.safeParse(answer.value);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, fault: { kind: 'call', error: incomplete(parties) } };
}
