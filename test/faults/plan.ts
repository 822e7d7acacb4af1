import { z } from 'zod';

/** What can happen to a request of the operator to the API server. `-before`: it has no effect; `-after`: it has, and the answer is lost. */
export const requestFaults = [
  'kill-before',
  'kill-after',
  'conflict',
  'throttle',
  'error-500',
  'error-503',
  /** The API server's own time-out, 504. */
  'timeout-before',
  'timeout-after',
  /** No answer ever: the operator's own deadline has to end it. */
  'hang-before',
  'hang-after',
  'reset-before',
  'reset-after',
  /** The operator is stopped for longer than its lease, with this request on the way: it arrives after somebody else led. */
  'stop-before',
  /** The same, with the answer on the way. */
  'stop-after',
] as const;

/** What can happen to an event of a watch. */
export const eventFaults = ['drop', 'delay', 'duplicate', 'half-open', 'gone', 'garbage', 'kill'] as const;

/** What can happen to a call to the backend. */
export const callFaults = [
  'throttle',
  'error-500',
  'denied',
  'hang',
  'reset',
  'garbage',
  'empty-value',
  'partial',
  /** From this call on, every call fails for a while. */
  'outage',
  'kill-before',
  'kill-after',
] as const;

const faultSchema = z.discriminatedUnion('on', [
  z.strictObject({ on: z.literal('request'), at: z.string(), do: z.enum(requestFaults) }),
  z.strictObject({ on: z.literal('event'), at: z.string(), do: z.enum(eventFaults) }),
  z.strictObject({ on: z.literal('call'), at: z.string(), do: z.enum(callFaults) }),
]);

/** One thing that goes wrong. `at` names the request, event or call, as `FaultBook` counts them. */
export type Fault = z.infer<typeof faultSchema>;

export const crews = [
  /** One operator, which is started again when it ends. */
  'one',
  /** A leader, and another that waits for the lease. */
  'standby',
  /** Two that both believe that they lead. */
  'two-leaders',
] as const;
export type Crew = (typeof crews)[number];

/** A file that replays. */
export const planSchema = z.strictObject({
  scenario: z.string(),
  crew: z.enum(crews).default('one'),
  faults: z.array(faultSchema).default([]),
});
export type Plan = z.infer<typeof planSchema>;

/** One line that tells plans apart. */
export function planName({ scenario, crew, faults }: Plan): string {
  const what = faults.map((fault) => `${fault.do} @ ${fault.on} ${fault.at}`).join(' + ');
  return `${scenario}${crew === 'one' ? '' : ` (${crew})`}: ${what === '' ? 'no fault' : what}`;
}
