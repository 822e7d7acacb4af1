import { findCanaries } from '../../operator/canaries.ts';
import type { History, ObjectVersion, Text, Violation } from '../history.ts';

/** S9: no value, in no form, but in the data of Secrets. */
export function noLeak(history: History): readonly Violation[] {
  if (history.canaries.length === 0) return [];
  const texts = [...history.logs, ...writtenObjects(history), ...requestTexts(history)];
  return findCanaries(history.canaries, texts).map((what) => ({ law: 'S9', what }));
}

function writtenObjects({ objects }: History): readonly Text[] {
  return objects.map((version) => ({
    where: `${version.kind} ${version.name} at ${version.revision}`,
    text: JSON.stringify(version.kind === 'Secret' ? withoutData(version) : version.object),
  }));
}

function withoutData({ object }: ObjectVersion): unknown {
  const { data: _data, ...rest } = object;
  return rest;
}

function requestTexts({ requests }: History): readonly Text[] {
  return requests
    .filter(({ body }) => body !== undefined)
    .map(({ verb, resource, name, body = {} }) => {
      const { data: _data, ...rest } = body;
      return { where: `${verb} ${resource} ${name}`, text: JSON.stringify(resource === 'secrets' ? rest : body) };
    });
}
