import { describe, expect, it } from 'vitest';
import { type DeploymentState, findFaults } from './deployment-checks.ts';

const marked = { 'keyferry.io/content.db': 'new' } as const;
const contents = new Map([['bench-0/db', 'new']]);

function deployments(state: Partial<DeploymentState>): ReadonlyMap<string, DeploymentState> {
  return new Map([['bench-0/app', { resourceVersion: '1', generation: 1, target: 'db', markers: {}, ...state }]]);
}

describe('findFaults', () => {
  it('finds none where a consumer was marked once and others are as they were', () => {
    const other = ['bench-0/other', { resourceVersion: '1', generation: 1, target: undefined, markers: {} }] as const;
    const before = new Map([...deployments({}), other]);
    const after = new Map([...deployments({ resourceVersion: '2', generation: 2, markers: marked }), other]);

    expect(findFaults(before, after, contents)).toEqual([]);
  });

  it.each([
    { what: 'two generations', after: { generation: 3, markers: marked }, fault: 'has 2 new generations' },
    { what: 'no generation', after: { markers: marked }, fault: 'has 0 new generations' },
    {
      what: 'another content',
      after: { generation: 2, markers: { 'keyferry.io/content.db': 'old' } },
      fault: 'marked',
    },
    {
      what: 'a marker too many',
      after: { generation: 2, markers: { ...marked, 'keyferry.io/content.cache': 'new' } },
      fault: 'marked',
    },
  ])('finds $what', ({ after, fault }) => {
    expect(findFaults(deployments({}), deployments(after), contents)).toEqual([expect.stringContaining(fault)]);
  });

  it('finds one that is gone', () => {
    expect(findFaults(deployments({}), new Map(), contents)).toEqual(['Deployment bench-0/app is gone']);
  });

  it('finds a change of a Deployment that consumes no target', () => {
    const before = deployments({ target: undefined });
    const after = deployments({ target: undefined, resourceVersion: '2' });

    expect(findFaults(before, after, contents)).toEqual(['Deployment bench-0/app consumes no target, and changed']);
  });
});
