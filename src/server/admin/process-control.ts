/**
 * Owns the contract of what a process offers to who runs it, beside the verbs of its servers. Refuses to offer any of it: the command
 * line does, and a library leaves that to its application.
 */
import type { LogLevel } from '../config/log-levels.js';
import type { CertificateReport } from '../tls/server-certificates.js';

/** What came of reading again whatever is read again. */
export interface ReloadReport {
  /** Of every listener with TLS. */
  readonly certificates: readonly CertificateReport[];
  /** What came of the configuration file; undefined where there is none. */
  readonly file?: FileReload | undefined;
}

/** What came of reading a configuration file again. */
export interface FileReload {
  /** `invalid`: nothing of it is used. */
  readonly result: 'unchanged' | 'applied' | 'restart needed' | 'invalid';
  /** What is wrong with it, each with its place. */
  readonly problems: readonly string[];
  /** The options that only a restart changes. */
  readonly changed: readonly string[];
}

/** What the process that servers run in can be told. */
export interface ProcessControl {
  /** Of every line that is written from now on. */
  logLevel: LogLevel;
  /** Does what SIGTERM does: every server ends, and then the process. */
  drain(): void;
  /** Does what SIGHUP does. */
  reload(): Promise<ReloadReport>;
}
