/** Owns the base class of receivers: that it does nothing by itself, and when a receiver counts as one that reads messages. */
import { describe, expect, it } from 'vitest';
import {
  ConnectionReceiver,
  type Fragment,
  type LifecycleReceiver,
  type MessageReply,
  readsMessages,
} from '../../../src/receivers/index.js';

class Quiet extends ConnectionReceiver {
  override onUpgradeRequest(): boolean {
    return true;
  }
  override onOpen(): void {}
  override onClosed(): void {}
  override onThrottled(): void {}
  override onUnthrottled(): void {}
  onBeforeHeartbeat(): void {}
  onIdleTimeout(): boolean {
    return true;
  }
}

class Texts extends ConnectionReceiver {
  override onText(): MessageReply {}
}

class Binaries extends ConnectionReceiver {
  override onBinary(): MessageReply {}
}

class Fragments extends ConnectionReceiver {
  onFragment(_fragment: Fragment): void {}
}

class UpstreamTexts extends ConnectionReceiver {
  onUpstreamText(): MessageReply {}
}

class UpstreamBinaries extends ConnectionReceiver {
  onUpstreamBinary(): MessageReply {}
}

describe('a receiver reads messages', () => {
  it.each([
    ['a ConnectionReceiver as it is', new ConnectionReceiver(), false],
    ['one that overrides every other callback', new Quiet(), false],
    ['one with onText', new Texts(), true],
    ['one with onBinary', new Binaries(), true],
    ['one with onFragment', new Fragments(), true],
    ['one with onUpstreamText', new UpstreamTexts(), true],
    ['one with onUpstreamBinary', new UpstreamBinaries(), true],
    ['a subclass of one with onText', new (class extends Texts {})(), true],
  ])('%s: %s', (_, receiver, reads) => {
    expect(readsMessages(receiver)).toBe(reads);
  });

  it('when a callback was set on the object itself', () => {
    const receiver = new ConnectionReceiver();
    receiver.onText = () => 'own';
    expect(readsMessages(receiver)).toBe(true);
  });

  it('when it implements the contract without the base class', () => {
    const receiver: LifecycleReceiver = {
      onUpgradeRequest: () => true,
      onOpen() {},
      onText() {},
      onBinary() {},
      onClosed() {},
      onThrottled() {},
      onUnthrottled() {},
    };
    expect(readsMessages(receiver)).toBe(true);
  });
});

describe('a ConnectionReceiver', () => {
  it('has the seven callbacks and no other', () => {
    const names = Object.getOwnPropertyNames(ConnectionReceiver.prototype).filter((name) => name.startsWith('on'));
    expect(names).toEqual([
      'onUpgradeRequest',
      'onOpen',
      'onText',
      'onBinary',
      'onClosed',
      'onThrottled',
      'onUnthrottled',
    ]);
  });
});
