/** The look of the four callbacks (kuiperbelt 5.2, 5.5, 7). */
import { describe, expect, it } from 'vitest';
import type { ConnectionId, EventId, SessionKey } from '../../base/index.ts';
import {
  type CallbackSettings,
  closeCallback,
  connectCallback,
  establishCallback,
  receiveCallback,
} from './callback-requests.ts';

const settings: CallbackSettings = {
  sessionHeader: 'X-Kuiperbelt-Session',
  channelHeader: 'X-Kuiperbelt-Channel',
  proxySetHeader: [],
  endpoint: 'localhost:12345',
  callback: {
    connect: ['http://app/connect'],
    establish: ['http://app/establish'],
    receive: ['http://app/receive'],
    close: ['http://app/close'],
  },
};
const none = { connect: null, establish: null, receive: null, close: null };
const subject = {
  connectionId: 'c1' as ConnectionId,
  requestId: 'r1',
  key: 'alice' as SessionKey,
};
const client = {
  method: 'GET',
  query: '',
  rawHeaders: [] as string[],
  forwarded: null,
  tls: null,
  connectionId: subject.connectionId,
  requestId: 'r1',
};
const ids = ['X-Arrokoth-Connection', 'c1', 'X-Request-Id', 'r1'];
const endpoint = ['X-Kuiperbelt-Endpoint', 'localhost:12345'];

describe('connectCallback', () => {
  it('tells the certificate that a client showed, and never what a client says about one', () => {
    const forged = ['X-Arrokoth-Client-Cert-Verified', 'yes', 'x_arrokoth_client_cert_subject', 'CN=root'];
    const certificate = { subject: 'CN=a', names: '', fingerprint: 'ff' };
    const ask = (tls: Parameters<typeof connectCallback>[1]['tls']) => {
      const request = connectCallback(settings, { ...client, rawHeaders: forged, tls });
      return request?.headers.filter((_, at, all) => /cert/i.test(all[at - (at % 2)] as string));
    };
    expect(ask(null)).toEqual([]);
    expect(ask({ certificateAsked: true, certificate: null })).toEqual([
      'X-Arrokoth-Client-Cert-Verified',
      'no',
    ]);
    expect(ask({ certificateAsked: true, certificate })).toEqual([
      ...['X-Arrokoth-Client-Cert-Verified', 'yes', 'X-Arrokoth-Client-Cert-Fingerprint', 'ff'],
      ...['X-Arrokoth-Client-Cert-Subject', 'CN=a'],
    ]);
  });

  it('passes headers on in order, repeats included, and says who asks', () => {
    const rawHeaders = [
      'Host',
      'chat',
      'Cookie',
      'a=1',
      'X-Tag',
      '1',
      'Keep-Alive',
      '300',
      'x-tag',
      '2',
      'Origin',
      'http://x',
    ];
    expect(connectCallback(settings, { ...client, rawHeaders })).toEqual({
      method: 'GET',
      url: 'http://app/connect',
      urls: [],
      list: settings.callback.connect,
      headers: [
        ...['Cookie', 'a=1', 'X-Tag', '1', 'Keep-Alive', '300', 'x-tag', '2', 'Origin', 'http://x'],
        ...endpoint,
        ...ids,
      ],
      body: null,
      chunked: false,
    });
  });

  it('says which subprotocols a client offers', () => {
    const rawHeaders = ['Sec-WebSocket-Protocol', 'v2, v1', 'X-Kuiperbelt-Protocols', 'forged'];
    expect(connectCallback(settings, { ...client, rawHeaders })?.headers).toEqual([
      ...endpoint,
      ...ids,
      ...['X-Kuiperbelt-Protocols', 'v2, v1'],
    ]);
  });

  it.each([
    'Connection',
    'UPGRADE',
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Extensions',
    'X-Kuiperbelt-Protocols',
    'Content-Length',
    'Transfer-Encoding',
    'Trailer',
    'Expect',
    'X-Request-Id',
    'x-kuiperbelt-endpoint',
    'X-Kuiperbelt-Anything',
    'X_Kuiperbelt_Session',
    'X-Arrokoth-Event-Id',
    'x-arrokoth_connection',
  ])('never passes a client’s %s', (name) => {
    expect(connectCallback(settings, { ...client, rawHeaders: [name, 'forged'] })?.headers).toEqual([
      ...endpoint,
      ...ids,
    ]);
  });

  it('guards session and channel headers under the names that were configured', () => {
    const renamed = { ...settings, sessionHeader: 'X-App-Session', channelHeader: 'X-App-Room' };
    const rawHeaders = ['x-app-session', 'forged', 'X_APP_ROOM', 'forged', 'X-App-Other', 'kept'];
    const headers = connectCallback(renamed, { ...client, rawHeaders })?.headers;
    expect(headers).toEqual(['X-App-Other', 'kept', ...endpoint, ...ids]);
  });

  it('drops lines that are no header lines', () => {
    const rawHeaders = [
      'X-A',
      'b\r\nX-Kuiperbelt-Session: x',
      'X B',
      'c',
      '',
      'd',
      'X-Nul',
      '\0',
      'X-Ok',
      'caf\u00e9',
    ];
    expect(connectCallback(settings, { ...client, rawHeaders })?.headers.slice(0, -6)).toEqual([
      'X-Ok',
      'caf\u00e9',
    ]);
  });

  it('applies proxy_set_header before our own headers, but never to what the transport writes', () => {
    const proxySetHeader = [
      { name: 'cookie', value: '' },
      { name: 'X-Role', value: 'proxy' },
      { name: 'X-Arrokoth-Connection', value: '' },
      { name: 'Host', value: 'elsewhere' },
    ];
    const rawHeaders = ['Cookie', 'a', 'x-role', 'admin', 'COOKIE', 'b', 'X_Role', 'admin'];
    const headers = connectCallback({ ...settings, proxySetHeader }, { ...client, rawHeaders })?.headers;
    expect(headers).toEqual(['X-Role', 'proxy', ...endpoint, ...ids]);
  });

  it('keeps back what a CGI application would take for its own proxy', () => {
    const rawHeaders = ['Proxy', 'http://evil.example', 'pROXY', 'b', 'Proxy-Authorization', 'c'];
    const headers = connectCallback(settings, { ...client, rawHeaders })?.headers;
    expect(headers).toEqual(['Proxy-Authorization', 'c', ...endpoint, ...ids]);
  });

  it('replaces the configured query by the client’s, even by none', () => {
    const url = (connect: string, query: string) =>
      connectCallback({ ...settings, callback: { ...none, connect: [connect] } }, { ...client, query })?.url;
    expect(url('http://app/c?token=1', 'room=2&x=%20')).toBe('http://app/c?room=2&x=%20');
    expect(url('http://app/c?token=1#top', '')).toBe('http://app/c');
    expect(url('http://app/c', 'a#b')).toBe('http://app/c?a%23b');
  });

  it('goes to any of several backends, each with the path of its own', () => {
    const connect = ['http://a/connect', 'http://b:81/v2?x=1'];
    const request = connectCallback(
      { ...settings, callback: { ...none, connect } },
      { ...client, query: 'room=2' },
    );
    expect(request?.url).toBe('http://a/connect?room=2');
    expect(request?.list).toBe(connect);
    expect(request?.urls).toEqual(['http://a/connect?room=2', 'http://b:81/v2?room=2']);
  });

  it('knows when there is nobody to ask', () => {
    expect(connectCallback({ ...settings, callback: none }, client)).toBeNull();
  });
});

describe('the other callbacks', () => {
  it('go to any of several backends as they are', () => {
    const all = ['http://a/x?y=1', 'http://b/x'];
    const several = { ...settings, callback: { connect: all, establish: all, receive: all, close: all } };
    expect(establishCallback(several, subject)).toMatchObject({ url: all[0], urls: all });
  });

  const ruled = { ...settings, proxySetHeader: [{ name: 'Authorization', value: 'Bearer t' }] };

  it('establish: an empty POST', () => {
    expect(establishCallback(ruled, subject)).toEqual({
      method: 'POST',
      url: 'http://app/establish',
      urls: [],
      list: settings.callback.establish,
      headers: ['X-Kuiperbelt-Session', 'alice', 'Authorization', 'Bearer t', ...endpoint, ...ids],
      body: null,
      chunked: false,
    });
  });

  it('receive: the message, chunked, without proxy_set_header (vector 9)', () => {
    const payload = Uint8Array.of(0, 1);
    expect(receiveCallback(ruled, { ...subject, payload, binary: true })).toEqual({
      method: 'POST',
      url: 'http://app/receive',
      urls: [],
      list: settings.callback.receive,
      headers: [
        'Content-Type',
        'application/octet-stream',
        ...endpoint,
        'X-Kuiperbelt-Session',
        'alice',
        ...ids,
      ],
      body: payload,
      chunked: true,
    });
    const text = receiveCallback(settings, { ...subject, payload, binary: false });
    expect(text?.headers.slice(0, 2)).toEqual(['Content-Type', 'text/plain']);
  });

  it('close: which connection, which event, why', () => {
    const event = {
      ...subject,
      eventId: 'c1.closed' as EventId,
      reason: 'replaced',
      closeCode: 4409,
    } as const;
    expect(closeCallback(ruled, event)?.headers).toEqual([
      ...['X-Kuiperbelt-Session', 'alice', 'Authorization', 'Bearer t', ...endpoint, ...ids],
      ...[
        'X-Arrokoth-Event-Id',
        'c1.closed',
        'X-Arrokoth-Reason',
        'replaced',
        'X-Arrokoth-Close-Code',
        '4409',
      ],
    ]);
  });

  it('name no session when nobody has heard its key', () => {
    const reason = 'worker_lost' as const;
    const event = { ...subject, key: null, eventId: 'c1.closed' as EventId, reason, closeCode: 1006 };
    const headers = closeCallback(settings, event)?.headers ?? [];
    expect(headers).not.toContain('X-Kuiperbelt-Session');
    expect(headers).toContain('c1.closed');
  });

  it('are not made when no URL is configured', () => {
    const silent = { ...settings, callback: none };
    const event = { ...subject, eventId: 'e' as EventId, reason: 'idle', closeCode: 1001 } as const;
    expect(establishCallback(silent, subject)).toBeNull();
    expect(receiveCallback(silent, { ...subject, payload: Uint8Array.of(), binary: false })).toBeNull();
    expect(closeCallback(silent, event)).toBeNull();
  });
});
