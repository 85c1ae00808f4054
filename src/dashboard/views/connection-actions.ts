/** Owns what can be done to one connection, and what is said about it before. Refuses to do it unasked. */
import type { Action } from '../actions.js';
import type { ConnectionDetail } from '../api/contract.js';
import { bytes, printable } from '../words.js';

/** What can be done to a connection, in the order of the buttons. */
export function connectionActions(id: string, detail: ConnectionDetail | undefined): Record<string, Action> {
  const path = `/api/v1/connections/${encodeURIComponent(id)}`;
  const name = printable(id, 80);
  const waiting = detail?.bufferedBytes === undefined ? '' : ` ${bytes(detail.bufferedBytes)} wait for it now.`;
  return {
    Close: {
      title: `Close ${name}?`,
      consequence: `What was accepted for the client is written, then it gets a Close frame with this code and reason. It may come back.${waiting}`,
      fields: [
        {
          name: 'code',
          label: 'Code',
          type: 'number',
          value: '1000',
          hint: '1000 to 1014 but 1004 to 1006, or 3000 to 4999',
        },
        { name: 'reason', label: 'Reason', hint: 'At most 123 bytes; the client reads it', maxLength: 123 },
      ],
      confirm: 'Close the connection',
      harms: true,
      path: `${path}/close`,
      body: ({ code = '', reason = '' }) => ({ code: wholeNumber(code), ...(reason === '' ? {} : { reason }) }),
      done: `${name} is being closed.`,
    },
    Terminate: {
      title: `Terminate ${name}?`,
      consequence: `The connection is cut at once, without a Close frame. What waits for the client is lost.${waiting}`,
      confirm: 'Terminate the connection',
      harms: true,
      path: `${path}/terminate`,
      done: `${name} was terminated.`,
    },
    Ping: {
      title: `Ping ${name}?`,
      consequence: 'The client gets a ping, which every WebSocket client answers by itself. Nothing else happens.',
      confirm: 'Send a ping',
      path: `${path}/ping`,
      done: `A ping was sent to ${name}.`,
    },
    Throttle: {
      title: `Throttle ${name}?`,
      consequence:
        'From now on the connection goes no faster than this each way, until it is said anew. The client notices it as a slow line.',
      fields: [
        {
          name: 'read',
          label: 'From the client',
          hint: 'Such as 500kbit or 10Mbit; 0 for as fast as it goes; empty to leave it',
        },
        { name: 'write', label: 'To the client', hint: 'The same' },
      ],
      confirm: 'Set the rates',
      harms: true,
      path: `${path}/throttle`,
      body: ({ read = '', write = '' }) => ({ ...rate('read', read), ...rate('write', write) }),
      done: `${name} has its rates.`,
    },
  };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value)) return value;
  throw new Error(`the code: got ${JSON.stringify(text)}; expected a whole number such as 1000`);
}

function rate(name: string, text: string): Record<string, string | number> {
  const said = text.trim();
  if (said === '') return {};
  return { [name]: /^\d+$/.test(said) ? Number(said) : said };
}
