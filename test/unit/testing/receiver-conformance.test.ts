/** Owns that the conformance suite for receivers lets good ones pass, and that each of its cases finds the fault it is for. */
import { describe, expect, it } from 'vitest';
import { accept, type CloseStatus, ConnectionReceiver, type MessageReply } from '../../../src/index.js';
import { receiverCases, receiverConformance } from '../../../src/testing.js';

/** Answers what it is told, and reads no further while its client is slow. */
class Polite extends ConnectionReceiver {
  override onText(text: string): MessageReply | Promise<MessageReply> {
    this.connection.send(`you said ${text}`);
  }
  override onThrottled() {
    this.connection.pause();
  }
  override onUnthrottled() {
    this.connection.resume();
  }
}

class Patient extends Polite {
  override async onText(text: string) {
    await Promise.resolve();
    this.connection.send(text);
  }
}

describe.each([Polite, Patient, ConnectionReceiver] as Array<new () => ConnectionReceiver>)(
  'a good receiver: %o',
  (Receiver) => {
    receiverConformance(() => new Receiver(), { test: it });
  },
);

const timers: NodeJS.Timeout[] = [];

/** For each case a receiver with the fault that it is for. */
const FAULTY: Readonly<Record<string, new () => ConnectionReceiver>> = {
  'answers the handshake in time, with what may be answered': class extends Polite {
    override onUpgradeRequest() {
      return accept({ subprotocol: 'nobody-offered-it' });
    }
  },
  'is opened once and closed once, and calls none of its callbacks itself': class extends Polite {
    override onText() {
      this.onClosed(1000, 'I am done');
    }
  },
  'throws for no message, whatever it holds': class extends Polite {
    override onText(text: string) {
      if (text.startsWith('{')) this.connection.send(JSON.stringify(JSON.parse(text)));
    }
  },
  'bears a client that breaks the protocol': class extends Polite {
    override onClosed(status: CloseStatus) {
      if (status === 1007) throw new Error('I know no such status');
    }
  },
  'answers messages with what may be answered': class extends Polite {
    override onText() {
      return 42 as never;
    }
  },
  'comes to an end with every callback': class extends Polite {
    override onText() {
      return new Promise<void>(() => {});
    }
  },
  'says the same whether messages come one by one or all at once': class extends Polite {
    #hurry = 10;
    override onText(text: string) {
      this.#hurry -= 2;
      void this.#answer(text, this.#hurry);
    }
    async #answer(text: string, turns: number): Promise<void> {
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      this.connection.send(text);
    }
  },
  'slows down for a client that does not read, before messages are dropped': class extends ConnectionReceiver {
    override onText(text: string) {
      for (let copy = 0; copy < 100; copy += 1) this.connection.send(text);
    }
  },
  'bears a client that is gone at any moment': class extends Polite {
    override onClosed(status: CloseStatus) {
      if (status === 1006) throw new Error('it should have said goodbye');
    }
  },
  'bears that its connection ends inside of any callback': class extends Polite {
    override onText(text: string) {
      if (this.connection.send(text) === 'closed') throw new Error('I was not ready');
    }
  },
  'sends nothing any more once it is closed': class extends Polite {
    override onClosed() {
      this.connection.send('goodbye');
    }
  },
  'keeps no timer once it is closed': class extends Polite {
    override onOpen() {
      timers.push(setInterval(() => {}, 60_000));
    }
  },
  'leaves no rejection unhandled': class extends Polite {
    override onText() {
      void Promise.reject(new Error('nobody looks'));
    }
  },
};

describe('each case finds a receiver that', () => {
  it.each(Object.entries(FAULTY))('is wrong about: %s', async (name, Receiver) => {
    const found = receiverCases(() => new Receiver(), { patience: 100 }).find((one) => one.name === name);
    await expect(found?.run()).rejects.toThrow();
    for (const timer of timers.splice(0)) clearInterval(timer);
  });

  it('and there is a faulty one for every case', () => {
    expect(receiverCases(() => new Polite()).map(({ name }) => name)).toEqual(Object.keys(FAULTY));
  });

  it('unless it is to be skipped', () => {
    const skip = ['keeps no timer once it is closed'];
    expect(receiverCases(() => new Polite(), { skip }).map(({ name }) => name)).not.toContain(skip[0]);
  });
});
