/** Owns the addresses of the dashboard's places, the values of charts as it reads them, and frames of the inspection stream. */
import { describe, expect, it } from 'vitest';
import { eventData } from '../../../src/dashboard/api/event-data.js';
import { stateIds, valueText } from '../../../src/dashboard/chart-value.js';
import { InspectFrames } from '../../../src/dashboard/inspect-frames.js';
import { hashOf, placeOf } from '../../../src/dashboard/place.js';

describe('a place', () => {
  it('is found again by its address, whatever is in it', () => {
    const places = [
      { view: 'overview', id: '', server: '', query: {} },
      { view: 'charts', id: '', server: 'a b&c', query: {} },
      { view: 'connections', id: '', server: '', query: { state: 'connection.open', search: '?#/&="<>' } },
      { view: 'connection', id: 'node-1/ä?#<img>', server: 'x', query: {} },
      { view: 'backends', id: '', server: '', query: { state: 'backend.ready' } },
    ] as const;
    for (const place of places) expect(placeOf(hashOf(place))).toEqual(place);
  });

  it('is the overview for what nobody can read', () => {
    for (const hash of ['', '#', '#/nowhere', '#javascript:alert(1)', '#//evil.example']) {
      expect(placeOf(hash)).toMatchObject({ view: 'overview', id: '' });
    }
    expect(placeOf('#/connections/%E0%A4%A')).toMatchObject({ view: 'connection', id: '%E0%A4%A' });
  });
});

describe('the value of a chart', () => {
  const value = { open: { outbound: 'throttled', inbound: 'paused', liveness: 'suspended' } };

  it('has the ids of the drawn states', () => {
    expect(stateIds('connection', value)).toEqual([
      'connection',
      'connection.open',
      'connection.open.outbound',
      'connection.open.outbound.throttled',
      'connection.open.inbound',
      'connection.open.inbound.paused',
      'connection.open.liveness',
      'connection.open.liveness.suspended',
    ]);
    expect(stateIds('upstream', 'dialling')).toEqual(['upstream', 'upstream.dialling']);
  });

  it('is said in a few words', () => {
    expect(valueText(value)).toBe('open: throttled, paused, suspended');
    expect([valueText('closed'), valueText({ handshaking: 'dialling' })]).toEqual(['closed', 'handshaking dialling']);
  });
});

describe('the inspection stream', () => {
  it('is read piece by piece, wherever it is cut', async () => {
    const bytes = new TextEncoder().encode(
      ': hello\n\ndata: {"a":"ü"}\n\nevent: x\r\ndata: one\r\ndata: two\r\n\r\ndata: lost',
    );
    const pieces = ReadableStream.from([...bytes].map((byte) => Uint8Array.of(byte)));
    const read: string[] = [];
    for await (const data of eventData(pieces)) read.push(data);
    expect(read).toEqual(['{"a":"ü"}', 'one\ntwo']);
  });

  it('tells where the charts of a pair are, and passes over everything else', () => {
    const frames = new InspectFrames();
    const head = { sessionId: 'x:1', _version: '1' };
    const actor = {
      ...head,
      type: '@xstate.actor',
      name: 'c',
      definition: '{"id":"upstream"}',
      snapshot: { value: 'dialling' },
    };
    const step = { ...head, type: '@xstate.snapshot', snapshot: { value: 'closed' } };
    expect(frames.read(JSON.stringify(step))).toBe(undefined);
    expect(frames.read(JSON.stringify(actor))).toEqual({ chart: 'upstream', value: 'dialling' });
    expect(frames.read(JSON.stringify(step))).toEqual({ chart: 'upstream', value: 'closed' });
    for (const text of [
      '',
      '{',
      '7',
      'null',
      '{"type":"@tidegate.notice"}',
      JSON.stringify({ ...head, type: '@xstate.event' }),
    ]) {
      expect(frames.read(text)).toBe(undefined);
    }
  });
});
