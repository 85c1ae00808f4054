/**
 * Owns the certificates of all listeners of a running server: reading them again when their files change or somebody asks, and
 * telling what came of it. Refuses to touch connections.
 */
import { TidegateError } from '../../receivers/errors.js';
import type { CertificateFacts } from './certificate.js';
import { warningsAbout } from './context-set.js';
import { FileWatch } from './file-watch.js';
import type { TlsListening } from './tls-listening.js';

/** What came of reading the certificates of one listener. */
export interface CertificateReport {
  /** The listener as configured, such as `127.0.0.1:8443`. */
  readonly listener: string;
  /**
   * `loaded`: the listener began with these. `reloaded`: they took the place of others. `unchanged`: they were read again and are the
   * same. `kept`: what was read cannot be used, and these stay in use.
   */
  readonly result: 'loaded' | 'reloaded' | 'unchanged' | 'kept';
  /** In use from now on. */
  readonly certificates: readonly CertificateFacts[];
  /** What an operator should know about them: those that have expired, are not valid yet, or expire within a week. */
  readonly warnings: readonly string[];
  /** Why what was read cannot be used; only with `kept`. */
  readonly reason?: string | undefined;
}

/** One listener with TLS. */
export interface NamedListening {
  readonly listener: string;
  readonly tls: TlsListening;
}

/** Keeps the certificates of the listeners of one server as they are on disk. */
export class ServerCertificates {
  readonly #listenings: readonly NamedListening[];
  readonly #tell: (report: CertificateReport) => void;
  /** Those whose last reading came to nothing. */
  readonly #broken = new Set<TlsListening>();
  #watches: FileWatch[] = [];

  /** @param tell called for everything but `unchanged`, and for that too after a `kept`. Must not throw. */
  constructor(listenings: readonly NamedListening[], tell: (report: CertificateReport) => void) {
    this.#listenings = listenings;
    this.#tell = tell;
  }

  /** The listeners are bound: tells what they began with, and begins to watch. */
  async start(): Promise<void> {
    for (const { listener, tls } of this.#listenings) this.#tell(reportOf(listener, tls, 'loaded'));
    this.#watches = this.#listenings
      .filter(({ tls }) => tls.config.watch && tls.files.length > 0)
      .map((one) => new FileWatch({ files: one.tls.files, changed: () => void this.#reload(one) }));
    await Promise.all(this.#watches.map((watch) => watch.start()));
  }

  /** Reads every certificate again. */
  reload(): CertificateReport[] {
    return this.#listenings.map((one) => this.#reload(one));
  }

  /** No timer and no watch is left. */
  stop(): void {
    for (const watch of this.#watches.splice(0)) watch.stop();
    for (const { tls } of this.#listenings) tls.release();
  }

  #reload({ listener, tls }: NamedListening): CertificateReport {
    let report: CertificateReport;
    try {
      report = reportOf(listener, tls, tls.reload() ? 'reloaded' : 'unchanged');
    } catch (error) {
      const reason = error instanceof TidegateError ? error.message : String(error);
      report = { ...reportOf(listener, tls, 'kept'), reason };
    }
    // What was repaired by putting back the same is news as well.
    const isNews = report.result !== 'unchanged' || this.#broken.has(tls);
    if (report.result === 'kept') this.#broken.add(tls);
    else this.#broken.delete(tls);
    if (isNews) this.#tell(report);
    return report;
  }
}

function reportOf(
  listener: string,
  { certificates }: TlsListening,
  result: CertificateReport['result'],
): CertificateReport {
  return { listener, result, certificates, warnings: warningsAbout(certificates) };
}
