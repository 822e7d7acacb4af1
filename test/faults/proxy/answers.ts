/** What the API server itself says in these cases. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const reasons = {
  409: ['Conflict', 'the object has been modified; please apply your changes to the latest version'],
  410: ['Expired', 'The provided continue parameter is too old'],
  429: ['TooManyRequests', 'too many requests, please try again later'],
  500: ['InternalError', 'an error on the server has prevented the request from succeeding'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'request did not complete within the allotted timeout'],
} as const;

export function refusal(status: keyof typeof reasons): Refusal {
  const [reason, message] = reasons[status];
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: status, reason, message };
  const patience: Readonly<Record<string, string>> = status === 429 ? { 'retry-after': '1' } : {};
  return { status, headers: { 'content-type': 'application/json', ...patience }, body: JSON.stringify(body) };
}
