import { describe, expect, it } from 'vitest';
import { buildConsumer, buildReference, buildWorkload } from '../testing/builders.ts';
import { consumedTarget } from '../secret-reference/rollout-findings.ts';
import type { DueTarget } from './due.ts';
import { markerPatch } from './marker-patch.ts';

function dueFor(name: string, content: string): DueTarget {
  const reference = buildReference({ metadata: { name } });
  return { reference, target: consumedTarget(reference), consumer: buildConsumer(), content };
}

const marker = (name: string) => `keyferry.io/content.${name}`;

describe('what is applied to a workload that is due', () => {
  it('is pinned to the workload as it was seen, and holds nothing but markers', () => {
    const workload = buildWorkload({ metadata: { resourceVersion: '42' } });
    expect(markerPatch('Deployment', workload, [dueFor('api-db', '1:bbbb')])).toEqual({
      metadata: { name: 'api', namespace: 'shop', uid: 'workload-uid', resourceVersion: '42' },
      spec: { template: { metadata: { annotations: { [marker('api-db')]: '1:bbbb' } } } },
    });
  });

  it('stands deeper in a CronJob', () => {
    expect(markerPatch('CronJob', buildWorkload({ kind: 'CronJob' }), [dueFor('api-db', '1:bbbb')])['spec']).toEqual({
      jobTemplate: { spec: { template: { metadata: { annotations: { [marker('api-db')]: '1:bbbb' } } } } },
    });
  });

  it('has all markers of ours, as they are, but none that others have now', () => {
    const markers = new Map([
      [marker('api-db'), { value: '1:aaaa', ours: true }],
      [marker('ours'), { value: '1:cccc+', ours: true }],
      [marker('theirs'), { value: '1:dddd', ours: false }],
    ]);
    const patch = markerPatch('Deployment', buildWorkload({ markers }), [
      dueFor('api-db', '1:bbbb'),
      dueFor('new', '1:eeee'),
    ]);
    expect(patch['spec']).toEqual({
      template: {
        metadata: {
          annotations: { [marker('api-db')]: '1:bbbb', [marker('ours')]: '1:cccc+', [marker('new')]: '1:eeee' },
        },
      },
    });
  });

  it('takes back a marker that others have, also where it names the content already: only a change starts pods', () => {
    const markers = new Map([[marker('api-db'), { value: '1:bbbb', ours: false }]]);
    const patch = markerPatch('Deployment', buildWorkload({ markers }), [dueFor('api-db', '1:bbbb')]);
    expect(patch['spec']).toEqual({ template: { metadata: { annotations: { [marker('api-db')]: '1:bbbb+' } } } });
  });
});
