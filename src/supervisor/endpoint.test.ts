/** The default of `X-Kuiperbelt-Endpoint`: kuiperbelt's where kuiperbelt has one. */
import { describe, expect, test } from 'vitest';
import { defaultEndpoint, type EndpointFacts } from './endpoint.ts';

const facts: EndpointFacts = {
  listen: { host: null, port: 9_180 },
  port: 9_180,
  configuredPort: 9_180,
  nodeName: null,
  hostname: 'box',
};

describe('the default endpoint', () => {
  test('is the host and the port, as kuiperbelt has it', () => {
    expect(defaultEndpoint(facts)).toBe('box:9180');
    expect(defaultEndpoint({ ...facts, port: 80 })).toBe('box');
    expect(defaultEndpoint({ ...facts, port: 1_023 })).toBe('box');
    expect(defaultEndpoint({ ...facts, port: 1_024 })).toBe('box:1024');
  });

  test('names the port that was got, and the address when there is only one', () => {
    const listen = { host: '127.0.0.1', port: 0 };
    expect(defaultEndpoint({ ...facts, listen, port: 40_001 })).toBe('127.0.0.1:40001');
    expect(defaultEndpoint({ ...facts, listen: { host: '::1', port: 0 }, port: 40_001 })).toBe('[::1]:40001');
  });

  test('takes the host of the name that the operator gave', () => {
    const listen = { host: '127.0.0.1', port: 9_181 };
    expect(defaultEndpoint({ ...facts, listen, nodeName: 'node-01@edge.example' })).toBe('edge.example:9180');
    expect(defaultEndpoint({ ...facts, nodeName: 'node-01' })).toBe('box:9180');
  });

  test('on a unix socket is the configured port, for the proxy before it', () => {
    expect(defaultEndpoint({ ...facts, listen: null, port: null })).toBe('box:9180');
  });
});
