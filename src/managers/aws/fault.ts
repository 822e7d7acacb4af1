import { z } from 'zod';
import { ManagerError } from '../errors.ts';

/**
 * What went wrong with a call.
 * - `session`: it would go wrong for every other call as well (unreachable, throttled, no credentials), so none should follow.
 * - `call`: this call failed without an answer about what was asked.
 * - `refused`: AWS answered about what was asked. `text` is AWS' own: for telling cases apart, never for showing.
 */
export type Fault =
  | { readonly kind: 'session' | 'call'; readonly error: ManagerError }
  | { readonly kind: 'refused'; readonly code: string; readonly text: string };

/** Words for messages: whom we talk to, as whom, and for how long we wait. */
export interface Parties {
  /** For example `AWS Secrets Manager in eu-west-1`. */
  readonly service: string;
  /** For example `the operator's own identity` or `the keys in Secret aws-keys`. */
  readonly principal: string;
}

const THROTTLED = /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown|BandwidthLimitExceeded)/;
const INTERNAL = /^(Internal(Service|Server)?(Error|Failure)|ServiceUnavailable|ServiceFailure)/;
const CREDENTIALS =
  /^(ExpiredToken|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|InvalidClientTokenId|InvalidAccessKeyId|InvalidToken|InvalidIdentityToken|IDPRejectedClaim|IncompleteSignature|MissingAuthenticationToken|RequestExpired|RequestTimeTooSkewed|AuthFailure)/;
const CERTIFICATE = /CERT|^UNABLE_TO_|^ERR_TLS|^ERR_SSL|^EPROTO$/;
const ADDRESS = /^(ENOTFOUND|EAI_AGAIN)$/;
const LOST = /^(ECONNRESET|EPIPE)$/;
/** What the SDK names an answer that it can't read. */
const FOREIGN = /^(SyntaxError|TypeError|RangeError|Error|Unknown)$/;
/** Codes are shown, so only what looks like one is taken. */
const CODE = /^[A-Za-z][A-Za-z0-9_.]{1,79}$/;
const LONGEST_RETRY_AFTER_SECONDS = 3600;

const thrownSchema = z.object({
  name: z.string().catch(''),
  code: z.string().catch(''),
  message: z.string().catch(''),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional().catch(undefined),
  $response: z
    .object({ headers: z.record(z.string(), z.unknown()) })
    .optional()
    .catch(undefined),
});
type Thrown = z.infer<typeof thrownSchema>;

/** Reads whatever the SDK threw. Nothing of its text is passed on but the name of the fault. */
export function faultOf(thrown: unknown, parties: Parties): Fault {
  if (thrown instanceof ManagerError) return { kind: 'session', error: thrown };
  const parsed = thrownSchema.safeParse(thrown);
  if (!parsed.success) return unavailable('call', `the call to ${parties.service} failed`);
  const fault = parsed.data;
  const status = fault.$metadata?.httpStatusCode;
  return status === undefined ? networkFault(fault, parties) : answeredFault(fault, status, parties);
}

function answeredFault(thrown: Thrown, status: number, parties: Parties): Fault {
  const { name: code, message } = thrown;
  const retryAfter = retryAfterOf(thrown.$response?.headers['retry-after']);
  if (status === 429 || THROTTLED.test(code)) {
    const text = `${parties.service} throttles the calls of ${parties.principal}: poll less often, or ask AWS for a higher quota`;
    return { kind: 'session', error: new ManagerError('Throttled', text, retryAfter) };
  }
  if (status >= 500 || INTERNAL.test(code)) {
    return unavailable('call', `${parties.service} has an internal failure`, retryAfter);
  }
  // What is not AWS' own error format comes from something in between: it says nothing about the secret.
  const foreign = !CODE.test(code) || FOREIGN.test(code) || status < 400;
  if (foreign) return unavailable('call', `the answer of ${parties.service} is not one of AWS: is a proxy in between?`);
  if (CREDENTIALS.test(code)) {
    const text = `AWS does not accept the credentials of ${parties.principal} (${code}): they are wrong or have expired, or the clock of this machine is off`;
    return { kind: 'session', error: new ManagerError('AccessDenied', text) };
  }
  return { kind: 'refused', code, text: message };
}

function networkFault(thrown: Thrown, parties: Parties): Fault {
  const { service } = parties;
  const code = CODE.test(thrown.code) ? thrown.code : '';
  const shown = code === '' ? '' : ` (${code})`;
  if (CERTIFICATE.test(code)) {
    const text = `the certificate of ${service} is not trusted${shown}: give its CA as caBundle, or correct the endpoint`;
    return unavailable('session', text);
  }
  if (ADDRESS.test(code))
    return unavailable(
      'session',
      `cannot find the address of ${service}${shown}: check the region, the endpoint and the DNS`,
    );
  if (LOST.test(code)) return unavailable('call', `the connection to ${service} was lost${shown}`);
  if (code === '' && thrown.name !== 'TimeoutError') return unavailable('call', `the call to ${service} failed`);
  return unavailable('session', `cannot connect to ${service}${shown}: check the network, the endpoint and the proxy`);
}

/** No answer in time. `seconds` is how long was waited. */
export function timeoutFault(parties: Parties, seconds: number): Fault {
  return unavailable('session', `${parties.service} did not answer within ${seconds} s`);
}

function unavailable(kind: 'session' | 'call', text: string, options: { retryAfter?: number } = {}): Fault {
  return { kind, error: new ManagerError('ManagerUnavailable', text, options) };
}

/** `Retry-After` in whole seconds; the form with a date is not used by AWS and is left out. */
function retryAfterOf(header: unknown): { retryAfter?: number } {
  if (typeof header !== 'string' || !/^\d{1,9}$/.test(header)) return {};
  return { retryAfter: Math.min(Number(header), LONGEST_RETRY_AFTER_SECONDS) * 1000 };
}
