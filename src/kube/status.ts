import { z } from 'zod';
import { type CallSubject, KubeError, type KubeErrorCause } from './errors.ts';

/** What the API server answers instead of an object, and sends over a watch that failed. */
export const statusSchema = z.object({
  kind: z.literal('Status'),
  code: z.number().default(0),
  reason: z.string().default(''),
  message: z.string().default(''),
  details: z
    .object({
      causes: z
        .array(
          z.object({
            reason: z.string().default(''),
            field: z.string().default(''),
            message: z.string().default(''),
          }),
        )
        .default([]),
      retryAfterSeconds: z.number().optional(),
    })
    .default({ causes: [] }),
});

export type Status = z.infer<typeof statusSchema>;

const emptyStatus: Status = { kind: 'Status', code: 0, reason: '', message: '', details: { causes: [] } };
const longestDetail = 300;
const mostCauses = 5;

/** A refusal as it came over the wire. */
export interface Refusal {
  readonly status: number;
  /** The value of the `Retry-After` header, if there is one. */
  readonly retryAfter: string | undefined;
  readonly body: string;
  /** Whether the call writes. */
  readonly writes: boolean;
}

/** The typed error for an answer that is not a success. `now` is the wall clock, which a Retry-After date is measured by. */
export function errorFromRefusal(subject: CallSubject, refusal: Refusal, now: number): KubeError {
  const status = parseStatus(refusal.body);
  const retryAfter = retryAfterMs(refusal.retryAfter, now) ?? secondsToMs(status.details.retryAfterSeconds);
  return new KubeError({
    ...failureOf(subject, status),
    status: refusal.status,
    retryAfter,
    mayHaveTakenEffect: refusal.writes && mayHaveTakenEffect(refusal.status, retryAfter),
  });
}

/** The typed error for a `Status` that came as an event of a watch. */
export function errorFromStatus(subject: CallSubject, status: Status): KubeError {
  return new KubeError({
    ...failureOf(subject, status),
    status: status.code,
    retryAfter: secondsToMs(status.details.retryAfterSeconds),
  });
}

function failureOf(
  subject: CallSubject,
  status: Status,
): { subject: CallSubject; reason: string; detail: string; causes: KubeErrorCause[] } {
  return {
    subject,
    reason: clean(status.reason, 64),
    detail: subject.sensitive ? '' : clean(status.message, longestDetail),
    causes: status.details.causes.slice(0, mostCauses).map((cause) => ({
      reason: clean(cause.reason, 64),
      field: clean(cause.field, 128),
      manager: managerOf(cause),
    })),
  };
}

/** The owner of a field is in a sentence only: `conflict with "kubectl" using v1`. It names people's tools, never a value. */
function managerOf(cause: { reason: string; message: string }): string {
  if (cause.reason !== 'FieldManagerConflict') {
    return '';
  }
  return clean(/^conflict with "([^"]{1,128})"/.exec(cause.message)?.[1] ?? '', 128);
}

/** A refusal by 4xx changed nothing, nor did a server that says when to come again: it turned the call away at the door. */
function mayHaveTakenEffect(status: number, retryAfter: number | undefined): boolean {
  const turnedAway = status === 503 && retryAfter !== undefined;
  return status === 408 || (status >= 500 && !turnedAway);
}

function parseStatus(body: string): Status {
  try {
    const parsed: unknown = JSON.parse(body);
    return statusSchema.safeParse(parsed).data ?? emptyStatus;
  } catch {
    return emptyStatus;
  }
}

function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  if (/^\d{1,9}$/.test(header)) {
    return Number(header) * 1000;
  }
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000;
}

/** One line of bounded length, without control characters. */
function clean(text: string, longest: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest)}...`;
}
