/**
 * Owns the names that ws exports and its types (8.18) do not list: the header parsers and the deflate engine.
 * Refuses to add behaviour to them.
 */
import type { ZlibOptions } from 'node:zlib';

declare module 'ws' {
  /** The parameters of one offered or accepted extension; `true` for a parameter without a value. */
  export type ExtensionParameters = Record<string, Array<string | true>>;

  /** Reads and writes `Sec-WebSocket-Extensions`. */
  export const extension: {
    /** @throws SyntaxError for a malformed value. */
    parse(header: string): Record<string, ExtensionParameters[]>;
    format(extensions: Record<string, unknown>): string;
  };

  /** Reads `Sec-WebSocket-Protocol`. */
  export const subprotocol: {
    /** @throws SyntaxError for a malformed value, or one that names a subprotocol twice. */
    parse(header: string): Set<string>;
  };

  /** What permessage-deflate is set to (RFC 7692 section 7.1). */
  export interface PerMessageDeflateSettings {
    clientMaxWindowBits?: boolean | number;
    clientNoContextTakeover?: boolean;
    /** Concurrent zlib calls of the whole process; the first instance decides. Default 10. */
    concurrencyLimit?: number;
    /** Default false: we are the client. */
    isServer?: boolean;
    /** The largest inflated message in bytes; 0 for no limit. */
    maxPayload?: number;
    serverMaxWindowBits?: boolean | number;
    serverNoContextTakeover?: boolean;
    /** Without context takeover, messages below this many bytes are not compressed. Default 1024. */
    threshold?: number;
    zlibDeflateOptions?: ZlibOptions;
    zlibInflateOptions?: ZlibOptions;
  }

  /** The permessage-deflate of one connection: both directions, with their contexts. */
  export class PerMessageDeflate {
    static readonly extensionName: 'permessage-deflate';
    constructor(options?: PerMessageDeflateSettings);
    /** What was agreed on, once `accept` was called. */
    params: Record<string, true | number> | null;
    offer(): Record<string, true | number>;
    /** @throws Error when none of the configurations can be accepted. */
    accept(configurations: ExtensionParameters[]): Record<string, true | number>;
    /** Calls back once; the data is one payload without the tail of RFC 7692 section 7.2.1. */
    decompress(data: Buffer, fin: boolean, callback: (error: Error | null, data?: Buffer) => void): void;
    compress(data: Buffer | string, fin: boolean, callback: (error: Error | null, data?: Buffer) => void): void;
    /** Frees the zlib streams. */
    cleanup(): void;
  }
}

export { extension, PerMessageDeflate, subprotocol } from 'ws';
